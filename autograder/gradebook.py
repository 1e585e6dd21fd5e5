"""The gradebook: one SQLite file with every submission, its result, and what that result depended on.

One process writes it. Each result is a transaction of its own: whatever ends the run, what was finished is kept.
Results and submissions are JSON, compressed; nothing that is read back is run.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from .attempts import Handed
from .errors import ConfigError
from .results import SubmissionResult, submission_result_from_json, to_json
from .submissions import Submission, submission_from_json, submission_json

FILE = "gradebook.sqlite"
APPLICATION = 0x746F6772  # of PRAGMA application_id: "togr"
MAX_BLOB = 64 << 20  # bytes of a result or a submission, unpacked
BUSY_SECONDS = 30

metadata = sa.MetaData()
runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("started", sa.Text, nullable=False),  # times are ISO 8601, UTC
    sa.Column("finished", sa.Text),  # empty for one that was interrupted
    sa.Column("homework", sa.Text, nullable=False),  # digests, as of `fingerprint`
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("versions", sa.JSON, nullable=False),
    sa.Column("isolation", sa.JSON, nullable=False),
    sa.Column("limits", sa.JSON, nullable=False),
    sa.Column("checks", sa.JSON, nullable=False),  # by check, the digest of what its verdict depends on
)
submissions = sa.Table(
    "submissions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("student", sa.Text, nullable=False),
    sa.Column("identity", sa.Text, nullable=False, index=True),  # the same for all attempts
    sa.Column("members", sa.JSON, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("submitted", sa.Text, nullable=False),
    sa.Column("late", sa.Boolean),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("counts", sa.Boolean, nullable=False),  # of a student's attempts, the one that counts
)
contents = sa.Table(
    "contents",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
)
results = sa.Table(
    "results",
    metadata,
    sa.Column("name", sa.Text, sa.ForeignKey("submissions.name"), primary_key=True),
    sa.Column("run", sa.Integer, sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("graded", sa.Text, nullable=False),
    sa.Column("submission", sa.Text, sa.ForeignKey("contents.digest"), nullable=False, index=True),
    sa.Column("homework", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("torch", sa.Text, nullable=False),
    sa.Column("processor", sa.Text, nullable=False),
    sa.Column("isolation", sa.Text, nullable=False),  # the mode, and the layers that were in force
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("score", sa.Float),  # empty if withheld
    sa.Column("max_score", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("outcomes", sa.JSON, nullable=False),  # how many checks ended how
    sa.Column("data", sa.LargeBinary, nullable=False),
)


def _create(connection: sa.Connection) -> None:
    metadata.create_all(connection)


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (_create,)  # the nth makes version n of version n - 1


@dataclass(frozen=True)
class Run:
    """One call of the grader, as far as its verdicts depend on it."""

    homework: str
    engine: str
    title: str
    versions: Mapping[str, str]
    isolation: Mapping[str, Any]
    limits: Mapping[str, float]
    checks: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Row:
    """A result as it is kept, with what it depended on."""

    name: str
    run: Run
    graded: str
    submission: str
    processor: str
    seed: int
    result: SubmissionResult


class Gradebook:
    """The gradebook of a folder, open for one process at a time.

    Args:
        folder: where it lies.
        write: make it if it is missing, bring it up to date, and keep others from writing; else it must be there.

    Raises:
        ConfigError: it cannot be opened: no gradebook, one of a newer version, in use, or the disk is full.
    """

    def __init__(self, folder: Path, *, write: bool = True):
        self.path, self.write = folder / FILE, write
        self.runs: dict[int, Run] = {}
        self.stack = contextlib.ExitStack()
        with self._told():
            if write:
                self.stack.enter_context(_locked(folder))
                _make_private(self.path)
            elif not self.path.is_file():
                raise ConfigError(f"{folder} has no {FILE}: name the folder that `autograder grade -o` wrote to")
            self.engine = sa.create_engine("sqlite+pysqlite://", creator=self._connect, poolclass=sa.pool.StaticPool)
            self.stack.callback(self.engine.dispose)
            try:
                self.connection = self.stack.enter_context(self.engine.connect())
                self._migrate()
            except BaseException:
                self.stack.close()
                raise

    def _connect(self) -> Any:
        import sqlite3

        mode = "rw" if self.write else "ro"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        if self.write:
            connection.execute("PRAGMA journal_mode=WAL")  # readers do not wait; some disks cannot
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
        return connection

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self.stack.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Say in one line what is wrong with the file."""
        try:
            yield
        except sa.exc.DatabaseError as error:
            raise ConfigError(f"{self.path}: {error.orig}") from error
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be used: {error.strerror}") from error

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """All of what is written inside, or nothing."""
        with self._told():
            self.connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.exec_driver_sql("COMMIT")
                self.connection.commit()
            except BaseException:
                # A full disk has rolled back by itself; a signal in the middle has SQLAlchemy give up the connection.
                with contextlib.suppress(sa.exc.SQLAlchemyError):
                    self.connection.exec_driver_sql("ROLLBACK")
                    self.connection.rollback()
                raise

    # -- versions --------------------------------------------------------------------------------------------------

    def _migrate(self) -> None:
        """Bring an older file up to date, in one transaction a version.

        Raises:
            ConfigError: it is newer than this engine, or not a gradebook.
        """
        version = self._pragma("user_version")
        if version > len(MIGRATIONS):
            raise ConfigError(
                f"{self.path} has version {version}, and this autograder knows {len(MIGRATIONS)}: use a newer one"
            )
        if self._pragma("application_id") != APPLICATION and self._tables():
            raise ConfigError(f"{self.path} is not a gradebook: move it away, or choose another folder")
        if version < len(MIGRATIONS) and not self.write:
            raise ConfigError(f"{self.path} has version {version}: `autograder grade` brings it up to date")
        for number, migration in enumerate(MIGRATIONS[version:], version + 1):
            with self._transaction() as connection:
                migration(connection)
                connection.exec_driver_sql(f"PRAGMA user_version={number}")
                connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION}")

    def _pragma(self, name: str) -> int:
        return int(self.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    def _tables(self) -> bool:
        return bool(self.connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one())

    # -- writing ---------------------------------------------------------------------------------------------------

    def start(self, run: Run) -> int:
        """Note that a run begins; returns its number."""
        with self._transaction() as connection:
            values = {**vars(run), "started": now()}
            number = connection.execute(runs.insert().values(values)).inserted_primary_key[0]  # type: ignore[index]
        self.runs[number] = run
        return int(number)

    def finish(self, run: int) -> None:
        """Note that a run has come to its end."""
        with self._transaction() as connection:
            connection.execute(runs.update().where(runs.c.id == run).values(finished=now()))

    def hand_in(self, handed: Sequence[Handed], chosen: Collection[str]) -> None:
        """Note who handed in what, and which attempts, by their names, count."""
        rows = [{**_said(entry), "members": list(entry.members), "counts": entry.name in chosen} for entry in handed]
        with self._transaction() as connection:
            for row in rows:
                connection.execute(insert(submissions).values(row).on_conflict_do_update(["name"], set_=row))

    def keep(
        self, run: int, name: str, digest: str, submission: Submission, result: SubmissionResult, seed: int
    ) -> None:
        """Keep a result in place of an older one, with the submission itself: both, or neither."""
        of = self.runs[run]
        row = {
            "name": name,
            "run": run,
            "graded": now(),
            "submission": digest,
            "homework": of.homework,
            "engine": of.engine,
            "torch": result.versions.get("torch", ""),
            "processor": processor(),
            "isolation": isolation_text(result.isolation),
            "seed": seed,
            "score": result.score,
            "max_score": result.max_score,
            "seconds": result.seconds,
            "outcomes": result.counts(),
            "data": _packed(to_json(result)),
        }
        content = {"digest": digest, "data": _packed(submission_json(submission))}
        with self._transaction() as connection:
            connection.execute(insert(contents).values(content).on_conflict_do_nothing())
            connection.execute(insert(results).values(row).on_conflict_do_update(["name"], set_=row))

    # -- reading ---------------------------------------------------------------------------------------------------

    def names(self, *, counting: bool = False) -> list[str]:
        """The submissions that have a result, in order; only those that count, if asked."""
        query = sa.select(results.c.name).join(submissions).order_by(results.c.name)
        query = query.where(submissions.c.counts) if counting else query
        with self._told():
            return list(self.connection.execute(query).scalars())

    def row(self, name: str) -> Row | None:
        """The result of a submission."""
        return self._row(results.c.name == name)

    def row_of(self, digest: str) -> Row | None:
        """A result of whatever has this content."""
        return self._row(results.c.submission == digest)

    def _row(self, where: sa.ColumnElement[bool]) -> Row | None:
        with self._told():
            found = self.connection.execute(sa.select(results).where(where).limit(1)).mappings().first()
        if found is None:
            return None
        result = submission_result_from_json(_unpacked(found["data"], self.path))
        run = self.run(found["run"])
        return Row(found["name"], run, found["graded"], found["submission"], found["processor"], found["seed"], result)

    def run(self, number: int) -> Run:
        """A run, by its number."""
        if number not in self.runs:
            with self._told():
                found = self.connection.execute(sa.select(runs).where(runs.c.id == number)).mappings().one()
            fields = ("homework", "engine", "title", "versions", "isolation", "limits", "checks")
            self.runs[number] = Run(**{name: found[name] for name in fields})
        return self.runs[number]

    def handed(self) -> list[Handed]:
        """Who handed in what, in the order of names."""
        columns = [column for column in submissions.c if column.name != "counts"]
        with self._told():
            rows = self.connection.execute(sa.select(*columns).order_by(submissions.c.name)).mappings()
            return [Handed(**{**row, "members": tuple(row["members"])}) for row in rows]

    def submission(self, digest: str, name: str) -> Submission:
        """What was graded, by its digest.

        Raises:
            ConfigError: it is not there.
        """
        with self._told():
            query = sa.select(contents.c.data).where(contents.c.digest == digest)
            data = self.connection.execute(query).scalar_one_or_none()
        if data is None:
            raise ConfigError(f"{self.path} does not have the files of {name}")
        return submission_from_json(name, _unpacked(data, self.path))


def _said(entry: Handed) -> dict[str, Any]:
    """What is kept of who handed in what."""
    return {column.name: getattr(entry, column.name) for column in submissions.c if column.name != "counts"}


def now() -> str:
    """The time, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def isolation_text(isolation: Mapping[str, Any]) -> str:
    """A mode and its layers, on a line."""
    return f"{isolation.get('mode', '')}: {', '.join(isolation.get('layers', ()))}"


def processor() -> str:
    """The processor's model, where the system tells it."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return os.uname().machine


# -- files -------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other processes from writing to a folder, for as long as this one lives.

    Raises:
        ConfigError: another does.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            os.close(descriptor)
            raise ConfigError(
                f"another `autograder grade` writes to {folder}: wait for it, or choose another"
            ) from error
        # a network's file system without locks: go on without
    try:
        yield
    finally:
        os.close(descriptor)


def _make_private(path: Path) -> None:
    """Make the file if it is missing; only its owner may read it. SQLite gives its other files the same mode."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigError(f"{path} is not a file")
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


# -- data --------------------------------------------------------------------------------------------------------------


def _packed(value: Any) -> bytes:
    return zlib.compress(json.dumps(value, ensure_ascii=True).encode(), 6)


def _unpacked(data: bytes, path: Path) -> Any:
    """Read back what `_packed` made.

    Raises:
        ConfigError: somebody else wrote it, or it is damaged.
    """
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, MAX_BLOB)
        if not unpacker.eof:
            raise ValueError("too large")
        return json.loads(text)
    except (zlib.error, ValueError) as error:
        raise ConfigError(f"{path} is damaged: {error}; grade again with another folder") from error
