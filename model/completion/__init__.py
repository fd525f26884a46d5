"""From a cursor to completions worth showing."""
