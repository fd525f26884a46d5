"""The machine, versions and commit that are recorded with every result."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from midline import kernels
from midline.server.machine import huge_pages, memory_bytes, processor_name

PACKAGES = ("midline", "numpy", "tokenizers")


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory in bytes and operating system of this machine."""
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "memory_bytes": memory_bytes(),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "transparent_huge_pages": huge_pages(),
    }


def describe_versions(*packages: str) -> dict[str, str]:
    """Versions of Python, Midline and `packages`, the instruction set and the source commit."""
    versions = {"python": platform.python_version(), "midline kernels": kernels.kernel_name()}
    for package in (*PACKAGES, *packages):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    commit = source_commit()
    return {**versions, "commit": commit} if commit else versions


def source_commit() -> str | None:
    """Commit of the checkout with this module, with `-dirty` if changed; None without one."""
    folder = Path(__file__).resolve().parent
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return answer.stdout.strip() or None
