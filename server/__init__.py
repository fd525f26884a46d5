"""The language server and the `midline` command."""
