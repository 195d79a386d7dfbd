"""Training data: folders of pictures, read lazily."""
