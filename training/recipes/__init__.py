"""Trainable systems, one module each: what is optimised, on what data, towards which objective."""
