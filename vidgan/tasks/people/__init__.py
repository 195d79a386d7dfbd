"""People found, retargeted and animated."""
