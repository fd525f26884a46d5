"""Zoom-in selection, from scratch and small: whether looking closely at a few places pays."""
