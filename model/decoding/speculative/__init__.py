"""Speculative decoding: prompt lookup and self-speculation."""
