"""The subcommands of `midline`, one file each, imported when called."""
