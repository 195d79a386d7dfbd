"""The table of docs/fidelity.md: inputs that people have, their outputs, and what both have in common."""
