"""The subcommands of `midline-bench budget`."""
