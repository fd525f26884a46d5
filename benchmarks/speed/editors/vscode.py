"""VS Code as a web application in Chromium, driven by `tests/vscode/measure.ts`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from midline.benchmarks.speed.editors.timing import ServerOptions, Timing, TypedText
from midline.model.errors import MidlineError
from midline.model.paths import cache_folder

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "tests" / "vscode" / "measure.ts"
EXTENSION = ROOT / "build" / "vscode" / "midline.vsix"
SECONDS = 900


def tools_folder() -> Path:
    """Where `make vscode-tools` puts Node and VS Code."""
    return cache_folder() / "vscode"


def measure(server: ServerOptions, typed: TypedText, samples: int) -> Timing:
    """Type in a window until `samples` keys have brought ghost text; MidlineError: why not."""
    node = tools_folder() / "bin" / "node"
    for needed in (SCRIPT, EXTENSION, node):
        if not needed.exists():
            raise MidlineError(f"{needed} is missing; run `make vsix` in a clone of the repository")
    environment = {
        **os.environ,
        "VSCODE_TOOLS": str(tools_folder()),
        "VSIX": str(EXTENSION),
        "MIDLINE": str(Path(sys.executable).parent / "midline"),
    }
    work = {"name": typed.name, "before": typed.before, "text": typed.text, "samples": samples}
    settings = {"midline.modelFile": str(server.model), "midline.threads": server.threads}
    done = subprocess.run(
        [str(node), str(SCRIPT)],
        input=json.dumps({**work, "settings": settings}),
        env=environment,
        cwd=SCRIPT.parent,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    if done.returncode != 0:
        raise MidlineError(f"VS Code could not be measured: {_cause(done.stderr)}")
    return _timing(json.loads(done.stdout))


def _timing(found: dict[str, Any]) -> Timing:
    editor = f"VS Code {found['version']} in {found['browser']}"
    return Timing(editor, found["screen"], found["server"], found["silent"])


def _cause(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if "Error" in line]
    return (lines or said.strip().splitlines() or ["it said nothing"])[-1][:300]
