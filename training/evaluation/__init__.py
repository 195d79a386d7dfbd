"""Measures of trained networks, on benchmarks that papers report."""
