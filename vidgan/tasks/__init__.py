"""Tasks: what a model does to a video."""
