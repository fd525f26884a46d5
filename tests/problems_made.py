"""MBXP problems that a test makes up."""

import json
from pathlib import Path


def write_problems(folder: Path, count: int, prompt: str, test: str) -> Path:
    """A data folder of `count` Python problems; `{n}` in the prompt is the number of each."""
    folder.mkdir()
    rows = [
        {"task_id": f"MBPP/{n}", "language": "python", "prompt": prompt.format(n=n), "test": test,
         "entry_point": f"f{n}"}
        for n in range(count)
    ]  # fmt: skip
    (folder / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "metadata.json").write_text('{"python": "p.jsonl"}')
    return folder
