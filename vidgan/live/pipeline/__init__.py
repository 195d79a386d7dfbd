"""Capture, processing and delivery of frames, one thread each."""
