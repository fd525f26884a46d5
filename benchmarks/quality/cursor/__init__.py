"""Completions at marked cursors of small projects, against what belongs there."""
