"""Intents and slots: a sentence typed by a developer becomes a frame that names an action.

The method is that of "Joint Text and Label Generation for Spoken Language Understanding"
(arXiv 2105.05052): sentences and their labels are written together as one string in an augmented
language, filtered, and learned from. `student.py` is what Midline ships; it needs NumPy only.
"""
