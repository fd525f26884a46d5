"""Editors whose way from a key to ghost text is timed, one file each.

Each module has `measure(server, typed, samples) -> Timing`.
"""

EDITORS = ("neovim", "vscode")
