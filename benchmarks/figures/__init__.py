"""The figures of `figures.toml`, and the command that prints and measures them."""
