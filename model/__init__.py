"""Tokens in, tokens out: weights, tokenizer, transformer, cache, decoding."""
