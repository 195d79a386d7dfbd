"""Training objectives, and the frozen networks that some of them look through."""
