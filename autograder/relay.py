"""Carries a zygote's protocol over one stream of bytes, so that the zygote and its workers can live in a container.

`--outside` takes a zygote's place at the grader's control socket, and starts the command, such as `docker run`, whose
standard input and output are the stream; `--inside` starts the zygote, and takes the grader's place before it. Each
side is one poll loop. What arrives from inside is untrusted: every field is checked, and what waits anywhere is
bounded. A side that breaks the protocol ends the connection, and the container with it; the grader finds its zygote
gone.
"""

from __future__ import annotations

import array
import collections
import contextlib
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import re
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

from . import confine, zygote
from .multiplex import CHUNK, CONTROL, Ended, Link, Stream, Violation

CHANNEL_WINDOW, OUTPUT_WINDOW = 1 << 20, 1 << 16  # bytes of a stream that the other side takes ahead
REPLY = 4096  # bytes of a reply from inside, at most
SAID = 4096  # bytes of the command's standard error that are kept
END_SECONDS, START_SECONDS = 3, 60  # for the command to end by itself: when it runs, and when it may still be starting
KILL_SECONDS = 60  # for the engine to remove a container
UNTRUSTED = ("relay", "multiplex", "zygote", "worker", "wire", "facts", "confine", "errors")  # what runs inside


def digest() -> str:
    """Names the code that runs inside: both sides must have the same."""
    total = hashlib.sha256()
    for name in UNTRUSTED:
        total.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return total.hexdigest()


# -- what both sides have ----------------------------------------------------------------------------------------------


class Side:
    """One side's poll loop: the link, the streams, and a control socket."""

    def __init__(self, link: Link, control: socket.socket):
        self.link, self.control = link, control
        self.streams: dict[int, Stream] = {}
        self.messages: collections.deque[bytes] = collections.deque()  # for the control socket
        control.setblocking(False)

    def add(self, number: int, channel: int, output: int, *, reads_output: bool) -> None:
        """Begin to pump a worker's channel and output."""
        place = 2 * number
        reads, writes = reads_output, not reads_output
        printed = Stream(self.link, place + 1, output, OUTPUT_WINDOW, reads=reads, writes=writes)
        said = Stream(self.link, place, channel, CHANNEL_WINDOW, reads=True, writes=True, output=printed)
        self.streams |= {printed.number: printed, said.number: said}

    def interests(self) -> dict[int, int]:
        """What to poll each descriptor for."""
        found = {self.control.fileno(): select.POLLIN if self.link.has_room() else 0}
        if self.messages:
            found[self.control.fileno()] |= select.POLLOUT
        found |= {stream.descriptor: events for stream in self.streams.values() if (events := stream.events())}
        found[self.link.read] = select.POLLIN
        if self.link.unsent:
            found[self.link.write] = found.get(self.link.write, 0) | select.POLLOUT
        return found

    def turn(self) -> None:
        """Wait until something can be done, and do all of it once.

        Raises:
            Violation: the other side broke the protocol.
            Ended: the other side, or who is served, has gone.
        """
        poll = select.poll()
        for descriptor, events in self.interests().items():
            poll.register(descriptor, events)
        self.act(dict(poll.poll()))

    def act(self, ready: dict[int, int]) -> None:
        """Do once what can be done with each descriptor that is ready."""
        hung_up = select.POLLHUP | select.POLLERR
        for stream in list(self.streams.values()):
            events = 0 if stream.closed else ready.get(stream.descriptor, 0)
            if events & (select.POLLOUT | hung_up) and (stream.waiting or stream.closed_there):
                stream.write()
            if events & (select.POLLIN | hung_up) and stream.may_send and not stream.closed:
                stream.read()
            self.forget(stream)
        if ready.get(self.link.read, 0):
            for kind, number, payload in self.link.frames():
                self.take(kind, number, payload)
        if (events := ready.get(self.control.fileno(), 0)) & (select.POLLIN | hung_up):
            if not events & select.POLLIN:
                raise Ended("who is served has gone")
            self.from_control()
        self.send_messages()
        if self.link.unsent:
            self.link.flush()

    def take(self, kind: int, number: int, payload: bytes) -> None:
        """Act on a frame."""
        if kind == CONTROL:
            self.controlled(number, payload)
            return
        stream = self.streams.get(number)
        if stream is None:
            raise Violation(f"a frame for the stream {number}, which is not there")
        stream.take(kind, payload)
        self.forget(stream)

    def forget(self, stream: Stream) -> None:
        """Drop a stream that both sides have closed."""
        if stream.closed and stream.closed_there:
            self.streams.pop(stream.number, None)

    def send_messages(self) -> None:
        """Send what waits for the control socket, as far as it can be taken."""
        try:
            while self.messages:
                self.send_message(self.messages[0])
                self.messages.popleft()
        except BlockingIOError:
            return
        except OSError as error:
            raise Ended("who is served has gone") from error

    def send_message(self, message: bytes) -> None:
        """Send one message on the control socket."""
        self.control.send(message)

    def controlled(self, number: int, payload: bytes) -> None:
        """Act on a CONTROL frame."""
        raise NotImplementedError

    def from_control(self) -> None:
        """Receive from the control socket."""
        raise NotImplementedError


# -- outside -----------------------------------------------------------------------------------------------------------


class Outside(Side):
    """Serves the grader in a zygote's stead; what comes over the link is untrusted."""

    def __init__(self, link: Link, control: socket.socket, errors: int):
        super().__init__(link, control)
        self.ready = False
        self.asked: dict[int, tuple[str, int]] = {}  # by our number: the operation, and the grader's number
        self.count = 0
        self.errors: int | None = errors
        self.said = bytearray()
        os.set_blocking(errors, False)

    def interests(self) -> dict[int, int]:
        """What both sides look at, and the command's standard error."""
        own = {} if self.errors is None else {self.errors: select.POLLIN}
        return super().interests() | own

    def act(self, ready: dict[int, int]) -> None:
        """Read errors first: they say why the rest has ended."""
        if self.errors in ready:
            self.read_errors()
        super().act(ready)

    def read_errors(self) -> None:
        """Keep the last part of what the command has to say."""
        if self.errors is None:
            return
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.errors, CHUNK)
            if not data:
                self.errors = None
            self.said += data
            del self.said[:-SAID]

    def from_control(self) -> None:
        """Send the grader's request on; a fork's descriptors stay here."""
        try:
            message, ancillary, _, _ = self.control.recvmsg(CHUNK, socket.CMSG_SPACE(64))
        except ConnectionError:  # it left unread what we had sent
            message = b""
        if not message:
            raise Ended("the grader has gone")
        request = json.loads(message)
        self.count += 1
        self.asked[self.count] = request["op"], request["number"]
        if request["op"] == "fork":
            channel, output = zygote.descriptors_of(ancillary)
            self.add(self.count, channel, output, reads_output=False)
        self.link.put(CONTROL, self.count, json.dumps({**request, "number": self.count}).encode())

    def controlled(self, number: int, payload: bytes) -> None:
        """Check a reply, and pass on what it must hold."""
        try:
            fields = json.loads(payload) if len(payload) <= REPLY else None
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise Violation("a reply that is no object")
        if number == 0 and not self.ready:
            self.ready = True
            self.reply("ready", checked_start(fields))
            return
        if number not in self.asked:
            raise Violation("a reply to nothing that was asked")
        operation, theirs = self.asked.pop(number)
        self.reply(theirs, {"fork": checked_fork, "end": checked_end}[operation](fields))

    def reply(self, number: int | str, fields: dict[str, Any]) -> None:
        """Queue a reply to the grader."""
        self.messages.append(json.dumps({"number": number, **fields}).encode())


def checked_start(fields: dict[str, Any]) -> dict[str, Any]:
    """What the inside says when its zygote is ready; another engine's is refused."""
    if fields.get("engine") != digest():
        return {"refused": "the image holds another version of the autograder; make it anew: autograder bundle docker"}
    tasks, container, versions = fields.get("tasks"), fields.get("container"), fields.get("versions")
    if (
        not (tasks is None or _whole(tasks, 1 << 22))
        or not isinstance(container, str)
        or not isinstance(versions, dict)
    ):
        raise Violation("a start that is malformed")
    if not all(isinstance(text, str) and re.fullmatch(r"[\w.+-]{1,40}", text) for text in versions.values()):
        raise Violation("a start with malformed versions")
    named = {name: versions[name] for name in ("python", "torch", "numpy") if name in versions}
    return {"tasks": tasks, "container": printable(container), "versions": named}


def checked_fork(fields: dict[str, Any]) -> dict[str, Any]:
    """A new worker's process number, inside."""
    if not _whole(fields.get("pid"), 1 << 22):
        raise Violation("a worker without a process number")
    return {"pid": fields["pid"]}


def checked_end(fields: dict[str, Any]) -> dict[str, Any]:
    """How a worker has ended."""
    status, seconds, killed = fields.get("status"), fields.get("cpu_seconds"), fields.get("killed")
    if not isinstance(status, int) or not 0 <= status < 1 << 16 or status & 0x7F >= signal.NSIG:
        raise Violation("an end without a status")
    if not isinstance(killed, bool):
        raise Violation("an end that is malformed")
    if not isinstance(seconds, float) or not (math.isfinite(seconds) and seconds >= 0):
        raise Violation("an end without a time")
    return {"status": int(status), "cpu_seconds": seconds, "killed": killed}


def _whole(value: object, below: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < below


def printable(text: str) -> str:
    """A text from inside that can be shown: one line, no control characters, cut."""
    return "".join(character if character.isprintable() else " " for character in text)[:300].strip()


def outside(control: socket.socket, name: str, command: list[str]) -> None:
    """Start the command, serve the grader until either ends, and leave no container behind.

    Args:
        control: the grader's.
        name: the container's; empty if the command starts none.
        command: has the inside at its standard input and output.
    """
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe)
    except OSError as error:
        _refuse(control, f"{command[0]} cannot be run: {error.strerror}")
        return
    assert process.stdin and process.stdout and process.stderr
    link = Link(process.stdout.fileno(), process.stdin.fileno())
    side = Outside(link, control, process.stderr.fileno())
    broken = ""
    try:
        while True:
            side.turn()
    except Violation as error:
        broken = f"it broke the protocol: {error}"
    except Ended:
        pass
    for stream in side.streams.values():
        stream.close()
    process.stdin.close()
    process.stdout.close()
    if side.ready:
        control.close()
    _end(process, name, command[0], END_SECONDS if side.ready else START_SECONDS, at_once=bool(broken))
    side.read_errors()
    said = printable(side.said.decode("utf-8", "replace").strip().rpartition("\n")[2])
    if not side.ready:
        _refuse(control, f"the container did not start: {broken or said or 'it ended at once'}")
    elif broken:
        print(f"a container was ended: {broken}", file=sys.stderr)


def _refuse(control: socket.socket, reason: str) -> None:
    """Tell the grader, if it is still there, why there will be no zygote."""
    with contextlib.suppress(OSError):
        control.setblocking(True)
        control.send(json.dumps({"number": "ready", "refused": reason}).encode())


def _end(process: subprocess.Popen[bytes], name: str, engine: str, seconds: float, *, at_once: bool) -> None:
    """Wait for the command to end, now that its standard input has; then remove by name what is left.

    A container that is still being made is waited for: it could not be found by its name yet.
    """
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.1 if at_once else seconds)
    if process.poll() is None or process.returncode != 0:
        if name:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                removing = [engine, "rm", "--force", name]
                subprocess.run(removing, stdin=subprocess.DEVNULL, capture_output=True, timeout=KILL_SECONDS)
        process.kill()
        process.wait()


# -- inside ------------------------------------------------------------------------------------------------------------


class Inside(Side):
    """Serves the other side with a zygote's workers."""

    def __init__(self, link: Link, control: socket.socket, container: str):
        super().__init__(link, control)
        self.container = container
        self.workers: dict[int, int] = {}  # by process number, the number of the request that it was forked by
        self.ending: dict[int, int] = {}  # by the number of the request, the process number

    def controlled(self, number: int, payload: bytes) -> None:
        """Queue a request for the zygote."""
        request = json.loads(payload)
        if request["op"] == "end":
            self.ending[number] = request["pid"]
        self.messages.append(payload)

    def send_message(self, message: bytes) -> None:
        """Send a request; a fork's takes a channel and an output along, of which our ends are pumped from now on."""
        request = json.loads(message)
        if request["op"] != "fork":
            self.control.send(message)
            return
        ours, theirs = socket.socketpair()
        read, write = os.pipe()
        try:
            descriptors = array.array("i", [theirs.fileno(), write])
            self.control.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        except OSError:
            ours.close()
            os.close(read)
            raise
        finally:
            theirs.close()
            os.close(write)
        self.add(request["number"], ours.detach(), read, reads_output=True)

    def from_control(self) -> None:
        """Pass a reply of the zygote's on; when a worker has ended, after all that it printed."""
        try:
            message = self.control.recv(CHUNK)
        except ConnectionError:
            message = b""
        if not message:
            raise Ended("the zygote has ended")
        reply = json.loads(message)
        number = reply.pop("number")
        if number == "ready":
            number = 0
            reply |= {"engine": digest(), "container": self.container, "versions": _versions()}
        elif "pid" in reply:
            self.workers[reply["pid"]] = number
        elif number in self.ending:
            output = self.streams.get(2 * self.workers.pop(self.ending.pop(number), -1) + 1)
            if output is not None:
                output.finish()
                self.forget(output)
        self.link.put(CONTROL, number, json.dumps(reply).encode())


def _versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in ("torch", "numpy")}
    return {"python": platform.python_version(), **found}


def inside(settings: dict[str, Any]) -> NoReturn:
    """Start a zygote and serve until either side ends; to the workers' probes, this process is the grader."""
    confine.undumpable()
    link = Link(os.dup(0), os.dup(1))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)  # nothing that prints, or reads, may meddle with the stream
    os.dup2(2, 1)
    container = confine.probe_container() if "container" in settings["layers"] else "not asked for"
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    told = json.dumps({**settings, "grader": os.getpid()})
    zygote.start(theirs, ["--zygote", str(theirs.fileno()), told])
    theirs.close()
    side = Inside(link, control, container)
    with contextlib.suppress(Violation, Ended, ConnectionError):
        while True:
            side.turn()
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Be one of the two sides."""
    if arguments[0] == "--inside":
        inside(json.loads(arguments[1]))
    else:
        outside(socket.socket(fileno=int(arguments[1])), arguments[2], arguments[3:])


if __name__ == "__main__":
    main(sys.argv[1:])
