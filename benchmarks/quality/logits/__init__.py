"""The model's probabilities against a float32 reference."""
