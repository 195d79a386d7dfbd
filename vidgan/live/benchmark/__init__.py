"""Measurement of the latency of the live path: ``vidgan bench live``."""
