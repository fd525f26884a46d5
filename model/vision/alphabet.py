"""The characters that the recognizer tells apart.

Class 0 is the space between characters; the last class stands for every character that is not
listed, and is read as U+FFFD.
"""

ASCII = "".join(map(chr, range(33, 127)))
EXTRA = "‘’“”…│─┌┐└┘├┤╭╮╰╯→•×✓✗❯«»—·"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"
CHARACTERS = ASCII + EXTRA + UNKNOWN
CLASSES = 1 + len(CHARACTERS)


def class_of(character: str) -> int:
    """The class of a character that is no space."""
    found = CHARACTERS.find(character)
    return 1 + (found if found >= 0 else len(CHARACTERS) - 1)
