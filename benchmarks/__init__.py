"""Measurements: speed beside another tool, and grids in what the models paint."""
