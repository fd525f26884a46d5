"""Run a command under Landlock and seccomp: `confine.py ORDERS COMMAND ...`; see landlock.py.

A program of its own, using the standard library only. ORDERS is a JSON object with `read` and
`write` (paths), `folder`, `environment` and `user` (a uid to drop to, or null). Exit status: the
command's, 128 + signal if it was killed, 125 if it could not be confined.
"""

import ctypes
import json
import os
import platform
import signal
import struct
import sys

PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
# Access rights of Landlock's first version, and those that later versions add (number: bit).
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE
FIRST_VERSION = (1 << 13) - 1
LATER_RIGHTS = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
TCP_RIGHTS = 3
SCOPES = 3
AF_UNIX = 1
EPERM_ANSWER = 0x00050001
ALLOW, KILL = 0x7FFF0000, 0x80000000
# Audit architecture, and syscall numbers: socket first (only AF_UNIX is let through), then those
# refused outright.
SYSCALLS: dict[str, tuple[int, int, tuple[int, ...]]] = {
    "x86_64": (0xC000003E, 41, (
        42, 49, 50, 101, 165, 246, 248, 249, 250, 272, 298, 308, 310, 311, 321, 323, 424, 425, 428,
        429, 430, 442)),
    "aarch64": (0xC00000B7, 198, (
        203, 200, 201, 117, 40, 104, 217, 218, 219, 97, 241, 268, 270, 271, 280, 282, 424, 425, 428,
        429, 430, 442)),
}  # fmt: skip
SIGNALS = {"x86_64": (62, 200, 129), "aarch64": (129, 130, 138)}

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """`result`, or OSError when it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def landlock(read: list[str], write: list[str]) -> int:
    """Restrict files to `read` and `write`, and TCP and signals where the kernel can.

    Returns the kernel's Landlock version.
    """
    version = check(libc.syscall(LANDLOCK_CREATE, None, 0, 1), "Landlock")
    rights = FIRST_VERSION
    for since, bit in LATER_RIGHTS.items():
        rights |= bit if version >= since else 0
    attributes = struct.pack(
        "QQQ", rights, TCP_RIGHTS if version >= 4 else 0, SCOPES if version >= 6 else 0
    )
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = check(libc.syscall(LANDLOCK_CREATE, attributes, size, 0), "Landlock")
    for path in read:
        allow(ruleset, path, EXECUTE | READ_FILE | READ_DIR)
    for path in write:
        allow(ruleset, path, rights & ~IOCTL_DEVICE)
    check(libc.syscall(LANDLOCK_RESTRICT, ruleset, 0), "Landlock")
    os.close(ruleset)
    return version


def allow(ruleset: int, path: str, rights: int) -> None:
    """Add one path to `ruleset`; a path that does not exist is skipped."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    except PermissionError as error:
        raise PermissionError(
            error.errno, f"{path} is closed to the user that programs run as; open its folders"
        ) from error
    if not os.path.isdir(path):
        rights &= FILE_RIGHTS | TRUNCATE
    rule = struct.pack("=Qi", rights, handle)
    check(libc.syscall(LANDLOCK_ADD, ruleset, 1, rule, 0), f"Landlock on {path}")
    os.close(handle)


def seccomp(refuse_signals: bool) -> None:
    """Refuse sockets other than local ones, connections, tracing, mounts and the like."""
    architecture, socket, refused = SYSCALLS[platform.machine()]
    if refuse_signals:
        refused = (*refused, *SIGNALS[platform.machine()])
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, KILL), (load, 0, 0, 0)]
    # The x32 numbers of x86-64 would slip past the comparisons below.
    program += [(at_least, 0, 1, 0x40000000), (answer, 0, 0, KILL)]
    for number in refused:
        program += [(equal, 0, 1, number), (answer, 0, 0, EPERM_ANSWER)]
    program += [(equal, 0, 3, socket), (load, 0, 0, 16), (equal, 1, 0, AF_UNIX),
                (answer, 0, 0, EPERM_ANSWER), (answer, 0, 0, ALLOW)]  # fmt: skip
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_program = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    check(libc.prctl(PR_SET_SECCOMP, 2, filter_program, 0, 0), "seccomp")


def drop_to(user: int) -> None:
    """Leave root for `user` with no way back."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def descendants() -> list[int]:
    """Process ids of every living descendant of this process."""
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting:
        parent = waiting.pop()
        for task in listing(f"/proc/{parent}/task"):
            children = contents(f"/proc/{parent}/task/{task}/children").split()
            found += map(int, children)
            waiting += map(int, children)
    return found


def listing(folder: str) -> list[str]:
    """Names in `folder`, none if it is gone."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def contents(path: str) -> str:
    """Text of a file, empty if it is gone."""
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def end_descendants() -> None:
    """Kill until nothing is left: orphans come to this process, so none gets away."""
    while True:
        for process in descendants():
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def supervise(child: int) -> int:
    """Wait for `child`, reaping orphans on the way; then end what it left behind."""
    status = 0
    while True:
        process, ended = os.wait()
        if process == child:
            status = ended
            break
    end_descendants()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main() -> int:
    """Confine this process, run the command in a child, and clean up after it."""
    orders = json.loads(sys.argv[1])
    parent = os.getppid()
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0), "prctl")
    if orders["user"] is not None:
        drop_to(orders["user"])
        check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        return 125
    check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    version = landlock(orders["read"], orders["write"])
    os.chdir(orders["folder"])
    child = os.fork()
    if child == 0:
        os.setsid()
        seccomp(refuse_signals=version < 6)
        os.execve(sys.argv[2], sys.argv[2:], orders["environment"])

    def stop(number: int, frame: object) -> None:
        end_descendants()
        os._exit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    return supervise(child)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        print(f"confine: {error}", file=sys.stderr)
        sys.exit(125)
