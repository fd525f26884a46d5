"""Token healing: completions that begin with the bytes removed from the end of the prompt."""
