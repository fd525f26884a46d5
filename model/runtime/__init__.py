"""The transformer step on the native kernels, with its paged key-value cache."""
