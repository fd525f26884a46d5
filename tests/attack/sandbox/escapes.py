"""Attempts in the other languages, and how each is made to run."""

import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from attack.sandbox.escapes_python import ESCAPES as PYTHON

PERL = {
    "files and processes": r"""
my ($outside, $host, $port, $abstract, $mark) = @ARGV;
print "ESCAPED read\n" if open(my $file, '<', "$outside/secret");
print "ESCAPED write\n" if open(my $other, '>>', "$outside/secret");
print "ESCAPED unlink\n" if unlink("$outside/secret");
print "ESCAPED chmod\n" if chmod(0777, "$outside/secret");
print "ESCAPED utime\n" if utime(1, 1, "$outside/secret");
print "ESCAPED kill\n" if kill(9, $host);
print "ESCAPED kill of the parent\n" if getppid() > 9 && kill(9, getppid());
""",
    "survival": r"""
my ($outside, $host, $port, $abstract, $mark) = @ARGV;
use POSIX ();
for my $number (1 .. 5) {
    next if fork();
    POSIX::setsid();
    exit 0 if fork();
    POSIX::close($_) for 0 .. 2;
    $SIG{TERM} = 'IGNORE';
    exec('/bin/sleep', $mark);
}
""",
    "sockets": r"""
use Socket;
my ($outside, $host, $port, $abstract, $mark) = @ARGV;
if (socket(my $sock, AF_UNIX, SOCK_DGRAM, 0)) {
    print "ESCAPED datagram\n" if send($sock, "escaped", 0, pack_sockaddr_un("$outside/datagram"));
}
if (socketpair(my $one, my $two, AF_UNIX, SOCK_DGRAM, 0)) {
    print "ESCAPED datagram of a pair\n"
        if send($one, "escaped", 0, pack_sockaddr_un("$outside/datagram"));
}
if (socket(my $sock, AF_INET, SOCK_STREAM, 0)) {
    print "ESCAPED connect\n" if connect($sock, pack_sockaddr_in($port, inet_aton("127.0.0.1")));
}
""",
    "calls of the system": r"""
my ($outside, $host, $port, $abstract, $mark) = @ARGV;
for my $pair ([272, 0x10000000], [319, 0], [101, 16, $host, 0, 0], [425, 8, 0], [29, 1, 4096, 950],
              [161, 0], [62, $host, 9], [234, $host, $host, 9]) {
    my ($number, @arguments) = @$pair;
    my $name = "escape";
    @arguments = ($name, 0) if $number == 319;
    my $answer = syscall($number, @arguments);
    print "ESCAPED call $number\n" if $answer >= 0;
}
""",
}

JAVASCRIPT = {
    "files": r"""
const fs = require("fs");
const [outside, host, port, abstract, mark] = process.argv.slice(2);
const secret = outside + "/secret";
const ways = {
  read: () => fs.readFileSync(secret), write: () => fs.appendFileSync(secret, "x"),
  rename: () => fs.renameSync(secret, outside + "/moved"), unlink: () => fs.unlinkSync(secret),
  chmod: () => fs.chmodSync(secret, 0o777), times: () => fs.utimesSync(secret, 1, 1),
  list: () => fs.readdirSync(outside), folder: () => fs.mkdirSync(outside + "/new"),
  link: () => fs.linkSync(secret, "linked"), host: () => fs.readFileSync(`/proc/${host}/cmdline`),
  environment: () => fs.readFileSync(`/proc/${host}/environ`),
};
for (const [name, way] of Object.entries(ways)) {
  try { way(); console.log("ESCAPED", name); } catch (error) { /* held */ }
}
""",
    "processes": r"""
const [outside, host, port, abstract, mark] = process.argv.slice(2);
const { spawn } = require("child_process");
for (const target of [Number(host), process.ppid])
  if (target > 9) try { process.kill(target, "SIGKILL"); console.log("ESCAPED kill"); } catch {}
for (let i = 0; i < 5; i++)
  try { spawn("/bin/sleep", [mark], { detached: true, stdio: "ignore" }).unref(); } catch {}
try { require("os").setPriority(Number(host), 19); console.log("ESCAPED nice"); } catch {}
""",
    "sockets": r"""
const net = require("net"), dgram = require("dgram");
const [outside, host, port, abstract, mark] = process.argv.slice(2);
for (const place of [{ port: Number(port), host: "127.0.0.1" }, { path: outside + "/stream" },
                     { path: "\0" + abstract }])
  try {
    const socket = net.connect(place, () => { console.log("ESCAPED connect"); socket.destroy(); });
    socket.on("error", () => {});
  } catch {}
try {
  const socket = dgram.createSocket("udp4");
  socket.on("error", () => {});
  socket.send("escaped", Number(port), "127.0.0.1", (error) => {
    if (!error) console.log("ESCAPED datagram");
    try { socket.close(); } catch {}
  });
} catch {}
setTimeout(() => process.exit(0), 500);
""",
    "memory": r"""
const blocks = [];
for (let i = 0; i < 16; i++) blocks.push(Buffer.alloc(64 << 20, i + 1));
setTimeout(() => console.log("ESCAPED memory", blocks.length), 2000);
""",
}

CPP = {
    "calls of 32-bit programs": r"""
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <sys/wait.h>
int main(int, char** words) {
    long host = atol(words[2]);
#ifdef __x86_64__
    if (fork() == 0) {  // int 0x80 with the numbers of i386: kill is 37
        long answer;
        __asm__ volatile("int $0x80" : "=a"(answer) : "a"(37), "b"(host), "c"(9));
        if (answer == 0) puts("ESCAPED by int 0x80");
        fflush(stdout);
        _exit(0);
    }
    if (fork() == 0) {  // x32: kill is 62 with a bit on top
        long answer;
        __asm__ volatile("syscall" : "=a"(answer) : "a"(0x40000000L + 62), "D"(host), "S"(9)
                         : "rcx", "r11", "memory");
        if (answer == 0) puts("ESCAPED by x32");
        fflush(stdout);
        _exit(0);
    }
    while (wait(nullptr) > 0) {}
#endif
}
""",
    "a comet": r"""
#include <csignal>
#include <unistd.h>
int main(int, char** words) {
    if (fork() == 0) {
        setsid();
        for (int number = 0; number < 3; number++) close(number);
        for (int number = 0; number < 4; number++)
            if (fork() == 0) break;
        for (;;) {
            pid_t child = fork();
            if (child > 0) _exit(0);
        }
    }
    usleep(200000);
    kill(getppid(), 9);
}
""",
    "forks without end": r"""
#include <csignal>
#include <unistd.h>
int main() {
    for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
    for (;;) fork();
}
""",
    "its parent's memory and files": r"""
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>
int main(int, char** words) {
    std::string outside = words[1], host = words[2];
    if (getppid() > 9 && ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0) puts("ESCAPED attach");
    for (std::string who : {host, std::to_string(getppid())})
        if (who.size() > 1) for (const char* what : {"/mem", "/maps", "/environ", "/cmdline"})
            if (open(("/proc/" + who + what).c_str(), O_RDONLY) >= 0) puts("ESCAPED proc");
    if (open((outside + "/secret").c_str(), O_RDONLY) >= 0) puts("ESCAPED read");
    if (open((outside + "/secret").c_str(), O_WRONLY | O_APPEND) >= 0) puts("ESCAPED write");
    if (chmod((outside + "/secret").c_str(), 0777) == 0) puts("ESCAPED chmod");
}
""",
}

JAVA = {
    "files": r"""
import java.nio.file.*;
public class Escape {
    interface Way { void go() throws Exception; }
    static void want(String name, Way way) {
        try { way.go(); System.out.println("ESCAPED " + name); } catch (Exception held) { }
    }
    public static void main(String[] words) throws Exception {
        Path secret = Path.of(words[0], "secret");
        want("read", () -> Files.readString(secret));
        want("write", () -> Files.writeString(secret, "x", StandardOpenOption.APPEND));
        want("delete", () -> Files.delete(secret));
        want("move", () -> Files.move(secret, Path.of(words[0], "moved")));
        want("times", () -> Files.setLastModifiedTime(secret,
            java.nio.file.attribute.FileTime.fromMillis(1)));
        want("list", () -> Files.list(Path.of(words[0])).count());
        want("process", () -> Files.readAllBytes(Path.of("/proc/" + words[1] + "/cmdline")));
    }
}
""",
    "processes and sockets": r"""
import java.net.*;
public class Escape {
    public static void main(String[] words) throws Exception {
        try {
            new Socket("127.0.0.1", Integer.parseInt(words[2]));
            System.out.println("ESCAPED connect");
        } catch (Exception held) { }
        try {
            new DatagramSocket().send(new DatagramPacket(new byte[1], 1,
                InetAddress.getLoopbackAddress(), Integer.parseInt(words[2])));
            System.out.println("ESCAPED datagram");
        } catch (Exception held) { }
        try {
            java.nio.channels.SocketChannel.open(UnixDomainSocketAddress.of(words[0] + "/stream"));
            System.out.println("ESCAPED stream");
        } catch (Exception held) { }
        ProcessHandle.of(Long.parseLong(words[1])).ifPresent(host -> {
            if (host.destroyForcibly()) System.out.println("ESCAPED kill");
        });
        for (int number = 0; number < 3; number++)
            try {
                new ProcessBuilder("/bin/sh", "-c", "setsid sleep " + words[4] + " &").start();
            } catch (Exception held) { }
        Thread.sleep(300);
    }
}
""",
}

SOURCES = {"python": PYTHON, "perl": PERL, "javascript": JAVASCRIPT, "cpp": CPP, "java": JAVA}
TOOLS = {"python": "python3", "perl": "perl", "javascript": "node", "cpp": "g++", "java": "javac"}


@dataclass(frozen=True)
class Escape:
    """An attempt; `promised` is false where Landlock does not claim to stop it."""

    language: str
    name: str
    promised: bool = True

    def build(self, folder: Path) -> list[str] | None:
        """Put the program into `folder` and return its call; None without the tools."""
        if system_tool(TOOLS[self.language]) is None:
            return None
        return BUILDERS[self.language](folder, SOURCES[self.language][self.name])


@cache
def system_tool(name: str) -> str | None:
    """A tool that every user may start."""
    return shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")


def _script(tool: str, *options: str) -> object:
    def build(folder: Path, text: str) -> list[str]:
        (folder / "program").write_text(text, "utf-8")
        return [str(system_tool(tool)), *options, str(folder / "program")]

    return build


def _cpp(folder: Path, text: str) -> list[str]:
    (folder / "main.cpp").write_text(text, "utf-8")
    call = ["g++", "-O1", "-o", str(folder / "main"), str(folder / "main.cpp")]
    subprocess.run(call, check=True, capture_output=True)
    return [str(folder / "main")]


def _java(folder: Path, text: str) -> list[str]:
    (folder / "Escape.java").write_text(text, "utf-8")
    subprocess.run(["javac", "-d", str(folder), str(folder / "Escape.java")], check=True)
    return [str(system_tool("java")), "-XX:-UsePerfData", "-XX:+UseSerialGC", "-Xmx256m",
            "-cp", str(folder), "Escape"]  # fmt: skip


BUILDERS = {
    "python": _script("python3", "-I", "-S", "-B"), "perl": _script("perl"),
    "javascript": _script("node"), "cpp": _cpp, "java": _java,
}  # fmt: skip
ALL = [
    Escape(language, name, promised=not name.startswith("names:"))
    for language, table in SOURCES.items()
    for name in table
]
