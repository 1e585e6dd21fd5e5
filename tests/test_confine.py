"""The sandbox's layers: what they forbid, that a probe notices when they do not, and what a worker cannot do."""

from __future__ import annotations

import errno
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from autograder import confine, sandbox
from autograder.config import Limits
from autograder.errors import IsolationError, RemoteError
from autograder.subject import Session

linux = pytest.mark.skipif(sys.platform != "linux", reason="seccomp and Landlock are Linux's")

# -- the filter, run here as the kernel would ----------------------------------------------------------------------------


def verdict(machine: str, number: int, arguments: tuple[int, ...] = (), audit: int | None = None) -> int:
    """What the filter returns for a system call: an interpreter of the few instructions that it uses."""
    program = confine.seccomp_program(machine, pid=4321)
    words = {confine.NR: number, confine.ARCH: confine.ARCHITECTURES[machine][1] if audit is None else audit}
    words.update({16 + 8 * i: value & 0xFFFFFFFF for i, value in enumerate(arguments)})
    words.update({20 + 8 * i: value >> 32 for i, value in enumerate(arguments)})
    word, at = 0, 0
    while True:
        code, yes, no, value = program[at]
        at += 1
        match code:
            case confine.LOAD:
                word = words.get(value, 0)
            case confine.EQUAL:
                at += yes if word == value else no
            case confine.AT_LEAST:
                at += yes if word >= value else no
            case confine.RETURN:
                return value


DENIED = confine.ERRNO | errno.EPERM
# Numbers from the kernel's tables, (x86_64, aarch64).
FORBIDDEN = {
    "openat": (257, 56), "execve": (59, 221), "socket": (41, 198), "connect": (42, 203), "ptrace": (101, 117),
    "kill": (62, 129), "tkill": (200, 130), "mount": (165, 40), "unshare": (272, 97), "setns": (308, 268),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "io_uring_setup": (425, 425), "bpf": (321, 280),
    "memfd_create": (319, 279), "pidfd_open": (434, 434), "userfaultfd": (323, 282), "keyctl": (250, 219),
    "openat2": (437, 437), "newfstatat": (262, 79), "statx": (332, 291), "unlinkat": (263, 35), "prctl": (157, 167),
    "seccomp": (317, 277), "setresuid": (117, 147), "perf_event_open": (298, 241), "sendmsg": (46, 211),
    "recvmsg": (47, 212), "execveat": (322, 281), "chroot": (161, 51), "getdents64": (217, 61), "pipe2": (293, 59),
    "shmget": (29, 194), "mq_open": (240, 180), "name_to_handle_at": (303, 264), "sched_setaffinity": (203, 122),
    "setrlimit": (160, 164), "personality": (135, 92), "setpriority": (141, 140), "timer_create": (222, 107),
}  # fmt: skip


@pytest.mark.parametrize("machine", confine.ARCHITECTURES)
@pytest.mark.parametrize("name", FORBIDDEN)
def test_filter_denies(machine, name):
    """Whatever names a path, another process, a socket or a privilege fails with EPERM."""
    assert verdict(machine, FORBIDDEN[name][confine.ARCHITECTURES[machine][0]]) == DENIED


@pytest.mark.parametrize("machine", confine.ARCHITECTURES)
def test_filter_allows_what_computing_needs(machine):
    """Every system call of the list is let through."""
    column = confine.ARCHITECTURES[machine][0]
    for name, numbers in confine.ALLOWED.items():
        if numbers[column] is not None:
            assert verdict(machine, numbers[column]) == confine.ALLOW, name
            assert numbers[column] not in {other[column] for other in FORBIDDEN.values()}, name


@pytest.mark.parametrize("machine", confine.ARCHITECTURES)
def test_filter_looks_at_arguments(machine):
    """Threads but no processes, limits read but not set, signals to oneself only, harmless ioctls and fcntls only."""
    column = confine.ARCHITECTURES[machine][0]
    thread = 0x3D0F00  # what glibc passes for a thread
    assert verdict(machine, confine.CLONE[column], (thread,)) == confine.ALLOW
    assert verdict(machine, confine.CLONE[column], (17,)) == DENIED  # fork: SIGCHLD
    assert verdict(machine, confine.CLONE[column], (thread | 0x1000,)) == DENIED  # CLONE_PIDFD
    assert verdict(machine, confine.CLONE[column], (thread | 0x10000000,)) == DENIED  # CLONE_NEWUSER
    assert verdict(machine, confine.CLONE[column], (0x4100 | 17,)) == DENIED  # vfork: CLONE_VM | CLONE_VFORK
    assert verdict(machine, confine.CLONE3[column]) == confine.ERRNO | errno.ENOSYS
    assert verdict(machine, confine.PRLIMIT64[column], (0, 7, 0)) == confine.ALLOW
    assert verdict(machine, confine.PRLIMIT64[column], (0, 7, 0x7000)) == DENIED
    assert verdict(machine, confine.PRLIMIT64[column], (0, 7, 0x7000_0000_0000)) == DENIED  # the lower half is 0
    for call in (confine.SENDTO, confine.RECVFROM):
        assert verdict(machine, call[column], (3, 0x7000, 1, 0)) == confine.ALLOW
        assert verdict(machine, call[column], (3, 0x7000, 1, 1)) == DENIED  # MSG_OOB
    for call in confine.CLOCKS.values():
        assert verdict(machine, call[column], (3,)) == confine.ALLOW  # CLOCK_THREAD_CPUTIME_ID
        assert verdict(machine, call[column], (0xFFFFFFF2,)) == DENIED  # of process 1
    assert verdict(machine, confine.TGKILL[column], (4321, 4321, 6)) == confine.ALLOW
    assert verdict(machine, confine.TGKILL[column], (1, 1, 9)) == DENIED
    assert verdict(machine, confine.IOCTL[column], (3, 0x5421)) == confine.ALLOW
    assert verdict(machine, confine.IOCTL[column], (3, 0x5412)) == confine.ERRNO | errno.ENOTTY  # TIOCSTI
    assert verdict(machine, confine.FCNTL[column], (3, 4)) == DENIED  # F_SETFL


@pytest.mark.parametrize("machine", confine.ARCHITECTURES)
def test_filter_kills_other_architectures(machine):
    """A call in another architecture's numbering, or in x32's, ends the process: its numbers mean other things."""
    assert verdict(machine, 1, audit=0x40000003) == confine.KILL  # i386
    assert verdict(machine, 0x40000000 | 59) == confine.KILL


def test_filter_needs_a_table():
    """An architecture without a table is an error, not an empty filter."""
    with pytest.raises(OSError, match="riscv64"):
        confine.seccomp_program("riscv64", 1)


# -- probes --------------------------------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize(
    ("enter", "probe"),
    [
        ("confine.seccomp()", "probe_seccomp(os.getppid())"),
        ("confine.landlock()", "probe_landlock()"),
        ("confine.become_user(23456)", "probe_user(os.getppid())"),
        ("confine.enter_namespaces()", "probe_namespaces(parent)"),
    ],
)
def test_a_probe_tells_a_layer_from_none(enter, probe):
    """Each probe says no without its layer, and yes with it, where the machine has it."""
    code = f"""
        import os
        from autograder import confine
        parent = os.getppid()
        confine.prctl(confine.PR_SET_NO_NEW_PRIVS, 1)
        print(confine.{probe})
        try:
            {enter}
        except OSError as error:
            print("absent", error)
        else:
            print(confine.{probe})
    """
    done = subprocess.run([sys.executable, "-u", "-c", textwrap.dedent(code)], capture_output=True, text=True)
    before, after = done.stdout.splitlines()
    if after.startswith("absent"):
        pytest.skip(f"this machine does not have it: {after}")
    assert (before, after) == ("False", "True"), done.stderr


@linux
def test_a_layer_that_fails_to_hold_is_not_in_force():
    """A layer whose probe succeeds in what it forbids is reported as absent, with the reason."""
    code = """
        from autograder import confine
        confine.landlock = lambda files: None
        print(confine.confine(["landlock"], 1)["landlock"])
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert "succeeded" in done.stdout


@linux
def test_required_layers_that_are_missing_are_named():
    """Requiring a layer that a mode does not give refuses to start, and says which."""
    with pytest.raises(IsolationError, match=r"seccomp \(not asked for\)"):
        sandbox.launcher("process", ["limits", "seccomp"])
    sandbox.launcher("sandbox", ["process", "limits"]).close()


@linux
def test_reported_layers(sandboxed):
    """What is reported is in force, and what is not has its reason; seccomp is there wherever there is a table."""
    report = sandbox.isolation("sandbox", sandboxed)
    assert set(report["layers"]) | set(report["absent"]) == set(sandbox.WANTED["sandbox"])
    assert all(report["absent"].values())
    if platform.machine() in confine.ARCHITECTURES:
        assert "seccomp" in report["layers"]


@linux
def test_a_worker_with_other_layers_is_refused(sandboxed, monkeypatch):
    """Should a worker ever be behind fewer layers than the first one was, nothing is graded with it."""
    monkeypatch.setattr(sandboxed, "layers", {"seccomp": "", "another": ""})
    with pytest.raises(IsolationError, match="layers"):
        sandboxed.take(Limits())


# -- inside a worker -----------------------------------------------------------------------------------------------------

PRELUDE = """
import ctypes, os, socket, signal, sys, threading
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments]) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def child():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
"""
ACTS = {  # what student code tries, and whether it works in a plain process: the positive control
    "read a file": ("open('/etc/passwd').read()", True),
    "read its own checks": ("open(CHECKS).read()", True),
    "write a file": ("open(f'/tmp/.autograder-test-{os.getuid()}', 'w').close()", True),
    "list a folder": ("os.listdir('/')", True),
    "stat a file": ("os.stat('/etc/passwd')", True),
    "open proc": ("open('/proc/self/maps').read()", True),
    "read another's environment": ("open(f'/proc/{os.getppid()}/environ', 'rb').read()", True),
    "make a socket": ("socket.socket().close()", True),
    "make a unix socket": ("socket.socketpair()", True),
    "make a raw socket": ("socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close()", True),
    "make a netlink socket": ("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()", True),
    "fork": ("child()", True),
    "run a program": ("os.spawnv(os.P_WAIT, '/bin/true', ['true'])", True),
    "signal its parent": ("os.kill(os.getppid(), 0)", True),
    "change its limits": ("__import__('resource').setrlimit(__import__('resource').RLIMIT_CORE, (0, 0))", True),
    "change its name": ("libc.prctl(15, b'x') == 0 or call(157, 15)", True),
    "make a memory file": ("os.close(os.memfd_create('x'))", True),
    "make a pipe": ("os.pipe()", True),
    "leave its namespaces": ("call(272, 0x04000000)", True),
    "trace its parent": ("call(101, 0x4206, os.getppid(), 0, 0)", None),
    "mount": ("call(165, 0, 0, 0, 0, 0)", None),
    "set up io_uring": ("call(425, 1, 0)", None),
    "load a bpf program": ("call(321, 0, 0, 0)", None),
    "open a pid": ("call(434, os.getppid(), 0)", True),
}  # fmt: skip
CAPABILITIES = {"make a raw socket": 13, "leave its namespaces": 21}  # CAP_NET_RAW, CAP_SYS_ADMIN: linux/capability.h


def attempt(launcher: sandbox.Launcher, act: str) -> None:
    """Do an act in a fresh worker."""
    source = f"{PRELUDE}\nCHECKS = {__file__!r}\ndef act():\n    {act}\n"
    worker = launcher.take(Limits(cpu_seconds=5, wall_seconds=20))
    try:
        session = Session(worker)
        entry = {"file": "student.py", "source": source, "support": None, "names": []}
        session.call("load", {"student": entry})
        session.call("module", "student").act()
    finally:
        worker.close()


@linux
@pytest.mark.parametrize("name", ACTS)
def test_a_sandboxed_worker_cannot(name, sandboxed):
    """What student code tries fails with an exception that it can see, and the worker goes on."""
    if "seccomp" not in sandbox.in_force("sandbox", sandboxed):
        pytest.skip("seccomp is not in force on this machine")
    with pytest.raises(RemoteError, match=r"Operation not permitted|Permission denied|not allowed"):
        attempt(sandboxed, ACTS[name][0])


@linux
@pytest.mark.parametrize("name", [name for name, (_, works) in ACTS.items() if works])
def test_a_plain_process_can(name, zygote):
    """The same acts work where there is no sandbox: else their failing would prove nothing."""
    if name in CAPABILITIES and not capable(CAPABILITIES[name]):
        pytest.skip(f"to {name} needs capability {CAPABILITIES[name]}, which this process does not have")
    attempt(zygote, ACTS[name][0])


def capable(number: int) -> bool:
    """Whether this process, and so a plain worker, has a capability; a container's root has few."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> number & 1)


@linux
def test_threads_and_torch_work_in_the_sandbox(sandboxed):
    """What students may use works: threads, linear algebra, convolutions, gradcheck, numpy, lazy imports."""
    body = (
        "import torch, numpy, threading, statistics, dataclasses, decimal\n"
        "    t = threading.Thread(target=lambda: None); t.start(); t.join()\n"
        "    X = torch.randn(3, 3, dtype=torch.double, requires_grad=True)\n"
        "    assert torch.autograd.gradcheck(lambda a: (a @ a).sum(), (X,))\n"
        "    torch.linalg.svd(X); numpy.linalg.inv(numpy.eye(3)); torch.func.vmap(torch.sum)(X); repr(X)\n"
        "    torch.set_num_threads(2); torch.randn(500, 500) @ torch.randn(500, 500)\n"
        "    __import__('warnings').warn('heard')"
    )
    attempt(sandboxed, body)


APIS = {  # what students may use; the first use of some loads hundreds of modules
    "gradcheck": "torch.autograd.gradcheck(lambda a: a @ a, (torch.randn(2, 2, dtype=torch.double, requires_grad=True),))",
    "backward": "torch.randn(3, requires_grad=True).exp().sum().backward()",
    "a function": "F.apply(torch.randn(2, requires_grad=True)).sum().backward()",
    "a module": "str(M()), M()(torch.randn(2, 3)).sum().backward(), M().state_dict(), list(M().named_parameters())",
    "a parameter": "repr(torch.nn.Parameter(torch.randn(2)))",
    "repr": "repr(torch.randn(3, 3)), repr(torch.zeros(0)), repr(torch.tensor(1j)), str(torch.float32)",
    "einsum": "torch.einsum('ij,jk->ik', torch.randn(2, 3), torch.randn(3, 2))",
    "indexing": "torch.randn(3, 3)[torch.arange(3), torch.tensor([0, 1, 2])], torch.randn(3)[torch.randn(3) > 0]",
    "scatter and gather": "torch.zeros(2, 3).scatter_(1, torch.ones(2, 1, dtype=torch.long), 1.0).gather(1, torch.zeros(2, 1).long())",
    "reductions": "torch.randn(3, 3).logsumexp(-1), torch.randn(3).softmax(0), torch.randn(3).log_softmax(0), torch.randn(3).std()",
    "linear algebra": "torch.linalg.norm(torch.randn(3)), torch.addmm(torch.randn(2), torch.randn(2, 2), torch.randn(2, 2))",
    "split and stack": "torch.stack(torch.randn(4, 2).split(2)), torch.cat(torch.randn(4).chunk(2)), torch.vstack([torch.ones(2)] * 2)",
    "no_grad": "torch.no_grad()(lambda: None)()",
    "numpy": "numpy.sqrt(2.0), torch.from_numpy(numpy.random.randn(3)).numpy(), numpy.einsum('i,i', numpy.ones(2), numpy.ones(2))",
    "errors": "raised(lambda: torch.zeros(2) @ torch.zeros(3)), raised(lambda: torch.zeros(2)[5]), raised(lambda: 1 / 0)",
    "assert_close": "raised(lambda: torch.testing.assert_close(torch.zeros(2), torch.ones(2)))",
    "dataclasses": "dataclasses.make_dataclass('D', ['x'])(1), dataclasses.asdict(dataclasses.make_dataclass('E', ['x'])(1))",
    "data": "list(torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.arange(4)), batch_size=2))",
    "copies": "copy.deepcopy(M())",
    "warnings": "warnings.warn('heard')",
    "text": "traceback.format_exc(), inspect.signature(print), json.dumps([1]), f'{1.5:.3f}', '%s' % 1",
}  # fmt: skip
AROUND = """
import copy, dataclasses, inspect, json, sys, traceback, warnings
import numpy, torch
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, X):
        ctx.save_for_backward(X)
        return X * 2
    @staticmethod
    def backward(ctx, grad):
        return grad * 2
class M(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 2)])
    def forward(self, X):
        return self.layers[0](X)
def raised(f):
    try:
        f()
    except Exception:
        return traceback.format_exc()
"""


@linux
@pytest.mark.parametrize("name", APIS)
def test_nothing_is_left_to_import(name, sandboxed):
    """The zygote has run what students may use: a first use in a worker, which opens no file, loads no module."""
    source = f"{AROUND}\ndef act():\n    before = set(sys.modules)\n    {APIS[name]}\n    return sorted(set(sys.modules) - before)\n"
    worker = sandboxed.take(Limits())
    try:
        session = Session(worker)
        session.call("load", {"student": {"file": "student.py", "source": source, "support": None, "names": []}})
        assert session.call("module", "student").act() == []
    finally:
        worker.close()
