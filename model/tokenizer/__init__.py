"""Text to token ids and back: byte-pair encoding, vocabulary, chat templates."""
