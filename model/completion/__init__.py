"""Code completion: from a cursor to ranked suggestions."""
