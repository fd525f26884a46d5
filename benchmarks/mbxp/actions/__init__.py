"""The actions of `midline-bench mbxp`, one a file."""
