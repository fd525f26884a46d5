"""Subcommands of `midline-bench`, one a file."""
