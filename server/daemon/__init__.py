"""One engine process per user: the process, its socket, and the proxy that editors start."""
