"""Quality signals of text and code, deduplication, and selection by rules."""
