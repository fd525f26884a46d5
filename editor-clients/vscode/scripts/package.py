"""Package the extension: package.py TOOLS FILE.vsix.

The server's sources are packed into it, so that it can install a server of its own version.
TOOLS is the folder that `tests/vscode/install.sh` made.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

CLIENT = Path(__file__).resolve().parent.parent
ROOT = CLIENT.parent.parent


def pack_sources(folder: Path) -> None:
    """Write the source archive of the server into `folder`, which holds nothing else then."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    code = "import sys; from scikit_build_core import build; build.build_sdist(sys.argv[1])"
    command = [sys.executable, "-P", "-c", code, str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def package(tools: Path, target: Path) -> None:
    """Bundle and package. There is no public repository that the README's links could lead to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["npx", "--no-install", "vsce", "package", "--no-dependencies"]
    command += ["--allow-missing-repository", "--no-rewrite-relative-links", "--out", str(target)]
    environment = {**os.environ, "PATH": f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, cwd=CLIENT, env=environment, check=True)


if __name__ == "__main__":
    pack_sources(CLIENT / "dist" / "server")
    package(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
