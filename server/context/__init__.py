"""Selection of context from other files."""
