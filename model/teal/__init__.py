"""TEAL, training-free activation sparsity (arXiv 2408.14690): thresholds of a model."""
