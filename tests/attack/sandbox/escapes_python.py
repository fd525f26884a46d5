"""Attempts in Python. Each says ESCAPED when it got what it wanted; the host looks for itself."""

from attack.sandbox.escapes_processes import (
    MEMORY,
    NOT_PROMISED_BY_LANDLOCK,
    PROCESSES,
    SURVIVAL,
)

PRELUDE = """
import ctypes, errno, mmap, os, re, resource, signal, socket, stat, struct, subprocess, sys, time
OUTSIDE, HOST, PORT, ABSTRACT, MARK = (
    sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), chr(0) + sys.argv[4], sys.argv[5])
SECRET = OUTSIDE + "/secret"
MEGABYTE = 1 << 20
libc = ctypes.CDLL(None, use_errno=True)

def escaped(what):
    print("ESCAPED", what, flush=True)

def call(name, *arguments):
    number = NUMBERS.get(name)
    if number is None:
        raise OSError(errno.ENOSYS, name)
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    answer = libc.syscall(ctypes.c_long(number), *words)
    if answer < 0:
        raise OSError(ctypes.get_errno(), name)
    return answer

def wanted(what, action, *arguments):
    "Say so if `action` works."
    try:
        answer = action(*arguments)
    except (OSError, ValueError, OverflowError, subprocess.SubprocessError):
        return None
    escaped(what)
    return answer

def let_be(action, *arguments):
    try:
        return action(*arguments)
    except (OSError, ValueError):
        return None

def alone():
    "Go on in a session of its own, orphaned, with nothing open."
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(3):
        os.close(number)

def stay():
    os.execv("/bin/sleep", ["sleep", MARK])

def hold(what):
    "Memory is there: say so if nobody minds for two seconds."
    time.sleep(2)
    escaped(what)
"""

FILES = {
    "read": "wanted('read', lambda: open(SECRET).read())",
    "write": "wanted('write', lambda: open(SECRET, 'a').write('x'))",
    "truncate": "wanted('truncate', os.truncate, SECRET, 0)",
    "names": """
for action, *arguments in (
    (os.mkdir, OUTSIDE + "/new"), (os.rename, SECRET, OUTSIDE + "/moved"), (os.unlink, SECRET),
    (os.link, SECRET, "linked"), (os.symlink, "x", OUTSIDE + "/link"), (os.rmdir, OUTSIDE),
    (os.mkfifo, OUTSIDE + "/fifo"), (os.link, SECRET, OUTSIDE + "/linked"),
):
    wanted(action.__name__, action, *arguments)
""",
    "modes, owners and times": """
wanted("chmod", os.chmod, SECRET, 0o777)
wanted("chmod of the folder", os.chmod, OUTSIDE, 0o700)
wanted("utime", os.utime, SECRET, (1, 1))
wanted("chown", os.chown, SECRET, os.getuid(), os.getgid())
wanted("setxattr", lambda: os.setxattr(SECRET, "user.x", b"x"))
wanted("fchmod by a path", lambda: os.chmod(os.open(SECRET, os.O_PATH), 0o777))
wanted("fchmodat2", call, "fchmodat2", -100, SECRET.encode(), 0o777, 0)
""",
    "list": """
wanted("list", os.listdir, OUTSIDE)
for place in ("/", "/home", "/root", "/var", "/run", "/etc"):
    seen = let_be(os.listdir, place) or ()
    if set(seen) & {"home", "log", "systemd", "shadow", ".bashrc", ".ssh"}:
        escaped(f"list of {place}")
""",
    "by other ways": """
for way in ("/proc/self/root", "/proc/self/cwd/../../../../..", "/proc/1/root",
            f"/proc/{HOST}/root", f"/proc/{HOST}/cwd", f"/proc/{os.getppid()}/root"):
    wanted(way, lambda: open(way + SECRET).read())
os.symlink(SECRET, "link")
wanted("link", lambda: open("link").read())
folder = let_be(os.open, OUTSIDE, os.O_PATH)
if folder is not None:
    wanted("from a folder", lambda: os.open("secret", os.O_RDONLY, dir_fd=folder))
wanted("open_by_handle_at", call, "open_by_handle_at", 0, b"x" * 64, 0)
""",
    "devices": """
terminals = let_be(os.listdir, "/dev/pts") or ()
if [name for name in terminals if name != "ptmx"]:
    escaped("terminals")
for name in ("mem", "kmsg", "kvm", "tty", "vda", "sda", "fuse", "net/tun", "userfaultfd"):
    wanted(name, os.open, f"/dev/{name}", os.O_RDWR)
    let_be(os.mknod, f"node-{os.path.basename(name)}", stat.S_IFBLK | 0o666, os.makedev(8, 0))
for name in os.listdir("."):
    wanted(f"made {name}", os.open, name, os.O_RDONLY)
""",
    "inherited files": """
for name in os.listdir("/proc/self/fd"):
    target = let_be(os.readlink, f"/proc/self/fd/{name}") or ""
    if int(name) > 2 and target and not target.startswith("/proc/"):
        escaped(f"{name} is {target}")
if set(os.environ) - {"PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "PWD", "LC_CTYPE"}:
    escaped(f"environment {dict(os.environ)}")
""",
}

SOCKETS = {
    "datagram": """
def send():
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.sendto(b"escaped", OUTSIDE + "/datagram")
wanted("datagram", send)
def send_message():
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, OUTSIDE + "/datagram")
wanted("message", send_message)
""",
    "datagram from a pair": """
for kind in (socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_STREAM):
    pair = let_be(socket.socketpair, socket.AF_UNIX, kind)
    if pair is None:
        continue
    for place in (OUTSIDE + "/datagram", ABSTRACT):
        if kind == socket.SOCK_DGRAM:
            wanted("datagram", pair[0].sendto, b"escaped", place)
        else:
            let_be(pair[0].sendto, b"escaped", place)
""",
    "stream": """
wanted("stream", lambda: socket.socket(socket.AF_UNIX).connect(OUTSIDE + "/stream"))
""",
    "abstract name": """
wanted("connect", lambda: socket.socket(socket.AF_UNIX).connect(ABSTRACT))
wanted("datagram", lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", ABSTRACT))
""",
    "network": """
wanted("TCP", lambda: socket.create_connection(("127.0.0.1", PORT), 2))
def send():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"escaped", ("127.0.0.1", PORT))
wanted("UDP", send)
wanted("listen", lambda: socket.create_server(("127.0.0.1", 0)))
""",
    "every family of sockets": """
for family in range(46):
    for kind in (1, 2, 3, 5):
        if family != socket.AF_UNIX:
            wanted(f"socket({family}, {kind})", socket.socket, family, kind)
            wanted(f"socketpair({family}, {kind})", socket.socketpair, family, kind)
""",
}

KERNEL = {
    "name spaces": """
for flag in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    wanted(f"unshare {flag:x}", call, "unshare", flag)
    if flag > 0x80:
        child = let_be(call, "clone", flag | signal.SIGCHLD, 0, 0, 0, 0)
        if child == 0:
            os._exit(0)
        if child is not None:
            escaped(f"clone {flag:x}")
    arguments = struct.pack("11Q", flag, *[0] * 3, signal.SIGCHLD, *[0] * 6)
    child = let_be(call, "clone3", arguments, len(arguments))
    if child == 0:
        os._exit(0)
    if child is not None:
        escaped(f"clone3 {flag:x}")
for name in ("user", "mnt", "pid", "net"):
    for process in (HOST, os.getppid(), 1):
        handle = let_be(os.open, f"/proc/{process}/ns/{name}", os.O_RDONLY)
        if handle is not None:
            wanted(f"setns {name}", call, "setns", handle, 0)
""",
    "mounts": """
wanted("mount", call, "mount", b"none", b".", b"tmpfs", 0, 0)
wanted("bind", call, "mount", b"/usr", b".", 0, 4096, 0)
wanted("remount", call, "mount", b"none", b"/usr", 0, 4096 | 32, 0)
wanted("umount", call, "umount2", b"/proc", 2)
wanted("open_tree", call, "open_tree", -100, b"/", 1)
wanted("fsopen", call, "fsopen", b"tmpfs", 0)
wanted("pivot_root", call, "pivot_root", b".", b".")
wanted("chroot", os.chroot, ".")
""",
    "rights": """
for action, *arguments in ((os.setuid, 0), (os.setgid, 0), (os.setgroups, [0]), (os.seteuid, 0)):
    if os.getuid():
        wanted(action.__name__, action, *arguments)
status = open("/proc/self/status").read()
for field in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    rights = int(re.search(field + r":\\s+(\\w+)", status)[1], 16)
    if rights and (field != "CapBnd" or "NoNewPrivs:\\t1" not in status):
        escaped(f"{field} {rights:x}")
if "NoNewPrivs:\\t1" not in status or "Seccomp:\\t2" not in status:
    escaped("programs with more rights")
handle = let_be(os.open, "/proc/self/oom_score_adj", os.O_WRONLY)
if handle is not None:
    wanted("safe from the killer", os.write, handle, b"-1000")
""",
    "parts of the kernel": """
wanted("io_uring", call, "io_uring_setup", 8, b"\\0" * 120)
wanted("bpf", call, "bpf", 0, b"\\0" * 120, 120)
wanted("perf", call, "perf_event_open", b"\\0" * 120, 0, -1, -1, 0)
wanted("userfaultfd", call, "userfaultfd", 1)
wanted("keyctl", call, "keyctl", 0, -3, 1)
wanted("add_key", call, "add_key", b"user", b"x", b"x", 1, -4)
wanted("kernel log", call, "syslog", 10, 0, 0)
wanted("fanotify", call, "fanotify_init", 0, 0)
""",
    "limits": """
for name in ("NOFILE", "NPROC", "FSIZE", "CPU", "CORE", "MSGQUEUE"):
    number = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(number)[1]
    if hard == resource.RLIM_INFINITY:
        escaped(f"no limit {name}")
    wanted(f"more {name}", resource.setrlimit, number, (hard + 1, hard + 1))
""",
}

ESCAPES = {
    f"{group}: {name}": PRELUDE + body
    for group, table in (
        ("files", FILES), ("sockets", SOCKETS), ("kernel", KERNEL), ("processes", PROCESSES),
        ("survival", SURVIVAL), ("memory", MEMORY), ("names", NOT_PROMISED_BY_LANDLOCK),
    )
    for name, body in table.items()
}  # fmt: skip
