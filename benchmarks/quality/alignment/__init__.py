"""Completions that start inside a token: how often the rest of the line is right."""
