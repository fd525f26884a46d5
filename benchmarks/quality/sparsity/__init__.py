"""TEAL activation sparsity (arXiv 2408.14690): levels against perplexity and pass@1."""
