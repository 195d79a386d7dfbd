"""Faces in frames: found, followed from frame to frame, and hidden or replaced."""
