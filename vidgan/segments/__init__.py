"""Segments: the parts of an unfinished video, the journal that lists them, and their join."""
