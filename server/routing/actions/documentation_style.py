"""How the model is shown what documentation looks like, and how its answer is made to look so."""

import re

SHOTS = (
    (
        "```python\ndef find(self, name, default=None):\n    for user in self.users:\n"
        "        if user.name == name:\n            return user\n    return default\n```\n\n"
        "Write the documentation comment of find.",
        "Returns the first user called `name`, or `default` if there is none.",
    ),
    (
        "```javascript\nfunction parsePort(text) {\n  const port = Number(text);\n"
        "  if (!Number.isInteger(port)) throw new TypeError(`bad port: ${text}`);\n"
        "  return port;\n}\n```\n\nWrite the documentation comment of parsePort.",
        "Parses a port number. Throws a TypeError if `text` is not a whole number.",
    ),
    (
        "```python\nclass Ring:\n    def __init__(self, size):\n        self.size = size\n"
        "        self.lines = []\n\n    def put(self, line):\n        self.lines.append(line)\n"
        "        del self.lines[: -self.size]\n```\n\nWrite the documentation comment of Ring.",
        "A buffer of the last `size` lines. Older lines are dropped when new ones are put in.",
    ),
)
"""Short texts that say what is returned and raised, of functions that are no user's."""
_SENTENCE = re.compile(r"(.+?[.!?])\s+(?=[A-Z`\"'(])", re.DOTALL)
_KIND = r"(?:function|method|class|struct)"
_ABOUT_ITSELF = rf"(?:The|This)\s+(?:{_KIND}\s+)?[`'\"]?{{name}}(?:\(\))?[`'\"]?\s*(?:{_KIND})?\s+"
_ITSELF = r"(?:The|This)\s+(?:function|method|class)\s+"
_DESIGNED = re.compile(r"is (?:designed|used|meant) to\s+")
_VERB = re.compile(r"[a-z]+s\b")
_FIELD = re.compile(
    r"^[ \t]*(?:@\w+|:(?:param|type|returns?|rtype|raises?)\b"
    r"|(?:Args|Returns|Raises|Yields|Parameters)\b:?[ \t]*$)",
    re.MULTILINE,
)
"""Where the fields of JSDoc, Sphinx, Google's and NumPy's style begin: each on its own line."""


def styled(text: str, name: str, language: str) -> str:
    """A documentation text whose first sentence is a paragraph of its own and says what it does.

    In Go it begins with the name, as its tools expect.
    """
    fields = _FIELD.search(text)
    if fields is not None:
        prose, rest = text[: fields.start()].strip(), text[fields.start() :].strip("\n")
        return f"{styled(prose, name, language)}\n\n{rest}" if prose else rest
    text = _direct(text, name)
    if language == "go" and not text.startswith(name):
        text = f"{name} {text[0].lower()}{text[1:]}"
    first = _SENTENCE.match(text)
    if first is None or "\n\n" in text or len(text) <= _SHORT:
        return text
    return f"{' '.join(first[1].split())}\n\n{text[first.end() :]}"


_SHORT = 80
"""Texts of so many characters stay a single paragraph."""


def _direct(text: str, name: str) -> str:
    """The text without "The function `name`" in front of its verb."""
    for rule in (_ABOUT_ITSELF.format(name=re.escape(name)), _ITSELF):
        match = re.match(rule, text)
        rest = text[match.end() :] if match else ""
        designed = _DESIGNED.match(rest)
        if designed:
            rest = rest[designed.end() :]
        if rest and (designed or _VERB.match(rest)) and not rest.startswith(("is ", "has ")):
            return rest[0].upper() + rest[1:]
    return text
