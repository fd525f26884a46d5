"""Attempts in Python on other processes, to outlive the judgement, and on the machine's memory."""

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
for process in {HOST, os.getppid()} - set(range(10)):  # those are the sandbox's own init
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
