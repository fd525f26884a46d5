"""The router: a sentence becomes a frame, a frame with its slots resolved becomes an action."""
