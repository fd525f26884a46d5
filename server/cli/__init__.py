"""The `midline` command."""
