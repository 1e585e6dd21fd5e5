"""The sandbox's layers, from inside: what a worker gives up before any student byte is there, and a probe that tries.

Each layer is a function that raises OSError where the machine does not have it. All go through system calls: nothing
has to be compiled or installed. Sources: seccomp(2), landlock(7), prctl(2), user_namespaces(7), and the kernel's system
call tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import platform
import signal
import site
import socket
import stat
import struct
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Every layer that there is, from the weakest to the strongest. `process` is the worker's own process and session,
# with a clean environment and three descriptors; `undumpable` protects the grader's memory; `container` is around
# zygote and workers, with the grader outside.
LAYERS = ("process", "limits", "undumpable", "user", "namespaces", "landlock", "seccomp", "container")


@dataclass(frozen=True)
class Files:
    """What a worker may open, in a homework whose answers need files; elsewhere it is nothing at all.

    Attributes:
        readable: files and folders that it may read.
        hidden: paths that a probe tries to open.
        scratch: a folder that it may write to, its working directory.
    """

    readable: tuple[str, ...]
    hidden: tuple[str, ...]
    scratch: str


def python_installation(hidden: Sequence[Path]) -> tuple[str, ...]:
    """The paths that importing modules reads: the standard library, installed packages, shared libraries.

    Args:
        hidden: folders that are left out, wherever they lie.
    """
    folders = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    system = ["/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache", "/usr/share/zoneinfo", os.devnull, "/dev/urandom"]
    closed = [path.resolve() for path in hidden]
    wanted = dict.fromkeys(Path(path).resolve() for path in (*folders, *site.getsitepackages(), *system))
    return tuple(dict.fromkeys(str(path) for start in wanted if start.exists() for path in _without(start, closed)))


def _without(path: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    """A path, or what is below it without the hidden folders."""
    if any(path.is_relative_to(folder) for folder in hidden):
        return
    if not any(folder.is_relative_to(path) for folder in hidden):
        yield path
        return
    for child in sorted(path.iterdir()):
        yield from _without(child.resolve(), hidden)


_libc = ctypes.CDLL(None, use_errno=True)

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38  # linux/prctl.h


def prctl(option: int, value: int, third: int | None = None) -> None:
    """Call prctl(2).

    Raises:
        OSError: the kernel refuses.
    """
    arguments = [ctypes.c_ulong(value), ctypes.c_void_p(third), ctypes.c_ulong(0), ctypes.c_ulong(0)]
    if _libc.prctl(ctypes.c_int(option), *arguments) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def undumpable() -> None:
    """Keep other processes of this user from this process's memory, environment and descriptors."""
    with contextlib.suppress(OSError, AttributeError):  # AttributeError: a system without prctl
        prctl(PR_SET_DUMPABLE, 0)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    converted = [ctypes.c_long(a) if isinstance(a, int) else ctypes.c_char_p(a) for a in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *converted))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


# -- seccomp -----------------------------------------------------------------------------------------------------------

# name: (x86_64, aarch64); None where the architecture does not have it. No system call that takes a path, makes a
# process, a socket or a memory file, or touches another process.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "poll": (7, None), "lseek": (8, 62),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "pread64": (17, 67), "readv": (19, 65),
    "writev": (20, 66), "select": (23, None), "sched_yield": (24, 124), "mremap": (25, 216), "mincore": (27, 232),
    "madvise": (28, 233), "dup": (32, 23), "pause": (34, None), "nanosleep": (35, 101), "getitimer": (36, 102),
    "alarm": (37, None), "setitimer": (38, 103), "getpid": (39, 172),
    "exit": (60, 93), "uname": (63, 160), "gettimeofday": (96, 169), "getrusage": (98, 165), "sysinfo": (99, 179),
    "times": (100, 153), "getuid": (102, 174), "getgid": (104, 176), "geteuid": (107, 175), "getegid": (108, 177),
    "getppid": (110, 173), "getpgrp": (111, None), "getgroups": (115, 158), "getresuid": (118, 148),
    "getresgid": (120, 150), "getpgid": (121, 155), "getsid": (124, 156), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "arch_prctl": (158, None),
    "gettid": (186, 178), "time": (201, None), "futex": (202, 98), "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128), "exit_group": (231, 94), "set_robust_list": (273, 99), "get_robust_list": (274, 100),
    "pselect6": (270, 72), "ppoll": (271, 73), "set_tid_address": (218, 96), "getcpu": (309, 168),
    "getrandom": (318, 278), "membarrier": (324, 283), "rseq": (334, 293),
}  # fmt: skip
# What opening files needs besides; nothing that changes a mode, an owner or a time, which Landlock does not look at.
PATHS: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None), "openat": (257, 56), "stat": (4, None), "lstat": (6, None), "newfstatat": (262, 79),
    "statx": (332, 291), "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439),
    "readlink": (89, None), "readlinkat": (267, 78), "getcwd": (79, 17), "chdir": (80, 49), "getdents64": (217, 61),
    "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None), "unlink": (87, None), "unlinkat": (263, 35),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "truncate": (76, 45), "ftruncate": (77, 46),
    "pwrite64": (18, 68), "pwritev": (296, 70), "preadv": (295, 69), "fsync": (74, 82), "fdatasync": (75, 83),
    "fadvise64": (221, 223), "umask": (95, 166),
}  # fmt: skip
CLONE, CLONE3, IOCTL, FCNTL, PRLIMIT64, TGKILL = (56, 220), (435, 435), (16, 29), (72, 25), (302, 261), (234, 131)
SENDTO, RECVFROM = (44, 206), (45, 207)
CLOCKS = {"clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115)}
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column above, AUDIT_ARCH_*

# struct sock_filter opcodes and return values (linux/bpf_common.h, linux/seccomp.h)
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NR, ARCH = 0, 4  # offsets in struct seccomp_data
THREADS = (0x3D0F00, 0x7D0F00)  # what glibc and musl make threads with; no flag more, such as CLONE_PIDFD
HARMLESS_IOCTLS = (0x5421, 0x541B, 0x5401)  # FIONBIO, FIONREAD, TCGETS
HARMLESS_FCNTLS = (1, 2, 3, 1030)  # F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC


def _argument(number: int, high: bool = False) -> int:
    return 16 + 8 * number + 4 * high  # a word, little endian


def seccomp_program(machine: str, pid: int, paths: bool = False) -> list[tuple[int, int, int, int]]:
    """The filter: an allow-list; everything else fails with EPERM, so that student code gets an exception, not a kill.

    Args:
        machine: the architecture.
        pid: the process that may signal its own threads.
        paths: allow what opens files too; Landlock must say which.

    Raises:
        OSError: there is no table for this architecture.
    """
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no system call table for {machine}")
    column, audit = ARCHITECTURES[machine]
    deny = ERRNO | errno.EPERM
    program = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, audit), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NR)]
    program += [(AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, KILL)]  # the x32 numbers
    program += [(EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, ERRNO | errno.ENOSYS)]  # glibc falls back to clone
    program += _when(CLONE[column], [(LOAD, 0, 0, _argument(0)), *_only(THREADS, deny)])
    program += _when(IOCTL[column], [(LOAD, 0, 0, _argument(1)), *_only(HARMLESS_IOCTLS, ERRNO | errno.ENOTTY)])
    program += _when(FCNTL[column], [(LOAD, 0, 0, _argument(1)), *_only(HARMLESS_FCNTLS, deny)])
    reading = [
        (LOAD, 0, 0, _argument(2)),
        (EQUAL, 1, 0, 0),
        (RETURN, 0, 0, deny),
        (LOAD, 0, 0, _argument(2, high=True)),
    ]
    program += _when(PRLIMIT64[column], [*reading, *_only([0], deny)])  # the address of new limits: there is none
    for call in (SENDTO, RECVFROM):  # nothing out of band, nothing peeked at
        program += _when(call[column], [(LOAD, 0, 0, _argument(3)), *_only([0], deny)])
    for call in CLOCKS.values():  # the clocks that all processes share, and one's own; no other process's
        program += _when(
            call[column],
            [(LOAD, 0, 0, _argument(0)), (AT_LEAST, 0, 1, 12), (RETURN, 0, 0, deny), (RETURN, 0, 0, ALLOW)],
        )
    program += _when(TGKILL[column], [(LOAD, 0, 0, _argument(0)), *_only([pid], deny)])  # abort()
    for numbers in (*ALLOWED.values(), *(PATHS.values() if paths else ())):
        number = numbers[column]
        if number is not None:
            program += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    return [*program, (RETURN, 0, 0, deny)]


def _when(number: int, then: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """For one system call, a block that ends in a return."""
    return [(EQUAL, 0, len(then), number), *then]


def _only(values: Iterable[int], otherwise: int) -> list[tuple[int, int, int, int]]:
    """Allow if the loaded word is one of some values."""
    block: list[tuple[int, int, int, int]] = []
    for value in values:
        block += [(EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW)]
    return [*block, (RETURN, 0, 0, otherwise)]


def seccomp(paths: bool = False) -> None:
    """Allow only system calls that compute, wait, or use what is open already; and those that open files, if asked."""
    instructions = seccomp_program(platform.machine(), os.getpid(), paths)
    code = b"".join(struct.pack("<HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("<HxxxxxxQ", len(instructions), ctypes.addressof(buffer))  # struct sock_fprog
    program = ctypes.create_string_buffer(header, len(header))
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(program))  # SECCOMP_MODE_FILTER


# -- Landlock ----------------------------------------------------------------------------------------------------------

LANDLOCK_CREATE, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT = 444, 445, 446  # the same on all architectures
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # access rights by ABI; 16 from ABI 5 on
READ_FILE, READ_DIR = 1 << 2, 1 << 3  # linux/landlock.h
# write, remove folders and files, make folders and files, rename between folders, truncate
WRITE_FILE, WRITE_DIR = 1 << 1 | 1 << 14, 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13


def landlock(files: Files | None = None) -> int:
    """Deny every path, TCP port, and signal or abstract socket outside, as far as the kernel can; returns its ABI.

    Args:
        files: what may be opened all the same.
    """
    abi = _syscall(LANDLOCK_CREATE, None, 0, 1)
    handled = (1 << FILE_RIGHTS.get(abi, 16)) - 1
    rules = struct.pack("<QQQ", handled, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _syscall(LANDLOCK_CREATE, rules, size, 0)
    try:
        if files is not None:
            for path in files.readable:
                _allow_beneath(ruleset, path, READ_FILE, READ_DIR)
            _allow_beneath(ruleset, files.scratch, READ_FILE | WRITE_FILE & handled, READ_DIR | WRITE_DIR & handled)
        _syscall(LANDLOCK_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)
    return abi


def _allow_beneath(ruleset: int, path: str, for_files: int, for_folders: int) -> None:
    """Add a rule for a file, or for a folder and what is in it; one that is not there needs none."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        rule = struct.pack("<Qi", for_files | for_folders if folder else for_files, opened)
        _syscall(LANDLOCK_ADD_RULE, ruleset, 1, rule, 0)  # LANDLOCK_RULE_PATH_BENEATH
    finally:
        os.close(opened)


# -- another user, namespaces ------------------------------------------------------------------------------------------

UIDS = 20_000  # the first user id, and how many, that workers are given; a system's own users lie below
NEW_IPC, NEW_UTS, NEW_USER, NEW_PID, NEW_NET = 0x08000000, 0x04000000, 0x10000000, 0x20000000, 0x40000000


def user_of(grader: int) -> int:
    """The user id that a grader's workers are given."""
    return UIDS + grader % UIDS


def become_user(uid: int, files: Files | None = None) -> None:
    """Change to a user and group that own nothing, for good; only root can.

    Raises:
        OSError: this process is not root, the change could be taken back, or the worker could not read what it may.
    """
    if os.geteuid() != 0:
        raise OSError(errno.EPERM, "only root can become another user")
    if files is not None and not _open_to_all(Path(os.__file__)):
        raise OSError(errno.EACCES, "only root can read this Python installation, and workers of this homework need it")
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # the change of user has cleared it


def _open_to_all(path: Path) -> bool:
    """Whether any user may read a file, by its mode and those of the folders above it."""
    folders = all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
    return folders and bool(path.stat().st_mode & stat.S_IROTH)


def enter_namespaces() -> None:
    """Leave the network and the host's processes behind; the caller is process 1 of a new world afterwards.

    The process that calls stays outside as its keeper and ends with it.

    Raises:
        OSError: this system does not allow it.
    """
    flags = NEW_PID | NEW_NET | NEW_IPC | NEW_UTS
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        _unshare(flags)
    else:
        _unshare(flags | NEW_USER)
        for file, content in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
            with open(f"/proc/self/{file}", "w", encoding="ascii") as map_file:
                map_file.write(content)
    inner = os.fork()
    if inner != 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.closerange(3, 1024)
        _, status = os.waitpid(inner, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def new_process_numbers() -> None:
    """Let the next child of this process be process 1 of a namespace of its own.

    Raises:
        OSError: this process may not.
    """
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    try:  # back from the last child's, or else the kernel refuses
        if _libc.setns(ctypes.c_int(own), ctypes.c_int(NEW_PID)) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(own)
    _unshare(NEW_PID)


def _unshare(flags: int) -> None:
    if _libc.unshare(ctypes.c_int(flags)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


# -- probes ------------------------------------------------------------------------------------------------------------


def refused(act: Callable[[], object], *codes: int) -> bool:
    """Whether an act fails with one of some error numbers; any that succeeds, or fails otherwise, is not refused."""
    try:
        act()
    except OSError as error:
        return error.errno in codes
    return False


def _open(path: str, flags: int = os.O_RDONLY) -> None:
    os.close(os.open(path, flags))


def probe_user(grader: int) -> bool:
    """Root is gone for good, and the grader cannot be signalled."""
    return refused(lambda: os.setuid(0), errno.EPERM) and refused(lambda: os.kill(grader, 0), errno.EPERM, errno.ESRCH)


def probe_undumpable(grader: int) -> bool:
    """The grader's memory and environment cannot be opened."""
    files = (f"/proc/{grader}/mem", f"/proc/{grader}/environ")
    return all(refused(functools.partial(_open, file), errno.EACCES, errno.ENOENT) for file in files)


def probe_namespaces(grader: int) -> bool:
    """There is no network, and the grader is not among the processes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        no_network = refused(lambda: probe.connect(("198.51.100.1", 9)), errno.ENETUNREACH)  # RFC 5737, nobody's
    return no_network and refused(lambda: os.kill(grader, 0), errno.ESRCH)


def probe_landlock(files: Files | None = None) -> bool:
    """No path can be opened, for reading or writing, but those that may be."""
    places = [("/", os.O_RDONLY), (__file__, os.O_RDONLY), (os.devnull, os.O_WRONLY), (os.__file__, os.O_WRONLY)]
    if files is None:
        places.append((os.__file__, os.O_RDONLY))
    else:
        places += [(path, os.O_RDONLY) for path in files.hidden]
        _open(os.__file__)
        _open(os.path.join(files.scratch, "probe"), os.O_RDWR | os.O_CREAT)
        os.unlink(os.path.join(files.scratch, "probe"))
    return all(refused(functools.partial(_open, path, flags), errno.EACCES) for path, flags in places)


def probe_seccomp(grader: int, paths: bool = False) -> bool:
    """No path, socket, process, signal or program can be had; where paths can, their modes cannot be changed."""
    looks: tuple[Callable[[], object], ...] = (lambda: _open("/"), lambda: os.stat("/"))
    changes: tuple[Callable[[], object], ...] = (lambda: os.chmod(".", 0o700), lambda: os.symlink("/", "probe"))
    acts: tuple[Callable[[], object], ...] = (
        *(changes if paths else looks),
        lambda: socket.socket(),
        lambda: os._exit(71) if os.fork() == 0 else None,
        lambda: os.execv("/", ["/"]),
        lambda: os.kill(grader, 0),
        lambda: os.memfd_create("probe"),
    )
    return all(refused(act, errno.EPERM) for act in acts)


def probe_container() -> str:
    """Why the container around this process does not hold what is promised of it; empty if it does.

    Source:
        proc_pid_status(5); cgroup v2's interface files, which a container sees as its own.
    """
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines())
    networks = sorted(name for _, name in socket.if_nameindex() if name != "lo")
    promises = {
        f"it has a network ({', '.join(networks)})": not networks,
        "its root can be written to": bool(os.statvfs("/").f_flag & os.ST_RDONLY),
        "it has capabilities": all(int(status[name], 16) == 0 for name in ("CapEff", "CapPrm", "CapBnd")),
        "a program in it may gain privileges": status["NoNewPrivs"].strip() == "1",
        "its processes are not its own": os.getpid() == 1,
        "its memory has no limit": _bounded("memory.max", "memory/memory.limit_in_bytes"),
        "its processes have no limit": _bounded("pids.max", "pids/pids.max"),
    }
    return "; ".join(reason for reason, kept in promises.items() if not kept)


def _bounded(*files: str) -> bool:
    """Whether one of a control group's files, of version 2 or 1, holds a limit."""
    for file in files:
        with contextlib.suppress(OSError):
            text = Path("/sys/fs/cgroup", file).read_text("ascii").strip()
            return text.isdigit() and int(text) < 1 << 50
    return False


# -- all together ------------------------------------------------------------------------------------------------------


def _entered(outside: str) -> None:
    """Namespaces are entered by the zygote, before there is a worker.

    Raises:
        OSError: it could not.
    """
    if outside:
        raise OSError(errno.EPERM, outside)


def confine(wanted: Sequence[str], grader: int, files: Files | None = None, outside: str = "") -> dict[str, str]:
    """Put this process, a worker that has run no student code yet, behind the wanted layers.

    Args:
        wanted: names of layers.
        grader: the grader's process id, for the probes.
        files: what it may open, if the homework asks for that.
        outside: why the zygote could not enter namespaces; empty if it did.

    Returns:
        by layer, an empty text if it is in force, or else why it is not; what no probe has tried is not in force.
    """
    report = {}
    steps: dict[str, tuple[Callable[[], object], Callable[[], bool]]] = {
        "user": (lambda: become_user(user_of(grader), files), lambda: probe_user(grader)),
        "namespaces": (lambda: _entered(outside), lambda: probe_namespaces(grader)),
        "undumpable": (lambda: None, lambda: probe_undumpable(grader)),  # set by the grader itself
        "landlock": (lambda: landlock(files), lambda: probe_landlock(files)),
        "seccomp": (lambda: seccomp(files is not None), lambda: probe_seccomp(grader, files is not None)),
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    for layer, (enter, probe) in steps.items():
        if layer in wanted:
            try:
                enter()
                report[layer] = "" if probe() else "a probe of it succeeded in what it forbids"
            except OSError as error:
                report[layer] = error.strerror or type(error).__name__
    return report
