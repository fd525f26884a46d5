"""What the intents end in, one file each: edits, places, prompts, commands and settings."""
