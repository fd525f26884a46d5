"""The system call filter that every program runs under on Linux, as classic BPF.

A filter only refuses: name spaces and Landlock decide about files, this closes what neither covers.
Numbers are those of the kernel's unistd.h. Refused calls answer EPERM, those that every runtime
replaces where a kernel lacks them ENOSYS; another architecture's calls end the program.
"""

import platform
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

Instruction = tuple[int, int, int, int]
Numbers = Mapping[str, tuple[int | None, int | None]]

LOAD, AND, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
NUMBER_OFFSET, ARCHITECTURE_OFFSET, ARGUMENTS_OFFSET = 0, 4, 16
X32_BIT = 0x40000000
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

# Name: number on x86-64 and on arm64 (None where there is no such call).
REFUSED: Numbers = {
    # Other processes: their memory, their descriptors, their signals by descriptor.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "ioprio_set": (251, 30),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
    # Name spaces and mounts.
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    # Large parts of the kernel that no program needs.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "fanotify_init": (300, 262), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "modify_ldt": (154, None), "syslog": (103, 116),
    # Memory that belongs to no process, or stays after the last one.
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190),
    "semctl": (66, 191), "msgget": (68, 186), "msgctl": (71, 187), "mq_open": (240, 180),
    "mq_unlink": (241, 181), "vmsplice": (278, 75),
}  # fmt: skip
REPLACED = {"memfd_create": (319, 279), "memfd_secret": (447, 447), "clone3": (435, 435)}
"""clone3 has its flags in memory, where a filter cannot look; C libraries fall back to clone."""

# What Landlock does not govern: with no name space of its own, a program would reach the machine's
# sockets, and the mode, owner and times of every file of its user.
SOCKETS = {"connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
           "accept4": (288, 242)}  # fmt: skip
ATTRIBUTES: Numbers = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "setxattrat": (463, 463),
    "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip
SIGNALS = {"kill": (62, 129), "tkill": (200, 130), "rt_sigqueueinfo": (129, 138),
           "rt_tgsigqueueinfo": (297, 240)}  # fmt: skip

SCHEDULING = ("sched_setscheduler", "sched_setparam", "sched_setattr", "sched_setaffinity")
NEW_NAME_SPACES = 0x7E020000
AF_UNIX, SOCK_STREAM, SOCK_SEQPACKET, SOCKET_TYPE = 1, 1, 5, 0xF
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_PTRACER = 1, 4, 0x59616D61
F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15
FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX = 0x8901, 0x8902, 0x5412, 0x541C
SIGABRT, SIGURG, SIGXCPU, SIGPWR, FIRST_REALTIME = 6, 23, 24, 30, 32


@cache
def program(*, landlock: bool = False, attributes: bool = True, signals: bool = True) -> bytes:
    """The filter for this machine's processor: `struct sock_filter`s in a row.

    `landlock`: without name spaces of its own, so sockets are refused altogether. `attributes`:
    whether modes, owners and times of files may be set. `signals`: whether others may be signalled,
    which the kernel keeps within the sandbox by itself in name spaces and from Linux 6.12 on.
    KeyError on processors other than x86-64 and arm64.
    """
    architecture, column = ARCHITECTURES[platform.machine()]
    rules = [_refuse(table, column, answer) for table, answer in _tables(landlock, attributes)]
    rules += [_conditional(name, column, body) for name, body in _bodies(landlock).items()]
    if not signals:
        rules += [_refuse(SIGNALS, column, EPERM), _conditional("tgkill", column, _own_signals())]
    code: list[Instruction] = [
        (LOAD, 0, 0, ARCHITECTURE_OFFSET), (EQUAL, 1, 0, architecture), (ANSWER, 0, 0, KILL),
        # The x32 numbers of x86-64 would slip past the comparisons below.
        (LOAD, 0, 0, NUMBER_OFFSET), (AT_LEAST, 0, 1, X32_BIT), (ANSWER, 0, 0, KILL),
    ]  # fmt: skip
    for rule in rules:
        code += rule
    code.append((ANSWER, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


CONDITIONAL = {
    "socket": (41, 198), "socketpair": (53, 199), "clone": (56, 220), "prctl": (157, 167),
    "prlimit64": (302, 261), "fcntl": (72, 25), "ioctl": (16, 29), "setpriority": (141, 140),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122), "tgkill": (234, 131),
}  # fmt: skip


def _tables(landlock: bool, attributes: bool) -> Iterable[tuple[Numbers, int]]:
    yield REFUSED, EPERM
    yield REPLACED, ENOSYS
    if landlock:
        yield SOCKETS, EPERM
    if not attributes:
        yield ATTRIBUTES, EPERM


def _bodies(landlock: bool) -> dict[str, list[Instruction]]:
    # A datagram socket sends to any address, even one of a pair: of those only streams are let
    # through, which have no other end than each other.
    pair = [*_unless(0, AF_UNIX), *_argument(1), (AND, 0, 0, SOCKET_TYPE),
            *_unless_loaded(SOCK_STREAM, SOCK_SEQPACKET)]  # fmt: skip
    own = _unless(0, 0)
    return {
        "socket": [(ANSWER, 0, 0, EPERM)] if landlock else _unless(0, AF_UNIX) + _let(),
        "socketpair": pair + _let(),
        "clone": [*_argument(0), (ANY_BIT, 0, 1, NEW_NAME_SPACES), (ANSWER, 0, 0, EPERM), *_let()],
        "prctl": _if(0, PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_PTRACER) + _let(),
        "fcntl": _if(1, F_SETOWN, F_SETSIG, F_SETOWN_EX) + _let(),
        "ioctl": _if(1, FIOSETOWN, SIOCSPGRP, TIOCSTI, TIOCLINUX) + _let(),
        "setpriority": own + _unless(1, 0) + _let(),
        # Limits of the calling process only; Mono sets the priority of its threads.
        "prlimit64": own + _let(),
        **{name: own + _let() if landlock else _let() for name in SCHEDULING},
    }  # fmt: skip


def _own_signals() -> list[Instruction]:
    """Those that runtimes send to their own threads, and abort."""
    return [*_argument(2), (AT_LEAST, 0, 1, FIRST_REALTIME), *_let(),
            *_unless_loaded(SIGABRT, SIGURG, SIGXCPU, SIGPWR), *_let()]  # fmt: skip


def _refuse(table: Numbers, column: int, answer: int) -> list[Instruction]:
    numbers = [pair[column] for pair in table.values()]
    code: list[Instruction] = []
    for number in numbers:
        if number is not None:
            code += [(EQUAL, 0, 1, number), (ANSWER, 0, 0, answer)]
    return code


def _conditional(name: str, column: int, body: Sequence[Instruction]) -> list[Instruction]:
    """`body`, which has to answer, for one call alone."""
    return [(EQUAL, 0, len(body), CONDITIONAL[name][column]), *body]


def _argument(index: int) -> list[Instruction]:
    """Load the low half of an argument: the calls looked at here take 32 bits."""
    return [(LOAD, 0, 0, ARGUMENTS_OFFSET + 8 * index)]


def _let() -> list[Instruction]:
    return [(ANSWER, 0, 0, ALLOW)]


def _if(index: int, *values: int) -> list[Instruction]:
    """Refuse where an argument is one of `values`."""
    code = _argument(index)
    for value in values:
        code += [(EQUAL, 0, 1, value), (ANSWER, 0, 0, EPERM)]
    return code


def _unless(index: int, *values: int) -> list[Instruction]:
    """Refuse where an argument is none of `values`."""
    return [*_argument(index), *_unless_loaded(*values)]


def _unless_loaded(*values: int) -> list[Instruction]:
    jumps: list[Instruction] = [
        (EQUAL, len(values) - position, 0, value) for position, value in enumerate(values)
    ]
    return [*jumps, (ANSWER, 0, 0, EPERM)]
