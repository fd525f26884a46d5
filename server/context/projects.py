"""The project of a file: its root, names relative to it, and its ignore rules."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec
from pygls.uris import to_fs_path


@dataclass(frozen=True)
class Project:
    """A git working tree."""

    root: Path

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.root.name

    def name_of(self, path: Path) -> str:
        """`path` from the root on with slashes, or its last part if it lies elsewhere."""
        return path.relative_to(self.root).as_posix() if self.has(path) else path.name

    def has(self, path: Path) -> bool:
        """Whether `path` lies in the working tree."""
        return path.is_relative_to(self.root)

    def ignores(self, path: Path) -> bool:
        """Whether a `.gitignore` of the project, or its own list of exclusions, names `path`.

        As git has it: rules of a deeper folder come last, and what is in an ignored folder is
        ignored whatever they say. What git has been told to ignore everywhere is not looked up.
        """
        if not self.has(path):
            return False
        folders = [folder for folder in path.parents if self.has(folder)]
        inner = [f"{folder}/" for folder in map(str, reversed(folders[:-1]))]
        return any(self._is_ignored(entry) for entry in (*inner, str(path)))

    def _is_ignored(self, entry: str) -> bool:
        path, verdict = Path(entry), False
        slash = "/" if entry.endswith("/") else ""
        lists = [(self.root, self.root / ".git" / "info" / "exclude")]
        above = [folder for folder in path.parents if self.has(folder)]
        lists += [(folder, folder / ".gitignore") for folder in reversed(above)]
        for folder, rules in lists:
            include = _rules(rules).check_file(path.relative_to(folder).as_posix() + slash).include
            verdict = verdict if include is None else include
        return verdict


def file_path(uri: str) -> Path | None:
    """The file that a document is of; None for one that is not on this machine's disk."""
    if not uri.startswith("file:"):
        return None
    path = to_fs_path(uri)
    return Path(path) if path else None


def project_of(path: Path) -> Project | None:
    """The project that the file `path` belongs to, if any: the nearest folder above with `.git`."""
    for folder in path.parents:
        if (folder / ".git").exists():
            return Project(folder)
    return None


def _rules(path: Path) -> GitIgnoreSpec:
    """The rules in a file; none if there is no such file or it cannot be read."""
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except (OSError, ValueError):
        return GitIgnoreSpec([])


@lru_cache(maxsize=256)
def _parsed(path: Path, modified: int) -> GitIgnoreSpec:
    return GitIgnoreSpec.from_lines(path.read_text("utf-8", "replace").splitlines())
