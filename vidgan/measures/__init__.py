"""What can be said of a result in numbers."""
