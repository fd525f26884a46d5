"""How right a completion is by its probability."""
