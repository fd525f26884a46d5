"""The filter, executed here instruction by instruction."""

import platform
import re
import struct
from pathlib import Path

import pytest

from midline.model.sandbox import seccomp

ALLOW, EPERM, ENOSYS, KILL = "allow", "EPERM", "ENOSYS", "kill"
ANSWERS = {seccomp.ALLOW: ALLOW, seccomp.EPERM: EPERM, seccomp.ENOSYS: ENOSYS, seccomp.KILL: KILL}
X86 = 0xC000003E
HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
GENERIC = Path("/usr/include/asm-generic/unistd.h")
TABLES = (seccomp.REFUSED, seccomp.REPLACED, seccomp.SOCKETS, seccomp.ATTRIBUTES, seccomp.SIGNALS,
          seccomp.CONDITIONAL)  # fmt: skip


@pytest.fixture(autouse=True)
def _on_x86(monkeypatch: pytest.MonkeyPatch) -> None:
    seccomp.program.cache_clear()
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


def answer(code: bytes, number: int, *arguments: int, architecture: int = X86) -> str:
    """What the filter says to one call."""
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, architecture, 0, *words)
    program = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    at = accumulator = 0
    while True:
        operation, yes, no, value = program[at]
        at += 1
        if operation == seccomp.ANSWER:
            return ANSWERS[value]
        if operation == seccomp.LOAD:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif operation == seccomp.AND:
            accumulator &= value
        else:
            holds = {seccomp.EQUAL: accumulator == value, seccomp.AT_LEAST: accumulator >= value,
                     seccomp.ANY_BIT: bool(accumulator & value)}[operation]  # fmt: skip
            at += yes if holds else no


def called(name: str) -> int:
    number = next(table[name] for table in TABLES if name in table)[0]
    assert number is not None
    return number


@pytest.mark.parametrize("landlock", [False, True])
def test_what_no_program_needs_is_refused_at_every_level(landlock: bool) -> None:
    code = seccomp.program(landlock=landlock)
    assert {answer(code, called(name)) for name in seccomp.REFUSED} == {EPERM}
    assert {answer(code, called(name)) for name in seccomp.REPLACED} == {ENOSYS}
    assert answer(code, 0) == answer(code, 59) == ALLOW, "read and execve"
    assert answer(code, 0, architecture=0x40000003) == KILL, "calls of 32-bit programs"
    assert answer(code, 0x40000000 | called("ptrace")) == KILL, "x32"


def test_clone_makes_threads_and_processes_but_no_name_spaces() -> None:
    code = seccomp.program()
    clone = called("clone")
    assert answer(code, clone, 0x3D0F00) == answer(code, clone, 17) == ALLOW
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert answer(code, clone, bit | 17) == EPERM


def test_sockets_lead_nowhere() -> None:
    inside, landlock = seccomp.program(), seccomp.program(landlock=True)
    for family in range(46):
        assert answer(inside, called("socket"), family) == (ALLOW if family == 1 else EPERM)
        assert answer(landlock, called("socket"), family) == EPERM
    for code in (inside, landlock):
        pairs = {kind: answer(code, called("socketpair"), 1, kind | 0x80000) for kind in range(6)}
        assert [kind for kind, said in pairs.items() if said == ALLOW] == [1, 5]
        assert answer(code, called("socketpair"), 30, 1) == EPERM
    assert {answer(landlock, called(name)) for name in seccomp.SOCKETS} == {EPERM}
    assert {answer(inside, called(name)) for name in seccomp.SOCKETS} == {ALLOW}


def test_attributes_of_files_are_the_compilers_to_set_and_nobody_elses() -> None:
    programs, compilers = (seccomp.program(landlock=True, attributes=a) for a in (False, True))
    assert {answer(programs, called(name)) for name in seccomp.ATTRIBUTES} == {EPERM}
    assert {answer(compilers, called(name)) for name in seccomp.ATTRIBUTES} == {ALLOW}


def test_only_the_calling_process_is_limited_and_scheduled() -> None:
    code = seccomp.program(landlock=True)
    for name in ("prlimit64", *seccomp.SCHEDULING):
        assert answer(code, called(name), 0) == ALLOW
        assert answer(code, called(name), 4321) == EPERM
    inside = seccomp.program()
    assert answer(inside, called("prlimit64"), 4321) == EPERM
    assert {answer(inside, called(name), 4321) for name in seccomp.SCHEDULING} == {ALLOW}, "threads"
    nice = [answer(code, called("setpriority"), which, who) for which, who in
            ((0, 0), (0, 9), (1, 0), (2, 0))]  # fmt: skip
    assert nice == [ALLOW, EPERM, EPERM, EPERM]


def test_orders_that_would_send_signals_or_type_for_the_user_are_refused() -> None:
    code = seccomp.program()
    assert [answer(code, called("fcntl"), 3, order) for order in (1, 2, 4, 8, 10, 15, 1030)] == [
        ALLOW, ALLOW, ALLOW, EPERM, EPERM, EPERM, ALLOW
    ]  # fmt: skip
    assert [answer(code, called("ioctl"), 0, order) for order in (0x5401, 0x5412, 0x541C)] == [
        ALLOW, EPERM, EPERM
    ]  # fmt: skip
    assert [answer(code, called("prctl"), option) for option in (1, 4, 15, 38, 0x59616D61)] == [
        EPERM, EPERM, ALLOW, ALLOW, EPERM
    ]  # fmt: skip


def test_before_linux_6_12_signals_are_refused_but_for_what_threads_send_each_other() -> None:
    code = seccomp.program(landlock=True, signals=False)
    assert {answer(code, called(name)) for name in seccomp.SIGNALS} == {EPERM}
    allowed = [n for n in range(65) if answer(code, called("tgkill"), 9, 9, n) == ALLOW]
    assert allowed == [6, 23, 24, 30, *range(32, 65)]
    free = seccomp.program(landlock=True)
    assert answer(free, called("kill")) == answer(free, called("tgkill"), 9, 9, 9) == ALLOW


@pytest.mark.parametrize(("header", "column"), [(HEADER, 0), (GENERIC, 1)])
def test_numbers_are_the_kernels(header: Path, column: int) -> None:
    if not header.is_file():
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
    known = {name: int(number) for name, number in found}
    compared = 0
    for table in TABLES:
        for name, numbers in table.items():
            if name in known and numbers[column] is not None:
                assert (name, numbers[column]) == (name, known[name])
                compared += 1
    assert compared > 70


def test_the_other_architecture_has_its_own_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    seccomp.program.cache_clear()
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    code = seccomp.program()
    seccomp.program.cache_clear()
    assert answer(code, 117, architecture=0xC00000B7) == EPERM, "ptrace"
    assert answer(code, 101, architecture=0xC00000B7) == ALLOW, "x86-64's number of it"
    assert answer(code, 117) == KILL
