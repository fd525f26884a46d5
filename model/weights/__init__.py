"""GGUF files: the bounded reader, the model's sizes, and weights packed for the kernels."""
