"""Start one command in a sandbox and end all its processes: `confine.py ORDERS COMMAND ...`.

A program of its own, using the standard library only, and of that what loads fast: it starts once
for every program that is judged. ORDERS is what supervisor.py writes, marshalled, in hexadecimal
digits. Up to three processes are involved: this one, the supervisor, stays outside of every
restriction, so that the command can neither signal nor trace it; with name spaces an init of their
own process name space follows, whose end ends everything in it; the command comes last. Exit
status: the command's, 128 + signal if it was killed, 125 if it could not be confined.
"""

import _signal as signal  # type: ignore[import-not-found]
import ctypes
import marshal
import os
import resource
import struct
import sys
import time
from select import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    Orders = dict[str, Any]

NOT_CONFINED = 125
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 22, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
LAST_CAPABILITY = 63
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
CAPSET = {"x86_64": 126, "aarch64": 91}
# Access rights of Landlock's first version, and those that later versions add (number: bit).
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE
FIRST_VERSION = (1 << 13) - 1
LATER_RIGHTS = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
TCP_RIGHTS = 3
SCOPES = 3
NEW_MOUNTS, NEW_HOSTNAME, NEW_IPC, NEW_USER, NEW_PROCESSES, NEW_NETWORK = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXECUTION, REMOUNT = 1, 2, 4, 8, 32
BIND, RECURSIVE, PRIVATE, RELATIVE_TIMES = 4096, 16384, 1 << 18, 1 << 21
DETACH = 2
KEPT_FLAGS = {2: NO_SUID, 4: NO_DEVICES, 8: NO_EXECUTION, 1024: 1024, 2048: 2048,
              4096: RELATIVE_TIMES}  # fmt: skip
"""statvfs's flags of a mount: mount's. In a user name space none of them may be taken away."""
BUILDING = "/mnt"
"""Mount point, in the private mount name space only, on which the new root is put together."""
TREE_BYTES = 1 << 20

MACHINE = os.uname().machine
libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """`result`, or OSError when it is negative."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


# ---- the new root


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """mount(2)."""
    words = [None if word is None else os.fsencode(word) for word in (source, target, kind)]
    check(libc.mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {target}")


def build_root(orders: "Orders") -> None:
    """Enter a root that has only what `orders` names, in a mount name space of its own."""
    size = f"mode=1777,size={orders['scratch_bytes']},nr_inodes={orders['scratch_files']}"
    private = NO_SUID | NO_DEVICES
    check(libc.unshare(NEW_MOUNTS | NEW_NETWORK | NEW_IPC | NEW_HOSTNAME), "unshare")
    mount("none", "/", None, RECURSIVE | PRIVATE)
    mount("midline", BUILDING, "tmpfs", private, f"mode=755,size={TREE_BYTES}")
    os.chdir(BUILDING)
    for name in ("proc", "dev", "tmp", ".old"):
        os.mkdir(name)
    mount("proc", "proc", "proc", private | NO_EXECUTION)
    mount("midline", "tmp", "tmpfs", private, size)
    for path in orders["devices"]:
        bind(path, None)
    for path in orders["read"]:
        bind(path, READ_ONLY)
    for path in orders["write"]:
        bind(path, 0)
    os.makedirs(orders["scratch"][1:], exist_ok=True)
    mount("midline", orders["scratch"][1:], "tmpfs", private, size)
    mount("midline", BUILDING, None, REMOUNT | READ_ONLY | private, "mode=755")
    check(libc.syscall(PIVOT_ROOT[MACHINE], b".", b".old"), "pivot_root")
    os.chdir("/")
    check(libc.umount2(b"/.old", DETACH), "umount")


def bind(path: str, flags: int | None) -> None:
    """Make `path` appear in the new root; `flags` None leaves it as it is mounted."""
    target = path[1:]
    if os.path.islink(path) and os.path.dirname(path) == "/":
        if not os.path.lexists(target):
            os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    elif not os.path.lexists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(path, target, None, BIND)
    if flags is not None:
        had = os.statvfs(target).f_flag
        kept = sum(theirs for ours, theirs in KEPT_FLAGS.items() if had & ours)
        mount("none", target, None, BIND | REMOUNT | kept | flags | NO_SUID)


# ---- what the command gives up


def landlock(read: list[str], write: list[str]) -> None:
    """Restrict files to `read` and `write`, and TCP, abstract sockets and signals if possible."""
    version = landlock_version()
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


def landlock_version() -> int:
    """The kernel's version of Landlock; OSError without it."""
    return check(libc.syscall(LANDLOCK_CREATE, None, 0, 1), "Landlock")


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


def seccomp(code: bytes) -> None:
    """Put on a filter of system calls that stays with all descendants."""
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    check(libc.prctl(PR_SET_SECCOMP, 2, filter_program, 0, 0), "seccomp")


def drop_to(user: int | None) -> None:
    """Leave root for `user`, and every capability, with no way back."""
    for capability in range(LAST_CAPABILITY + 1):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header, nothing = struct.pack("Ii", 0x20080522, 0), bytes(24)
    check(libc.syscall(CAPSET[MACHINE], header, nothing), "capset")
    check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def set_limits(orders: "Orders") -> None:
    """The kernel's own limits; those on processes count all that the user already has."""
    for name, most in orders["limits"].items():
        number = getattr(resource, f"RLIMIT_{name}")
        if name == "NPROC" and orders["count_processes"]:
            most += threads_of(os.getuid())
        hard = resource.getrlimit(number)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(number, (most, most))


def threads_of(user: int) -> int:
    """Threads of all processes of `user`."""
    total = 0
    for name in filter(str.isdigit, listing("/proc")):
        status = contents(f"/proc/{name}/status")
        if f"\nUid:\t{user}\t" in status:
            total += int(status.partition("\nThreads:\t")[2].partition("\n")[0])
    return total


def become(orders: "Orders", command: list[str]) -> "NoReturn":
    """Give up all that `orders` says and execute `command`; never returns."""
    try:
        set_signals(signal.SIG_DFL)
        os.setsid()
        be_first_to_go()
        set_limits(orders)
        drop_to(orders["user"])
        if orders["level"] == "landlock":
            landlock(orders["read"], orders["write"])
        os.chdir(orders["folder"])
        check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
        if orders["seccomp"] is not None:
            seccomp(orders["seccomp"])
        os.execve(command[0], command, orders["environment"])
    except OSError as error:
        give_up(error)


def be_first_to_go() -> None:
    """Make the kernel kill the program, not its supervisor, when memory runs out."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        return


def give_up(error: OSError) -> "NoReturn":
    """Say why the command could not be confined, and end."""
    print(f"confine: {error}", file=sys.stderr, flush=True)
    os._exit(NOT_CONFINED)


# ---- watching over it


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
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def supervise(child: int) -> int:
    """Wait for `child`, reaping orphans on the way; its exit status, or 128 + signal."""
    while True:
        process, ended = os.wait()
        if process == child:
            break
    code = os.waitstatus_to_exitcode(ended)
    return code if code >= 0 else 128 - code


def init(orders: "Orders", command: list[str], alive: int) -> "NoReturn":
    """The first process of a process name space: when it ends, all others in it are killed."""
    try:
        check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
        if select([alive], [], [], 0)[0]:  # the supervisor was gone before that
            os._exit(NOT_CONFINED)
        os.setsid()
        build_root(orders)
    except OSError as error:
        give_up(error)
    child = os.fork()
    if child == 0:
        become(orders, command)
    os._exit(supervise(child))


def enter_name_spaces(user_name_space: bool) -> None:
    """A process name space for the next child; without root's power a user name space first."""
    user, group = os.geteuid(), os.getegid()
    check(libc.unshare(NEW_PROCESSES | (NEW_USER if user_name_space else 0)), "unshare")
    if user_name_space:
        for name, line in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"),
                           ("gid_map", f"0 {group} 1")):  # fmt: skip
            with open(f"/proc/self/{name}", "w") as file:
                file.write(line)


def main() -> int:
    """Start the command, wait for it, and end the processes that it left running."""
    orders: Orders = marshal.loads(bytes.fromhex(sys.argv[1]))
    command = sys.argv[2:]
    parent = os.getppid()
    set_signals(signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        return NOT_CONFINED
    check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
    if orders["level"] == "unshare":
        enter_name_spaces(orders["user_name_space"])
    watched, alive = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(alive)
        if orders["level"] == "unshare":
            init(orders, command, watched)
        become(orders, command)
    code = supervise(child)
    end_descendants()
    return code


def set_signals(action: int) -> None:
    """`action` for every signal that may have one, but for the end of a child."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        signal.signal(number, action)


def stop(number: int, frame: object) -> None:
    """On SIGTERM, also from the death of the process that started this one."""
    end_descendants()
    os._exit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as error:
        give_up(error)
