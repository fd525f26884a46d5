"""Quality measurements of `midline-bench quality`, one a file."""
