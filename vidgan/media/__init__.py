"""Frames and what is computed with them: images, label maps, geometry, optical flow, tiles, encoders."""
