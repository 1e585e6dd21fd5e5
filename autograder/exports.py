"""What Gradescope, Canvas and Moodle export of a whole class, as a zip or unpacked: who handed in what, and when."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import metadata
from .attempts import Handed, Place
from .config import Homework
from .errors import ConfigError, SubmissionError
from .folders import EXPORT, Folder, Unreadable, list_export, list_folder, natural, shown
from .submissions import safe, safe_name, unique_name

METADATA = "submission_metadata.yml"
_LEVELS = 3  # folders in folders above an export


@dataclass(frozen=True)
class _Export:
    """A folder that may be a platform's export: its root, the way down to it, and what lies in it."""

    root: Path
    way: str
    folder: Folder
    taken: set[str]

    @property
    def names(self) -> list[str]:
        return sorted([*self.folder.readers, *self.folder.folders], key=natural)

    def source(self, way: str) -> str:
        return str(self.root / way) if self.root.is_dir() else f"{self.root}: {way}"


def exported(path: Path, homework: Homework, taken: set[str]) -> list[Handed]:
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
    found = [_gradescope_entry(export, key, entries[key], shared[key]) for key in sorted(entries, key=natural)]
    for name in unlisted:
        place, source = Place(export.root, export.way + name), export.source(export.way + name)
        own = unique_name(safe(name), export.taken)
        note = f"not listed in {METADATA}"
        found.append(Handed(own, name, name, source=source, note=note, place=place, platform="gradescope"))
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
        name=unique_name(safe(key), export.taken),
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
            name=unique_name(name, export.taken),
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
    for name in sorted(matched, key=natural):
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
    for name in sorted(matched, key=natural):
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
        for name in sorted(folder.readers, key=natural):
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
        way, own = export.way + name, unique_name(safe_name(Path(name)), export.taken)
        note = "its name says not whose it is"
        found.append(Handed(own, name, own, source=export.source(way), note=note, place=Place(export.root, way)))
    return found
