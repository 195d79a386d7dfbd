"""Measurements: speed beside another tool, and grids in their outputs."""
