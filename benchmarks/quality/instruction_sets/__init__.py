"""Whether two instruction sets of the kernels agree on logits and texts."""
