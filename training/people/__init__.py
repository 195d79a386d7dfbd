"""Dressed people who do not exist, in any pose, with exact key points, part maps and correspondences."""
