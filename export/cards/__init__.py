"""Model cards of the bundled models, one module a kind, from metadata and measured figures."""
