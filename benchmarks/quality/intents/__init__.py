"""How well sentences are understood: our own frozen utterances, and public data with few shots."""
