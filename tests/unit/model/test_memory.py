"""What the system and the container leave, from files as Linux writes them."""

import sys
from pathlib import Path

import pytest

from midline.model.memory import available_memory

GB = 1 << 30


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with 8 GB free and no limits."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable: {8 << 20} kB\n")
    (tmp_path / "proc/self/cgroup").write_text("4:memory:/old\n0::/user/app\n")
    return tmp_path


def limit(root: Path, group: str, most: str, used: int, files: int = 0) -> None:
    folder = root / "sys/fs/cgroup" / group
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{most}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\nfile {files}\nslab 3\n")


def test_without_limits_it_is_what_the_system_has(root: Path) -> None:
    assert available_memory(root) == 8 * GB
    limit(root, "user/app", "max", GB)
    assert available_memory(root) == 8 * GB


def test_the_tightest_limit_counts_and_cached_files_do_not(root: Path) -> None:
    limit(root, "user/app", str(4 * GB), 3 * GB, files=2 * GB)
    assert available_memory(root) == 3 * GB
    limit(root, "user", str(2 * GB), GB)
    assert available_memory(root) == GB
    limit(root, "", str(GB), 2 * GB)
    assert available_memory(root) == 0


@pytest.mark.parametrize("content", ["", "MemAvailable:\n", "MemAvailable: much kB\n"])
def test_what_cannot_be_read_is_not_known(root: Path, content: str) -> None:
    (root / "proc/meminfo").write_text(content)
    assert available_memory(root) is None
    assert available_memory(root / "nowhere") is None


def test_this_machine_has_some() -> None:
    free = available_memory()
    if sys.platform == "linux":
        assert free is not None and 1e7 < free < 1e14
