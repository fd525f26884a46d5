"""Whether two installations write the same texts."""
