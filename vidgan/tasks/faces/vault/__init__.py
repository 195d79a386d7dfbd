"""Faces that a passcode brings back: encrypted crops of the source that travel with a de-identified video."""
