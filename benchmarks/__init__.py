"""The `midline-bench` command: MBXP, speed against peers, completion quality."""
