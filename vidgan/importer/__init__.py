"""Adding foreign models: examined in a process of their own, wrapped into vidgan's contract, kept for the user."""
