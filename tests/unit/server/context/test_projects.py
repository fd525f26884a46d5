"""Projects: where they begin, and what git leaves out of them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from midline.server.context.projects import Project, file_path, project_of

RULES = {
    ".gitignore": "*.log\n!keep.log\nbuild/\n/top.txt\n# no.py\n",
    "sub/.gitignore": "!debug.log\nlocal.py\n",
    "build/.gitignore": "!wanted.py\n",
    ".git/info/exclude": "mine.txt\n",
}
FILES = (
    *("a.py", "no.py", "x.log", "keep.log", "top.txt", "mine.txt", "build/wanted.py"),
    *("sub/debug.log", "sub/x.log", "sub/local.py", "sub/top.txt", "sub/build/y.py", "sub/a b.py"),
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in ("sub/build", "build", ".git/info"):
        (tmp_path / name).mkdir(parents=True)
    for name, text in RULES.items():
        (tmp_path / name).write_text(text)
    for name in FILES:
        (tmp_path / name).write_text("1\n")
    return Project(tmp_path)


def test_rules_hold_as_git_reads_them(project: Project) -> None:
    ignored = {name for name in FILES if project.ignores(project.root / name)}
    assert ignored == {
        *("x.log", "top.txt", "mine.txt", "build/wanted.py"),
        *("sub/x.log", "sub/local.py", "sub/build/y.py"),
    }


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_git_says_the_same(project: Project) -> None:
    shutil.rmtree(project.root / ".git")
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    environment = {**os.environ, **settings}
    git = ["git", "-C", str(project.root)]
    subprocess.run([*git, "init", "-q"], check=True, env=environment)
    (project.root / ".git" / "info").mkdir(exist_ok=True)
    (project.root / ".git" / "info" / "exclude").write_text(RULES[".git/info/exclude"])
    said = subprocess.run(
        [*git, "check-ignore", *FILES], capture_output=True, text=True, check=True, env=environment
    )
    assert set(said.stdout.split("\n")) - {""} == {
        name for name in FILES if project.ignores(project.root / name)
    }


def test_changed_rules_hold_at_once(project: Project) -> None:
    path, rules = project.root / "a.py", project.root / ".gitignore"
    assert not project.ignores(path)
    rules.write_text("a.py\n")
    os.utime(rules, ns=(1, 1))
    assert project.ignores(path)
    rules.unlink()
    assert not project.ignores(path)


def test_a_project_is_the_nearest_working_tree(project: Project, tmp_path: Path) -> None:
    inner = tmp_path / "sub" / "inner"
    (inner / ".git").mkdir(parents=True)
    assert project_of(tmp_path / "sub" / "a.py") == project
    assert project_of(inner / "b.py") == Project(inner)
    assert project.name_of(tmp_path / "sub" / "a.py") == "sub/a.py"
    elsewhere = tmp_path.parent / "elsewhere.log"
    assert project.name_of(elsewhere) == "elsewhere.log"
    assert not project.ignores(elsewhere)


def test_paths_of_documents() -> None:
    assert file_path("file:///a%20b/c.py") == Path("/a b/c.py")
    assert file_path("untitled:Untitled-1") is None
    assert file_path("vscode-remote://host/a.py") is None
