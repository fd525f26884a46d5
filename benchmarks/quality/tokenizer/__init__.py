"""Token ids against llama.cpp and transformers."""
