"""Numbers of the source tree and of a keystroke's way through it."""
