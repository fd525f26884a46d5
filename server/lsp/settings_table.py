"""The table of settings in docs/configuration.md, written from their type.

`python -P -m midline.server.lsp.settings_table docs/configuration.md` writes it anew between its
two marks.
"""

import json
import sys
from pathlib import Path

from midline.model.errors import UsageError
from midline.server.lsp.settings import settings_as_json

BEGIN = "<!-- settings: written by `make settings` -->"
END = "<!-- end of settings -->"


def table() -> str:
    """The rows of all settings, as Markdown."""
    rows = ["| setting | default | allowed | what it does |", "|---|---|---|---|"]
    for name, entry in json.loads(settings_as_json()).items():
        default = f"`{json.dumps(entry['default'])}`"
        cells = (f"`midline.{name}`", default, entry["allowed"], entry["description"])
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows)


def with_table(document: str) -> str:
    """A document with the table of now between its marks; UsageError if it has none."""
    head, begin, rest = document.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"the document has no {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    PATH = Path(sys.argv[1])
    PATH.write_text(with_table(PATH.read_text("utf-8")), "utf-8")
