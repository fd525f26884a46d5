"""Typing on a simulated clock: the same server and model, with computing times that are given."""
