"""Description of this machine, without special rights or further packages."""

import contextlib
import ctypes
import os
import platform
import subprocess
import sys
from pathlib import Path

_FEATURES = {
    *("avx2", "fma", "f16c", "avxvnni", "avx_vnni", "amx_int8"),
    *("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512vbmi", "avx512_vnni"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "sve"),
}
"""Names, as Linux gives them, of the instruction sets that the kernels use or could use."""

_MAC_FEATURES = {
    "hw.optional.neon": "asimd",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_FP16": "asimdhp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
    "hw.optional.avx2_0": "avx2",
    "hw.optional.avx512vnni": "avx512_vnni",
}

_CPU_INFO = Path("/proc/cpuinfo")
_OWN_MEMORY = Path("/proc/self/statm")
_HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


def processor_name() -> str:
    """The processor's brand name, or its architecture."""
    for key in ("model name", "Model"):
        if name := _cpu_info().get(key):
            return name
    return _sysctl("machdep.cpu.brand_string") or platform.processor() or platform.machine()


def processor_features() -> list[str]:
    """Instruction sets that matter to the kernels and that this processor has, sorted."""
    info = _cpu_info()
    if info:
        return sorted(_FEATURES & set((info.get("flags") or info.get("Features") or "").split()))
    return sorted(name for key, name in _MAC_FEATURES.items() if _sysctl(key) == "1")


def memory_bytes() -> int | None:
    """Physical memory of the machine; None where the system does not say."""
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int | None:
    """Memory of this process that is in RAM; None where the system does not say."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(_OWN_MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    done = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return int(done.stdout) * 1024 if done.stdout.strip().isdecimal() else None


def return_free_memory() -> None:
    """Give memory that was freed back to the system; glibc keeps much of it for later."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def huge_pages() -> str | None:
    """The mode of transparent huge pages: `always`, `madvise` or `never`; None outside of Linux."""
    if not _HUGE_PAGES.exists():
        return None
    return _HUGE_PAGES.read_text().partition("[")[2].partition("]")[0]


def _cpu_info() -> dict[str, str]:
    """The first processor of Linux's list, by key; empty elsewhere."""
    if not _CPU_INFO.exists():
        return {}
    lines = _CPU_INFO.read_text(errors="replace").partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _sysctl(key: str) -> str | None:
    """A value of macOS's sysctl; None elsewhere or if there is no such key."""
    if platform.system() != "Darwin":
        return None
    done = subprocess.run(["sysctl", "-n", key], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
