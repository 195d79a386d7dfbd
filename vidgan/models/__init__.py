"""Model files: bundled weights with their cards, and the registry that finds them."""
