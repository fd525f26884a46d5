"""Typing at the language server: what is on the screen at pauses, and what Tab would save."""
