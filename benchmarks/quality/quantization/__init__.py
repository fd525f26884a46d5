"""What quantization costs and saves: every recipe, in every respect, against the reference."""
