"""Decoding: requests, continuous batching, speculation, token healing."""
