"""Model cards of the bundled models, one module per kind.

Facts come from the models' metadata, figures from JSON files of the evaluations, and data, hardware and known failures
from the recipe files of training. No fact is typed in twice.
"""
