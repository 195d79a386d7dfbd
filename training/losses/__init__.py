"""Losses, each a module with the paper that it comes from."""
