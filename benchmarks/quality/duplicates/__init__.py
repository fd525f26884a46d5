"""Near duplicates that are planted, and which of them deduplication finds."""
