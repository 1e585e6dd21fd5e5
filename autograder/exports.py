"""Whole classes: what Gradescope, Canvas or Moodle exported, or a folder of submissions. Who handed in what, and when.

The paths of a command become a list of attempts, each with its student; what one holds is read later, one at a time.
Nothing is dropped: an attempt that is empty, missing or cannot be read is in the list, and says so when it is read.
"""

from __future__ import annotations

import contextlib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from . import metadata
from .config import Homework
from .errors import ConfigError, SubmissionError
from .folders import (
    EXPORT,
    Folder,
    Reader,
    Unreadable,
    enter,
    find,
    is_junk,
    list_export,
    list_folder,
    list_nested_zip,
    read_file,
    shown,
)
from .submissions import Submission, choose, open_path, read_submission, safe, safe_name

CHOICES = ("latest", "best", "active", "all")
METADATA = "submission_metadata.yml"
_LEVELS = 3  # folders in folders above an export
_TAKEN = "gradebook.sqlite"  # lies beside the folders of results


@dataclass(frozen=True)
class Place:
    """Where an attempt lies. Nothing of it is open.

    Attributes:
        root: the folder or the zip of a class; or the submission itself.
        main: the way from there to a folder or a zip; empty for the root itself, None if there is none.
        loose: single files beside it: the way to each, and the student's own name for it.
    """

    root: Path
    main: str | None = ""
    loose: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Handed:
    """One attempt of one student or group.

    Attributes:
        name: unique, and safe as the name of a folder; the same when others hand in later.
        student: who, as the platform writes it; of a group, the first, or the group's name.
        identity: what stays the same over attempts: a number, an address, or the name.
        members: all of a group, the student included; none if alone, or if the export does not say.
        attempt: 1, 2, ... in order of time, or of names.
        submitted: when, in ISO 8601 with a time zone; empty if the export does not say.
        late: None if the export does not say.
        active: whether the platform counts this attempt; where it does not say, the last.
        source: where it lies, for people.
        note: what was odd about it in the export.
        place: where it lies, for reading.
        platform: `gradescope`, `canvas`, `moodle`, or empty.
    """

    name: str
    student: str
    identity: str
    members: tuple[str, ...] = ()
    attempt: int = 1
    submitted: str = ""
    late: bool | None = None
    active: bool = True
    source: str = ""
    note: str = ""
    place: Place = field(default_factory=lambda: Place(Path()))
    platform: str = ""

    def read(self, homework: Homework) -> Submission:
        """Read what was handed in.

        Raises:
            SubmissionError: there is nothing that could be graded; one line.
        """
        if self.place.main == "":
            return read_submission(self.place.root, homework, self.name)
        if self.place.main is None and not self.place.loose:
            raise SubmissionError(f"{shown(self.source)}: {self.note or 'nothing was handed in'}")
        with contextlib.ExitStack() as stack:
            return choose(_open(self.place, homework, stack), homework, self.name, self.source)


def single(name: str, path: Path) -> Handed:
    """Make an attempt of a folder, a zip or a single file."""
    return Handed(name, name, name, source=str(path), place=Place(path))


def handed_in(paths: Sequence[Path], homework: Homework) -> list[Handed]:
    """Find what a command's arguments stand for.

    An argument is a submission, an export of Gradescope, Canvas or Moodle, as a zip or unpacked, or a folder of
    submissions: one without a question file, that holds zips or folders of which at least one looks like a
    submission. Then all its zips and folders are submissions, so that nobody who handed in something odd is
    forgotten; and one that holds several is a student with several attempts.

    Raises:
        ConfigError: an export's own description cannot be read.
    """
    taken = {_TAKEN}
    found: list[Handed] = []
    for path in paths:
        try:
            found += _exported(path, homework, taken) or _plain(path, homework, taken)
        except ConfigError as error:
            if len(paths) == 1:
                raise
            # among others it may be one student's, who cannot be allowed to stop the class
            name = _unique(safe_name(path), taken)
            found.append(replace(single(name, path), note=str(error)))
    return _numbered(found)


def accept(entry: Handed, homework: Homework) -> Submission:
    """Read what was handed in; where that cannot be, it is graded all the same, and every check says why it failed."""
    try:
        submission = entry.read(homework)
    except SubmissionError as error:
        submission = Submission(entry.name, {}, dict.fromkeys(homework.by_file, str(error)), (str(error),))
    return replace(submission, notes=(entry.note, *submission.notes)) if entry.note else submission


def counting(handed: Sequence[Handed], choice: str) -> list[Handed]:
    """Choose the attempts to grade: one of each student for `latest` and `active`, each for `best` and `all`."""
    if choice not in CHOICES:
        raise ConfigError(f"there is no choice {choice!r} of attempts; the choices are {', '.join(CHOICES)}")
    if choice in ("best", "all"):
        return list(handed)
    chosen = set()
    for attempts in _by_student(handed).values():
        active = [attempt for attempt in attempts if attempt.active]
        eligible = active if choice == "active" and active else attempts
        chosen.add(max(eligible, key=lambda attempt: attempt.attempt).name)
    return [attempt for attempt in handed if attempt.name in chosen]


def best(handed: Sequence[Handed], scores: Mapping[str, float | None]) -> set[str]:
    """Find each student's best attempt: of equals the later; a withheld score only if there is no other."""

    def rank(attempt: Handed) -> tuple[bool, float, int]:
        score = scores.get(attempt.name)
        return score is not None, score if score is not None else 0.0, attempt.attempt

    return {max(attempts, key=rank).name for attempts in _by_student(handed).values()}


def duplicates(digests: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Group the names that have the same digest; an empty one, of nothing handed in, is like no other."""
    alike: dict[str, list[str]] = defaultdict(list)
    for name, digest in digests.items():
        if digest:
            alike[digest].append(name)
    return [tuple(names) for names in alike.values() if len(names) > 1]


def look(handed: Sequence[Handed], homework: Homework) -> dict[str, list[str]]:
    """Read all attempts, and tell by name what is odd: nothing that can be read, questions missing, the same files."""
    found: dict[str, list[str]] = {attempt.name: [attempt.note] if attempt.note else [] for attempt in handed}
    digests = {}
    for attempt in handed:
        try:
            submission = attempt.read(homework)
        except SubmissionError as error:
            found[attempt.name] = [str(error)] if attempt.note in str(error) else [attempt.note, str(error)]
        else:
            digests[attempt.name] = submission.digest
            found[attempt.name] += [*_in_short(list(submission.problems.values())), *submission.notes]
    for names in duplicates(digests):
        for name in names:
            others = [other for other in names if other != name]
            found[name].append(f"the same files as {', '.join(_in_short(others, 3))}")
    return found


def _in_short(lines: list[str], most: int = 2) -> list[str]:
    return lines if len(lines) <= most else [*lines[: most - 1], f"and {len(lines) - most + 1} more"]


def _by_student(handed: Iterable[Handed]) -> dict[tuple[str, str], list[Handed]]:
    students: dict[tuple[str, str], list[Handed]] = defaultdict(list)
    for attempt in handed:
        students[attempt.platform, attempt.identity].append(attempt)
    return students


def _numbered(handed: list[Handed]) -> list[Handed]:
    """Number each student's attempts, in order of time where every time is known; the last is the active one."""
    numbered = {}
    for attempts in _by_student(handed).values():
        if all(attempt.submitted for attempt in attempts):
            attempts = sorted(attempts, key=lambda attempt: datetime.fromisoformat(attempt.submitted))
        number = 0
        for attempt in attempts:
            number = max(number + 1, attempt.attempt)
            numbered[attempt.name] = replace(attempt, attempt=number, active=attempt is attempts[-1])
    return [numbered[attempt.name] for attempt in handed]


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(candidate.casefold())
    return candidate


# -- reading -------------------------------------------------------------------------------------------------


def _open(place: Place, homework: Homework, stack: contextlib.ExitStack) -> Folder:
    loose = {own: _reader(place.root, way) for way, own in place.loose}
    if place.main is None:
        return Folder(loose)
    try:
        main = _open_main(place.root, place.main, homework, stack)
    except SubmissionError as error:
        if not loose:
            raise
        return Folder(loose, notes=[str(error)])
    known = {name.lower() for name in main.readers}
    beside = {own: read for own, read in loose.items() if own.lower() not in known}
    twice = [f"{shown(own)} was left out: the zip beside it has one" for own in loose if own not in beside]
    return Folder({**main.readers, **beside}, main.folders, [*main.notes, *twice])


def _open_main(root: Path, way: str, homework: Homework, stack: contextlib.ExitStack) -> Folder:
    if root.is_dir():
        folder = enter(open_path(root / way, homework, stack))
    else:
        found = find(list_export(root), way)
        zipped = not isinstance(found, Folder)
        folder = enter(_nested(found, way, homework, stack) if zipped else found)  # type: ignore[arg-type]
        if zipped:
            return folder
    if not folder.python and len(folder.zips) == 1:
        [name] = folder.zips
        inner = enter(_nested(folder.readers[name], name, homework, stack))
        folder = replace(inner, notes=[*folder.notes, *inner.notes])
    return folder


def _nested(read: Reader, way: str, homework: Homework, stack: contextlib.ExitStack) -> Folder:
    return list_nested_zip(read, way.rpartition("/")[2], homework.by_file, stack)


def _reader(root: Path, way: str) -> Reader:
    if root.is_dir():
        return partial(read_file, root / way)
    found = find(list_export(root), way)
    return _no_file if isinstance(found, Folder) else found


def _no_file(most: int) -> bytes:
    raise Unreadable("is a folder, where a file should be")


# -- exports -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Export:
    """A folder that may be a platform's export: its root, the way down to it, and what lies in it."""

    root: Path
    way: str
    folder: Folder
    taken: set[str]

    @property
    def names(self) -> list[str]:
        return sorted([*self.folder.readers, *self.folder.folders], key=_natural)

    def source(self, way: str) -> str:
        return str(self.root / way) if self.root.is_dir() else f"{self.root}: {way}"


def _exported(path: Path, homework: Homework, taken: set[str]) -> list[Handed]:
    """What an export holds; nothing if it is none. A folder with question files is somebody's submission."""
    try:
        root, way = path.resolve(strict=True), ""
        if not root.is_dir() and root.suffix.lower() != ".zip":
            return []
        folder = list_folder(root, homework.by_file, EXPORT) if root.is_dir() else list_export(root)
    except (SubmissionError, OSError, RuntimeError, ValueError):
        return []
    for _ in range(_LEVELS):
        if any(name.lower() in homework.by_file for name in folder.python):
            return []
        export = _Export(root, way, folder, taken)
        for read in (_gradescope, _canvas, _moodle):
            if found := read(export):
                return found
        if folder.python or len(folder.folders) != 1:
            return []
        [(name, down)] = folder.folders.items()
        way = f"{way}{name}/"
        folder = list_folder(root / way, homework.by_file, EXPORT) if root.is_dir() else down()
    return []


def _gradescope(export: _Export) -> list[Handed]:
    """Gradescope's export: a folder a submission, and a description of all; only attempts that count are in it.

    A group's submission is listed once, with all its members. The history has the attempts that were superseded;
    their files are not exported. Whether an attempt was late is not said.

    Source:
        `assignment_<number>_export/submission_metadata.yml` as read by public course tools: a mapping from
        `submission_<number>` to `:submitters:` (each with `:name:`, `:sid:`, `:email:`), `:created_at:`, `:score:`,
        `:status:`, `:results:`, and `:history:` (each with `:id:`, `:created_at:`, `:score:`, `:results:`).
    """
    if METADATA not in export.folder.readers:
        return []
    try:
        entries = metadata.read(export.folder.readers[METADATA](metadata.MAX_SIZE))
    except (Unreadable, ValueError) as error:
        raise ConfigError(f"{export.source(export.way + METADATA)} {error}") from error
    unlisted = [name for name in export.names if re.fullmatch(r"submission_\d+", name) and name not in entries]
    shared = _shared(entries)
    found = [_gradescope_entry(export, key, entries[key], shared[key]) for key in sorted(entries, key=_natural)]
    for name in unlisted:
        place, source = Place(export.root, export.way + name), export.source(export.way + name)
        unique = _unique(safe(name), export.taken)
        note = f"not listed in {METADATA}"
        found.append(Handed(unique, name, name, source=source, note=note, place=place, platform="gradescope"))
    return found


def _gradescope_entry(export: _Export, key: str, entry: metadata.Entry, shared: list[str]) -> Handed:
    notes = [*entry.notes, *shared]
    if entry.earlier:
        notes.append(f"{entry.earlier} earlier attempts are not in the export")
    main: str | None = export.way + key
    if key not in export.folder.folders and key not in export.folder.readers:
        main = None
        notes.insert(0, f"listed in {METADATA}, but its folder is missing")
    people = [person.name or person.identity for person in entry.submitters]
    return Handed(
        name=_unique(safe(key), export.taken),
        student=people[0] if people else key,
        identity=entry.identity or key,
        members=tuple(people) if len(people) > 1 else (),
        attempt=entry.earlier + 1,
        submitted=entry.created_at,
        source=export.source(export.way + key),
        note="; ".join(notes),
        place=Place(export.root, main),
        platform="gradescope",
    )


def _shared(entries: Mapping[str, metadata.Entry]) -> dict[str, list[str]]:
    """By submission, which of its members are in another one's group as well."""
    where: dict[str, list[str]] = defaultdict(list)
    for key, entry in entries.items():
        for person in entry.submitters:
            where[person.identity].append(key)
    return {
        key: [
            f"{person.name or person.identity} is also in {', '.join(others)}"
            for person in entry.submitters
            if person.identity and (others := [other for other in where[person.identity] if other != key])
        ]
        for key, entry in entries.items()
    }


@dataclass
class _Pile:
    """What a flat export has of one student."""

    platform: str
    student: str
    identity: str
    base: str
    late: bool | None = None
    main: str | None = None
    zips: list[str] = field(default_factory=list)
    loose: dict[str, str] = field(default_factory=dict)  # the way to each file, by the student's own name for it
    notes: list[str] = field(default_factory=list)

    def attempts(self, export: _Export) -> list[Handed]:
        """Each zip is an attempt; single files belong to the last, or are one by themselves."""
        ways: list[str | None] = [*self.zips] or [self.main]
        notes = list(self.notes)
        if not self.zips and self.main is None and not self.loose:
            notes.append("no file was handed in")
        if len(ways) > 1:
            notes.append(f"{len(ways)} zips were handed in: each is an attempt")
        return [self._attempt(export, number, way, len(ways), "; ".join(notes)) for number, way in enumerate(ways, 1)]

    def _attempt(self, export: _Export, number: int, main: str | None, of: int, note: str) -> Handed:
        loose = tuple((way, own) for own, way in self.loose.items()) if number == of else ()
        first = main or (loose[0][0] if loose else "")
        more = f" and {len(loose) - (main is None)} more" if len(loose) > (main is None) else ""
        name = self.base if number == 1 else f"{self.base}-{number}"
        return Handed(
            name=_unique(name, export.taken),
            student=self.student,
            identity=self.identity,
            attempt=number,
            late=self.late,
            source=export.source(first) + more,
            note=note,
            place=Place(export.root, main, loose),
            platform=self.platform,
        )


_CANVAS = re.compile(
    r"(?:(?P<who>.*?)_)??(?P<late>LATE_)?(?P<user>\d+|anon_[A-Za-z0-9]+)_(?:(?P<file>\d+)_(?P<own>.+)|(?P<text>text|link)\.html)",
    re.DOTALL,
)
_AGAIN = re.compile(
    r"(?P<stem>.*)-(?P<again>\d{1,3}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?P<ending>(?:\.[A-Za-z]\w*)*\.\w+)"
)


def _canvas(export: _Export) -> list[Handed]:
    """Canvas' download of all submissions: one flat folder of files, of each student's last attempt.

    A file's name is `<student>_<user>_<attachment>_<own name>`, with `LATE_` before the user's number if it was late,
    and `anon_<id>` for name and number where students are anonymous. The student is the sortable name in lower case,
    letters and digits only, or the group's. Texts and links are `<student>_<user>_text.html` and `..._link.html`.
    Canvas adds `-1`, `-2`, ... to the own name of a file that was uploaded again, a random UUID after the seventh.

    Source:
        Canvas' `lib/content_zipper.rb` (`get_filename`, `add_upload_submission`, `add_text_or_url`) and
        `Attachment.make_unique_filename`.
    """
    matched = {name: match for name in export.folder.readers if (match := _CANVAS.fullmatch(name))}
    if not any(match["file"] for match in matched.values()) or len(matched) * 2 <= len(export.names):
        return []
    piles: dict[str, _Pile] = {}
    files: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for name in sorted(matched, key=_natural):
        match = matched[name]
        user = match["user"]
        who = unicodedata.normalize("NFC", match["who"] or "")
        base = safe(who, f"_{user}") if who else safe(user)
        pile = piles.setdefault(user, _Pile("canvas", who or user, user.removeprefix("anon_"), base, late=False))
        pile.late = pile.late or match["late"] is not None
        if match["file"]:
            files[user].append((int(match["file"]), export.way + name, match["own"]))
        else:
            pile.notes.append(f"a {match['text']} was handed in, which is not graded: {shown(name)}")
    for user, handed in files.items():
        _sort_canvas(piles[user], sorted(handed))
    return [attempt for pile in piles.values() for attempt in pile.attempts(export)] + _strangers(export, matched)


def _sort_canvas(pile: _Pile, files: list[tuple[int, str, str]]) -> None:
    """Put a student's files, in order of attachments, on the pile: of one that was uploaded again, the last."""
    versions: dict[str, list[tuple[int, int, str, str]]] = defaultdict(list)
    for attachment, way, own in files:
        again = _AGAIN.fullmatch(own)
        if own.lower().endswith(".zip"):
            pile.zips.append(way)
        elif again is None:
            versions[own].append((0, attachment, way, own))
        else:
            number = int(again["again"]) if len(again["again"]) <= 3 else 1_000
            versions[f"{again['stem']}{again['ending']}"].append((number, attachment, way, own))
    for restored, uploads in versions.items():
        *earlier, (_, _, way, own) = sorted(uploads)
        pile.loose[restored] = way
        if earlier:
            older = ", ".join(shown(upload[-1]) for upload in earlier)
            pile.notes.append(f"{shown(restored)} was uploaded {len(uploads)} times: {shown(own)} counts, not {older}")


_MOODLE = re.compile(r"(?P<who>.+?)(?:_(?P<id>\d+))?_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<own>.*))?", re.DOTALL)


def _moodle(export: _Export) -> list[Handed]:
    """Moodle's download of all submissions: a folder a student, or, as the teacher prefers, one flat folder.

    A folder is `<student>_<participant>_assignsubmission_<kind>_`, newer versions leave out the last `_`; flat files
    have their own name after it. Of the kinds only `file` can be graded; `onlinetext` is noted. The student is the full
    name, `Participant` (in the site's language) where marking is blind, and the group's name with its number, or
    nothing for the default group, where groups submit; older versions write `<group>-<full name>`. The number is that
    of the participant in this assignment.

    Source:
        Moodle's `mod/assign/classes/downloader.php` (`get_student_prefix`, `load_submissionplugin_filelist`), and
        `download_submissions` of `mod/assign/locallib.php` in versions before 4.
    """
    matched = {name: match for name in export.names if (match := _MOODLE.fullmatch(name))}
    if not matched or len(matched) * 2 <= len(export.names):
        return []
    piles: dict[tuple[str, str], _Pile] = {}
    for name in sorted(matched, key=_natural):
        match = matched[name]
        who, number = unicodedata.normalize("NFC", match["who"]), match["id"] or ""
        student = f"{who} {number}" if who == "Participant" else who
        base = safe(who, f"_{number}") if number else safe(who)
        key = (number, "") if number else ("", who)
        pile = piles.setdefault(key, _Pile("moodle", student, number or who, base))
        if match["kind"] != "file":
            pile.notes.append(f"{match['kind']} was handed in, which is not graded")
        elif name in export.folder.folders:
            _sort_moodle(pile, export.way + name, export.folder.folders[name]())
        elif match["own"]:
            _put(pile, export.way + name, match["own"])
    return [attempt for pile in piles.values() for attempt in pile.attempts(export)] + _strangers(export, matched)


def _sort_moodle(pile: _Pile, way: str, folder: Folder) -> None:
    """Put a student's folder on the pile: its zips and what is beside them, or all of it."""
    if folder.zips and not folder.folders:
        for name in sorted(folder.readers, key=_natural):
            _put(pile, f"{way}/{name}", name)
    else:
        pile.main = way


def _put(pile: _Pile, way: str, own: str) -> None:
    if own.lower().endswith(".zip"):
        pile.zips.append(way)
    else:
        pile.loose[own] = way


def _strangers(export: _Export, matched: Collection[str]) -> list[Handed]:
    """What lies in an export but has no name that the platform gives: each is somebody's, until a person looks."""
    found = []
    for name in export.names:
        if name in matched or not (name in export.folder.folders or name.lower().endswith((".zip", ".py"))):
            continue
        way, unique = export.way + name, _unique(safe_name(Path(name)), export.taken)
        note = "its name says not whose it is"
        found.append(Handed(unique, name, unique, source=export.source(way), note=note, place=Place(export.root, way)))
    return found


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts 2 before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


# -- folders of submissions ----------------------------------------------------------------------------------


def _plain(path: Path, homework: Homework, taken: set[str]) -> list[Handed]:
    found = []
    for place in _students_in(path, homework) or [path]:
        name = _unique(safe_name(place), taken)
        student = name if place.name in ("", "..") else re.sub(r"\.(zip|py)$", "", place.name, flags=re.IGNORECASE)
        attempts, others = _attempts_in(place, homework) if place != path else ([], [])
        note = f"no question files in {', '.join(shown(other.name) for other in others)}" if others else ""
        if len(attempts) <= 1:
            handed = replace(single(name, attempts[0] if attempts else place), student=student, note=note)
            found.append(handed)
            continue
        for number, attempt in enumerate(attempts, 1):
            unique = _unique(f"{name}_{safe_name(attempt)}", taken)
            handed = replace(single(unique, attempt), student=student, identity=name, attempt=number, note=note)
            found.append(handed)
    return found


def _students_in(path: Path, homework: Homework) -> list[Path]:
    if not os.path.isdir(path) or _is_submission(path, homework):
        return []
    folders, zips = _inside(path)
    if not zips and not any(
        _is_submission(folder, homework) or _attempts_in(folder, homework)[0] for folder in folders
    ):
        return []
    return sorted([*folders, *zips])


def _attempts_in(path: Path, homework: Homework) -> tuple[list[Path], list[Path]]:
    """The zips and submissions in a student's folder, and its other folders; nothing if it is itself a submission."""
    if not path.is_dir() or _is_submission(path, homework):
        return [], []
    folders, zips = _inside(path)
    submissions = [folder for folder in folders if _is_submission(folder, homework)]
    attempts = sorted([*submissions, *zips], key=lambda place: _natural(place.name))
    return attempts, [folder for folder in folders if folder not in submissions] if attempts else []


def _inside(path: Path) -> tuple[list[Path], list[Path]]:
    """The folders and the zips in a folder, without links."""
    try:
        children = sorted(path.iterdir())
    except OSError:
        return [], []
    inner = [child for child in children if not is_junk(child.name) and not child.is_symlink()]
    folders = [child for child in inner if child.is_dir()]
    return folders, [child for child in inner if child.is_file() and child.suffix.lower() == ".zip"]


def _is_submission(path: Path, homework: Homework) -> bool:
    """Whether a folder holds a question file, perhaps as the only folder in a folder."""
    return any(name.lower() in homework.by_file for name in enter(list_folder(path, homework.by_file)).python)
