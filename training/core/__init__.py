"""Trains a recipe: steps, optimizers, EMA, precision, checkpoints and exact resume."""
