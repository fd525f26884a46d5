"""Strategies: how several calls of one or two models become one answer under a budget."""
