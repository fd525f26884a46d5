"""Forward passes on the native kernels, and the paged KV cache with its prefix tree."""
