"""Reading screenshots: from pixels to lines of text, and from those to what failed where."""
