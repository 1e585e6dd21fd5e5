"""Many streams over one, each way within a window: what `relay` speaks through a container's standard input and output.

Nobody who is slow, or floods, takes memory or hinders another stream: no side sends more of a stream than the other has
said that it takes. Who does all the same has broken the protocol.
"""

from __future__ import annotations

import array
import fcntl
import os
import select
import struct
import sys
import termios
from collections.abc import Iterator

HEADER = struct.Struct("<BII")  # kind, number, length
# CONTROL carries a request or its reply as JSON, under the request's number; the others belong to one stream of bytes.
CONTROL, DATA, CREDIT, CLOSED = range(1, 5)
CHUNK = 1 << 16  # bytes of a frame's payload, at most
ROOM = 4 * CHUNK  # bytes that wait to be sent to the other side, beyond which nothing more is read for it


class Violation(Exception):
    """The other side broke the protocol."""


class Ended(Exception):
    """The other side, or who is served, has gone; there is nobody to tell."""


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
