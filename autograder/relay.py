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
import fcntl
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
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from . import confine, zygote

HEADER = struct.Struct("<BII")  # kind, number, length
# CONTROL carries a request or its reply as JSON, under the request's number; the others belong to one stream of bytes.
CONTROL, DATA, CREDIT, CLOSED = range(1, 5)
CHUNK = 1 << 16  # bytes of a frame's payload, at most
ROOM = 4 * CHUNK  # bytes that wait to be sent to the other side, beyond which nothing more is read for it
CHANNEL_WINDOW, OUTPUT_WINDOW = 1 << 20, 1 << 16  # bytes of a stream that the other side takes ahead
REPLY = 4096  # bytes of a reply from inside, at most
SAID = 4096  # bytes of the command's standard error that are kept
END_SECONDS, START_SECONDS = 3, 60  # for the command to end by itself: when it runs, and when it may still be starting
KILL_SECONDS = 60  # for the engine to remove a container
UNTRUSTED = ("relay", "zygote", "worker", "wire", "facts", "confine", "errors")  # what runs inside


class Violation(Exception):
    """The other side broke the protocol."""


class Ended(Exception):
    """The other side, or who is served, has gone; there is nobody to tell."""


def digest() -> str:
    """Names the code that runs inside: both sides must have the same."""
    total = hashlib.sha256()
    for name in UNTRUSTED:
        total.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return total.hexdigest()


# -- what both sides have ----------------------------------------------------------------------------------------------


class Link:
    """The stream between the two sides: frames in, frames out."""

    def __init__(self, read: int, write: int):
        self.read, self.write = read, write
        self.received, self.unsent = bytearray(), bytearray()
        os.set_blocking(read, False)
        os.set_blocking(write, False)

    def has_room(self) -> bool:
        """Whether more may be read that is to be sent on."""
        return len(self.unsent) < ROOM

    def put(self, kind: int, number: int, payload: bytes = b"") -> None:
        """Queue a frame."""
        self.unsent += HEADER.pack(kind, number, len(payload)) + payload

    def flush(self) -> None:
        """Send what can be sent now.

        Raises:
            Ended: the other side has gone.
        """
        try:
            with memoryview(self.unsent) as view:
                count = os.write(self.write, view)
            del self.unsent[:count]
        except BlockingIOError:
            return
        except OSError as error:
            raise Ended("the stream is closed") from error

    def frames(self) -> Iterator[tuple[int, int, bytes]]:
        """Read once, and yield the frames that are whole.

        Raises:
            Violation: a frame is of an unknown kind, or too long.
            Ended: the other side has gone.
        """
        try:
            data = os.read(self.read, CHUNK)
        except BlockingIOError:
            return
        except OSError as error:
            raise Ended("the stream is closed") from error
        if not data:
            raise Ended("the stream has ended")
        self.received += data
        while len(self.received) >= HEADER.size:
            kind, number, length = HEADER.unpack_from(self.received)
            if not CONTROL <= kind <= CLOSED or length > CHUNK:
                raise Violation(f"a frame of kind {kind} with {length} bytes")
            if len(self.received) < HEADER.size + length:
                return
            payload = bytes(self.received[HEADER.size : HEADER.size + length])
            del self.received[: HEADER.size + length]
            yield kind, number, payload


class Stream:
    """One side's end of a worker's channel or output: pumps between descriptor and link, each way within a window.

    What a worker printed before it said something arrives before that does: a channel waits for its output.

    Args:
        link: to the other side.
        number: the same at both sides.
        descriptor: closed at the end.
        window: how many bytes may be on their way, or wait at the other side.
        reads: whether the descriptor is read from.
        writes: whether it is written to.
        output: what this stream waits for.
    """

    def __init__(
        self,
        link: Link,
        number: int,
        descriptor: int,
        window: int,
        *,
        reads: bool,
        writes: bool,
        output: Stream | None = None,
    ):
        self.link, self.number, self.descriptor, self.window, self.output = link, number, descriptor, window, output
        self.most = self.may_send = window if reads else 0
        self.may_receive = window if writes else 0
        self.waiting = bytearray()  # to be written
        self.written = 0  # since the other side was last told
        self.passed = 0  # bytes in all, whichever way
        self.until: int | None = None  # so many must the output have passed on first
        self.closed, self.closed_there = False, False
        os.set_blocking(descriptor, False)

    def events(self) -> int:
        """What to poll the descriptor for."""
        if self.closed:
            return 0
        reading = self.may_send and self.link.has_room() and not self.held(reading=True)
        writing = (self.waiting or self.closed_there) and not self.held(reading=False)
        return (select.POLLIN if reading else 0) | (select.POLLOUT if writing else 0)

    def due(self) -> int:
        """How many bytes an output will have passed on when what is there now has been."""
        there = array.array("i", [0])
        if self.most and not self.closed:
            fcntl.ioctl(self.descriptor, termios.FIONREAD, there)
        return self.passed + len(self.waiting) + there[0]

    def hold(self, *, reading: bool) -> None:
        """Wait for the output that there is now, unless this waits already: inside to read, outside to write."""
        if self.output is not None and bool(self.output.most) == reading and self.until is None:
            self.until = self.output.due()

    def held(self, *, reading: bool) -> bool:
        """Whether output that came before must be passed on first."""
        if self.output is None or bool(self.output.most) != reading or self.until is None:
            return False
        return self.output.passed < self.until

    def read(self) -> None:
        """Read once, and send that to the other side."""
        self.hold(reading=True)
        if self.held(reading=True):
            return
        if self.output is not None and self.output.most:
            self.until = None
        try:
            data = os.read(self.descriptor, min(CHUNK, self.may_send))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self.may_send -= len(data)
            self.passed += len(data)
            self.link.put(DATA, self.number, data)
        else:
            self.close()

    def write(self) -> None:
        """Write what can be written now; close if that was all that there will be."""
        if self.held(reading=False):
            return
        try:
            while self.waiting:
                with memoryview(self.waiting) as view, view[:CHUNK] as part:
                    count = os.write(self.descriptor, part)
                del self.waiting[:count]
                self.written += count
                self.passed += count
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if not self.waiting:
            if self.output is not None and not self.output.most:
                self.until = None
            if self.closed_there:
                self.close()
                return
        if self.written >= self.window // 2:
            self.link.put(CREDIT, self.number, self.written.to_bytes(4, "little"))
            self.may_receive += self.written
            self.written = 0

    def close(self) -> None:
        """Close the descriptor, and say so to the other side."""
        if not self.closed:
            self.closed = True
            self.waiting.clear()
            self.passed = sys.maxsize  # nothing waits for it any more
            os.close(self.descriptor)
            self.link.put(CLOSED, self.number)

    def finish(self) -> None:
        """Close after what can be read without waiting; what wrote has ended."""
        before = -1
        while not self.closed and self.may_send and before != self.passed:
            before = self.passed
            self.read()
        self.close()

    def take(self, kind: int, payload: bytes) -> None:
        """Act on a frame from the other side.

        Raises:
            Violation: more than was allowed, or anything after the last.
        """
        if self.closed_there:
            raise Violation("a frame for a stream that was closed")
        if kind == CREDIT:
            self.may_send += int.from_bytes(payload, "little") if len(payload) == 4 else self.most + 1
            if self.may_send > self.most:
                raise Violation("credit for what was not sent")
            return
        if len(payload) > self.may_receive:
            raise Violation("more data than was asked for")
        self.may_receive -= len(payload)
        self.closed_there = kind == CLOSED
        if not self.closed:  # else it crossed with the news of that
            self.hold(reading=False)
            self.waiting += payload
            self.write()


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
        self.requests: collections.deque[tuple[int, dict[str, Any]]] = collections.deque()
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
