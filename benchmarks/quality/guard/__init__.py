"""Whether repetition signals tell failed samples while they are generated."""
