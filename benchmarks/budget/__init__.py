"""Strategies of thinking compared at equal tokens, equal seconds and equal operations."""
