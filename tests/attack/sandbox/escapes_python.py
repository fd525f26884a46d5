"""Attempts in Python. Each says ESCAPED when it got what it wanted; the host looks for itself."""

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

PROCESSES = {
    "trace": """
for process in (HOST, os.getppid()):
    if process > 9:  # others are the sandbox's own init
        wanted(f"attach to {process}", call, "ptrace", 16, process, 0, 0)
        wanted(f"seize {process}", call, "ptrace", 0x4206, process, 0, 0)
        wanted(f"memory of {process}", lambda: open(f"/proc/{process}/mem", "rb+"))
        buffer = ctypes.create_string_buffer(8)
        span = struct.pack("PL", ctypes.addressof(buffer), 8)
        wanted(f"read {process}", call, "process_vm_readv", process, span, 1, span, 1, 0)
        handle = let_be(os.pidfd_open, process) if hasattr(os, "pidfd_open") else None
        if handle is not None:
            wanted(f"descriptor of {process}", call, "pidfd_getfd", handle, 0, 0)
wanted("trace a child", call, "ptrace", 0, 0, 0, 0)
""",
    "signals": """
own = {os.getpid(), 1 if os.getppid() == 1 else 0}
for process in {HOST, os.getppid()} - own:
    for number in (0, signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
        wanted(f"kill {process} {number}", os.kill, process, number)
        wanted(f"tgkill {process} {number}", call, "tgkill", process, process, number)
        wanted(f"tkill {process} {number}", call, "tkill", process, number)
    information = struct.pack("iii", 9, 0, -1) + bytes(116)
    wanted(f"queue {process}", call, "rt_sigqueueinfo", process, 9, information)
    handle = let_be(os.pidfd_open, process)
    if handle is not None:
        wanted(f"signal by descriptor {process}", call, "pidfd_send_signal", handle, 9, 0, 0)
""",
    "signals from files": """
import fcntl
ends = os.pipe()
for process in (HOST, os.getppid()):
    wanted("owner", fcntl.fcntl, ends[0], 8, process)
    wanted("signal", fcntl.fcntl, ends[0], 10, 9)
    let_be(fcntl.fcntl, ends[0], fcntl.F_SETFL, fcntl.fcntl(ends[0], fcntl.F_GETFL) | 0o20000)
    os.write(ends[1], b"x")
""",
    "signal to all": """
if os.fork() == 0:
    let_be(os.kill, -1, signal.SIGKILL)
    os._exit(0)
time.sleep(0.5)
""",
    "limits and scheduling of others": """
for process in (HOST, os.getppid()):
    wanted("limit", lambda: resource.prlimit(process, resource.RLIMIT_CPU, (0, 0)))
    wanted("read limit", lambda: resource.prlimit(process, resource.RLIMIT_CPU))
    wanted("nice", os.setpriority, os.PRIO_PROCESS, process, 19)
    wanted("affinity", lambda: os.sched_setaffinity(process, {0}))
    wanted("policy", lambda: os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0)))
    wanted("disk", call, "ioprio_set", 1, process, 3 << 13)
wanted("nice of the user", os.setpriority, os.PRIO_USER, 0, 19)
""",
    "what others do": """
for process in (HOST, os.getppid(), 1):
    if process == os.getpid() or process == 1 and os.getppid() in (0, 1):
        continue
    if process == os.getppid() and process < 10:
        continue  # the sandbox's own init
    for name in ("cmdline", "environ", "maps", "status", "stat", "cgroup", "fd", "task"):
        path = f"/proc/{process}/{name}"
        wanted(path, os.listdir if name in ("fd", "task") else lambda p: open(p, "rb").read(), path)
numbers = [int(name) for name in let_be(os.listdir, "/proc") or () if name.isdigit()]
if len(numbers) > 8:
    escaped(f"{len(numbers)} processes listed")
""",
    "keys": """
import fcntl, termios
wanted("terminal", os.open, "/dev/tty", os.O_RDWR)
for number in range(3):
    wanted("TIOCSTI", fcntl.ioctl, number, 0x5412, b"x")
    wanted("TIOCLINUX", fcntl.ioctl, number, 0x541C, b"x")
""",
}

SURVIVAL = {
    "orphan": "alone()\nstay()",
    "killer of the supervisor": """
parent = os.getppid()
if os.fork() == 0:
    os.setsid()
    for process in (parent, os.getppid()):
        let_be(os.kill, process, signal.SIGKILL)
        let_be(resource.prlimit, process, resource.RLIMIT_CPU, (0, 0))
    for number in range(3):
        os.close(number)
    stay()
time.sleep(0.5)
""",
    "stopper of the supervisor": """
parent = os.getppid()
if os.fork() == 0:
    os.setsid()
    let_be(os.kill, parent, signal.SIGSTOP)
    for number in range(3):
        os.close(number)
    stay()
time.sleep(0.5)
""",
    "many": """
for _ in range(40):
    try:
        if os.fork() == 0:
            alone()
            stay()
    except OSError:
        break
""",
    "own orphanage": """
libc.prctl(36, 1, 0, 0, 0)
libc.prctl(1, 0, 0, 0, 0)
for _ in range(3):
    if os.fork() == 0:
        libc.prctl(36, 1, 0, 0, 0)
        libc.prctl(1, 0, 0, 0, 0)
        if os.fork() == 0:
            os.setsid()
            for number in range(3):
                os.close(number)
            stay()
        time.sleep(1000)
""",
    "never there": """
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        for number in range(3):
            os.close(number)
        ends = time.time() + 20
        while time.time() < ends:
            try:
                if os.fork():
                    os._exit(0)
            except OSError:
                pass
        stay()
time.sleep(0.3)
""",
    "deaf": """
for number in range(1, 65):
    if number not in (9, 19, 32, 33):
        let_be(signal.signal, number, signal.SIG_IGN)
for _ in range(5):
    if os.fork() == 0:
        os.setsid()
        stay()
time.sleep(1000)
""",
    "stopped": """
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        for number in range(3):
            os.close(number)
        os.kill(os.getpid(), signal.SIGSTOP)
        stay()
time.sleep(0.3)
""",
    "sibling": """
for _ in range(3):
    child = call("clone", 0x8000 | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os.setsid()
        for number in range(3):
            os.close(number)
        stay()
""",
}

MEMORY = {
    "memory files": """
handles = []
for _ in range(8):
    handle = let_be(call, "memfd_create", b"x", 0)
    if handle is None:
        break
    for _ in range(64):
        os.write(handle, bytes(MEGABYTE))
    handles.append(handle)
wanted("secret memory", call, "memfd_secret", 0)
if handles:
    hold("memory files")
""",
    "memory of System V": """
held = let_be(call, "shmget", 0x4D4C, 512 * MEGABYTE, 0o1666)
if held is not None:
    escaped("shared memory that stays")
wanted("queue of System V", call, "msgget", 0x4D4C, 0o1666)
wanted("semaphores", call, "semget", 0x4D4C, 100, 0o1666)
wanted("queue of POSIX", call, "mq_open", b"midline", os.O_CREAT | os.O_RDWR, 0o666, 0)
""",
    "shared memory of POSIX": """
for number in range(8):
    with open(f"/dev/shm/{MARK}-{number}", "wb") as file:
        for _ in range(64):
            file.write(bytes(MEGABYTE))
hold("files in /dev/shm")
""",
    "files without a name": """
handles = []
for number in range(64):
    handles.append(os.open("x", os.O_CREAT | os.O_RDWR))
    os.unlink("x")
    for _ in range(16):
        os.write(handles[-1], bytes(MEGABYTE))
hold("files without a name")
""",
    "very many files": """
for number in range(400_000):
    os.close(os.open(str(number), os.O_CREAT | os.O_WRONLY))
hold("400,000 files")
""",
    "a full disk": """
for number in range(32):
    with open(str(number), "wb") as file:
        for _ in range(16):
            file.write(os.urandom(MEGABYTE))
hold("512 MB on disk")
""",
    "buffers of sockets": """
pairs = []
for _ in range(400):
    pair = socket.socketpair()
    for end in pair:
        end.setblocking(False)
        let_be(end.setsockopt, socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        try:
            while True:
                end.send(bytes(65536))
        except BlockingIOError:
            pass
    pairs.append(pair)
hold("buffers of sockets")
""",
    "buffers of pipes": """
import fcntl
huge = mmap.mmap(-1, 64 * MEGABYTE)
let_be(huge.madvise, 14)
huge[:] = bytes(len(huge))
address = ctypes.addressof(ctypes.c_char.from_buffer(huge))
for number in range(16):
    ends = os.pipe()
    let_be(fcntl.fcntl, ends[1], 1031, MEGABYTE)
    span = struct.pack("PL", address + number * MEGABYTE, 4096)
    wanted("pages in a pipe", call, "vmsplice", ends[1], span, 1, 0)
""",
    "page tables": """
flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000
resource.setrlimit(resource.RLIMIT_AS, (resource.getrlimit(resource.RLIMIT_AS)[1],) * 2)
blocks, size = [], 1 << 36
for _ in range(16):
    block = mmap.mmap(-1, size, flags=flags, prot=mmap.PROT_READ)
    blocks.append(block)
    for at in range(0, size, 1 << 21):
        block[at]
hold("page tables")
""",
    "children": """
for _ in range(8):
    if os.fork() == 0:
        data = bytearray(os.urandom(1 << 20) * 100)
        time.sleep(1000)
hold("eight times 100 MB")
""",
    "shared mappings": """
blocks = []
for _ in range(10):
    block = mmap.mmap(-1, 100 * MEGABYTE)
    block[:] = bytes(len(block))
    blocks.append(block)
hold("shared mappings")
""",
}

# Landlock governs neither the names of files nor what is told of them: docs/security.md.
NOT_PROMISED_BY_LANDLOCK = {
    "what is told of files": """
wanted("stat", os.stat, SECRET)
wanted("access", lambda: None if os.access(SECRET, os.F_OK) else os.stat("/no/such"))
wanted("a process is there", os.stat, f"/proc/{HOST}")
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
