"""The models: catalogue, weights, tokenizer, transformer, KV cache, decoding, completion."""
