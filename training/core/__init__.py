"""The trainer and its parts: recipes' contract, steps, optimizers, EMA, precision, checkpoints, exact resume."""
