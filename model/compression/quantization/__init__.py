"""Quantization recipes: what they say, and models written by them for either engine."""
