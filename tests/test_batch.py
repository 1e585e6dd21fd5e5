"""A class in a gradebook: what is graded again and what is not, whatever ended the run before."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy
import torch

from autograder import audit, batch, fingerprint, gradebook
from autograder.attempts import Handed, single
from autograder.batch import LocalGraders, Options, Task, Watcher, fair, grade_all
from autograder.config import Waiver, load_homework
from autograder.errors import ConfigError, IsolationError
from autograder.gradebook import Gradebook
from autograder.grading import Grading, decided
from autograder.intake import handed_in
from autograder.results import CheckResult, Outcome, SubmissionResult
from tests.test_grading import MINI

QUICK = Options("none")


@pytest.fixture
def homework(tmp_path):
    """A copy of the tiny homework, to be changed."""
    return load_homework(Path(shutil.copytree(MINI, tmp_path / "homework")))


@pytest.fixture
def room(tmp_path):
    """A class of three, each with a file of its own."""
    for name in ("ada", "ben", "cleo"):
        shutil.copytree(MINI / "solutions", tmp_path / "class" / name, ignore=shutil.ignore_patterns("*.json"))
        (tmp_path / "class" / name / "own.py").write_text(f"NAME = {name!r}\n", encoding="utf-8")
    (tmp_path / "class/cleo/cube.py").write_text("def cube(x):\n    return x\n", encoding="utf-8")
    return tmp_path / "class"


@dataclass
class Seen(Watcher):
    """Remembers what was run."""

    ran: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    def started(self, name):
        """A submission."""
        self.ran.append(name)

    def checked(self, result):
        """A check."""
        self.checks.append(result.check.name)


class Fake:
    """Graders that run nothing: all checks pass, but those of `cube` and `both` where cube.py is wrong."""

    capacity = 2

    def __init__(self, checks, watcher: Watcher, isolation: str, broken: str = ""):
        self.checks, self.watcher, self.broken = checks, watcher, broken
        self.versions, self.isolation = {"torch": torch.__version__}, {"mode": isolation, "layers": []}
        self.homework = load_homework(MINI)
        self.tasks: list[Task] = []

    def submit(self, task: Task) -> None:
        """Take a task."""
        self.tasks.append(task)

    def finished(self) -> tuple[Task, SubmissionResult]:
        """Decide."""
        task = self.tasks.pop(0)
        held = {} if task.kept is None else {result.check.id: result for result in task.kept.checks}
        wrong = {"cube", "both"} if b"return x\n" in task.submission.files.get("cube.py", b"") else set()
        verdicts = []
        for check in [check for check in self.checks if check.question in task.questions]:
            outcome = Outcome.FAILED if check.question in wrong or not task.submission.files else Outcome.PASSED
            outcome = Outcome.INTERNAL_ERROR if check.name == self.broken else outcome
            verdict = held.get(check.id) or CheckResult(check, outcome)
            verdicts.append(verdict)
            if check.id not in held:
                self.watcher.checked(verdict)
        empty = SubmissionResult("", (), (), self.isolation, self.versions)
        return task, decided(self.homework, task.submission, verdicts, empty)

    def close(self) -> None:
        """Nothing runs."""


@pytest.fixture(scope="module")
def checks():
    """The tiny homework's, as a real grader collects them."""
    with Grading(load_homework(MINI), "none") as grading:
        return grading.checks


@pytest.fixture
def run(checks):
    """Grade a class with graders that run nothing; returns what would have been run."""

    def run(homework, folder: Path, out: Path, options: Options = QUICK, broken: str = "", **how: Any) -> Seen:
        seen = Seen()
        handed = handed_in([folder], homework)
        graders = functools.partial(Fake, checks, seen, options.isolation, broken)
        seen.summaries = grade_all(homework, handed, out, options, graders=graders, watcher=seen, **how)
        return seen

    return run


def grade(homework, folder: Path, out: Path, options: Options = QUICK, jobs: int = 1) -> Seen:
    """Grade a class with real graders; returns what was run."""
    seen = Seen()
    seen.summaries = grade_all(homework, handed_in([folder], homework), out, options, jobs=jobs, watcher=seen)
    return seen


def scores(out: Path) -> dict[str, Any]:
    """What results.json of each says."""
    return {path.parent.name: json.loads(path.read_text())["score"] for path in sorted(out.glob("*/results.json"))}


SCORES = {"ada": 25, "ben": 25, "cleo": 10}


class TestAgain:
    """What a second run does."""

    def test_nothing_where_nothing_changed(self, run, homework, room, tmp_path):
        """The same command again runs no check, and says the same."""
        first = run(homework, room, tmp_path / "out")
        assert sorted(first.ran) == ["ada", "ben", "cleo"] and scores(tmp_path / "out") == SCORES
        second = run(homework, room, tmp_path / "out")
        assert second.ran == second.checks == []
        assert [(s.name, s.score, s.graded) for s in second.summaries] == [(n, SCORES[n], False) for n in SCORES]

    def test_a_submission_that_changed(self, run, homework, room, tmp_path):
        """Only this one is run."""
        run(homework, room, tmp_path / "out")
        (room / "cleo/own.py").write_text("NAME = 'Cleo'\n", encoding="utf-8")
        assert run(homework, room, tmp_path / "out").ran == ["cleo"]

    def test_a_check_that_changed(self, run, homework, room, tmp_path):
        """Only the checks of its file are run, and all count."""
        run(homework, room, tmp_path / "out")
        path = homework.path("checks/test_cube.py")
        path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        again = run(homework, room, tmp_path / "out")
        names = {check.rpartition("::")[2] for check in again.checks}
        assert again.ran == ["ada", "ben", "cleo"] and names == {"test_values", "test_gradient"}
        assert scores(tmp_path / "out") == SCORES
        tests = json.loads((tmp_path / "out/ada/results.json").read_text())["tests"]
        assert len(tests) == 13

    @pytest.mark.parametrize(
        ("file", "line", "ran"),
        [
            ("checks/conftest.py", "# changed\n", {"square", "cube", "both"}),
            ("solutions/square.py", "# changed\n", {"square", "cube", "both"}),
            ("solutions/cube.py", "# changed\n", {"cube", "both"}),
            ("assignment/square.py", "# changed\n", set()),
            ("README.md", "changed\n", set()),
        ],
    )
    def test_what_counts_for_which_question(self, run, checks, homework, room, tmp_path, file, line, ran):
        """A file that checks share counts for all, a solution for its question and those that import it."""
        run(homework, room / "ada", tmp_path / "out")
        path = homework.path(file)
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        path.write_text(before + line, encoding="utf-8")
        again = run(homework, room / "ada", tmp_path / "out")
        wanted = sorted(check.name for check in checks if check.question in ran)
        assert sorted(again.checks) == wanted

    def test_what_a_question_is_worth(self, run, homework, room, tmp_path):
        """Points are counted anew without running anything."""
        run(homework, room, tmp_path / "out")
        path = homework.path("pyproject.toml")
        path.write_text(re.sub(r"points = 10", "points = 20", path.read_text(encoding="utf-8")), encoding="utf-8")
        again = run(load_homework(homework.root), room, tmp_path / "out")
        assert again.checks == [] and scores(tmp_path / "out")["ada"] == 45

    def test_the_engine_the_machine_and_the_isolation(self, run, homework, room, tmp_path, monkeypatch):
        """Each of them makes all results old; so does --regrade."""
        run(homework, room / "ada", tmp_path / "out")
        assert run(homework, room / "ada", tmp_path / "out", Options("process")).ran == ["ada"]
        assert run(homework, room / "ada", tmp_path / "out", Options("process")).ran == []
        monkeypatch.setattr(fingerprint, "engine", lambda: "another")
        assert run(homework, room / "ada", tmp_path / "out", Options("process")).ran == ["ada"]
        assert run(homework, room / "ada", tmp_path / "out", Options("process"), regrade=True).ran == ["ada"]

    def test_a_waiver(self, run, homework, room, tmp_path):
        """A waiver for one makes this one's result old, and no other's."""
        run(homework, room, tmp_path / "out")
        waiver = Waiver(question="square", name="torch.square", submission="ben", reason="agreed")
        assert run(homework, room, tmp_path / "out", Options("none", waivers=[waiver])).ran == ["ben"]

    def test_the_same_files_are_graded_once(self, run, homework, room, tmp_path):
        """Two who handed in the same, and one who does so later, get the same results from one grading."""
        shutil.copytree(room / "cleo", room / "dan")
        assert len(run(homework, room, tmp_path / "out").ran) == 3
        shutil.copytree(room / "cleo", room / "eve")
        assert run(homework, room, tmp_path / "out").ran == []
        assert scores(tmp_path / "out") == {**SCORES, "dan": 10, "eve": 10}

    def test_some_questions_first(self, run, homework, room, tmp_path):
        """What is known of other questions is kept, and not run again."""
        run(homework, room, tmp_path / "out", questions=["square"])
        assert scores(tmp_path / "out") == dict.fromkeys(SCORES, 10)
        rest = run(homework, room, tmp_path / "out")
        assert "test_cube_of_the_square" in rest.checks and scores(tmp_path / "out") == SCORES
        assert run(homework, room, tmp_path / "out", questions=["cube"]).ran == []
        assert scores(tmp_path / "out") == SCORES

    def test_an_internal_error_is_tried_again(self, run, homework, room, tmp_path):
        """What the grader failed at does not hold."""
        first = run(homework, room / "ada", tmp_path / "out", broken="test_cube_of_the_square")
        assert first.summaries[0].score is None and len(first.summaries[0].broken) == 1
        assert run(homework, room / "ada", tmp_path / "out").checks == ["test_cube_of_the_square"]
        assert scores(tmp_path / "out") == {"ada": 25}

    def test_files_that_were_lost_are_written_again(self, run, homework, room, tmp_path):
        """The gradebook has all that the folders have."""
        run(homework, room, tmp_path / "out")
        shutil.rmtree(tmp_path / "out/ada")
        (tmp_path / "out/ben/feedback.html").unlink()
        assert run(homework, room, tmp_path / "out").ran == []
        assert scores(tmp_path / "out") == SCORES and (tmp_path / "out/ben/feedback.html").is_file()


def test_two_jobs_find_what_one_finds(homework, room, tmp_path):
    """In every mode, with more submissions than jobs."""
    for number in range(4):
        shutil.copytree(room / "cleo", room / f"dan{number}")
        (room / f"dan{number}/own.py").write_text(f"NAME = {number}\n", encoding="utf-8")
    for mode in ("none", "process"):
        for jobs in (1, 2):
            grade(homework, room, tmp_path / f"{mode}{jobs}", Options(mode), jobs=jobs)
    first = scores(tmp_path / "none1")
    assert len(first) == 7
    assert all(scores(tmp_path / name) == first for name in ("none2", "process1", "process2"))


def test_a_class_that_is_killed_again_and_again(homework, room, tmp_path):
    """Killed at any point, a run loses what was running; the last run finishes, and all results are what they are."""
    for number in range(6):
        shutil.copytree(room / "cleo", room / f"dan{number}")
        (room / f"dan{number}/own.py").write_text(f"NAME = {number}\n", encoding="utf-8")
    out, draw = tmp_path / "out", random.Random(0)
    command = [sys.executable, "-m", "autograder.cli", "grade", str(room), "-o", str(out), "--isolation", "none"]
    command += ["--homework", str(homework.root), "--jobs", "2"]
    done: set[str] = set()
    for _ in range(4):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            before = len(done)
            while process.poll() is None and len(list(out.glob("*/results.json"))) <= before:
                time.sleep(0.01)
            time.sleep(draw.random() / 5)
            process.kill()
        if (out / gradebook.FILE).exists():
            with contextlib.suppress(ConfigError), Gradebook(out) as book:
                kept = set(book.names())
                assert done <= kept
                assert kept <= scores(out).keys()
                done = kept
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert scores(out) == {**SCORES, **{f"dan{number}": 10 for number in range(6)}}
    with Gradebook(out, write=False) as book:
        assert len(book.names()) == 9


class TestGradebook:
    """The file."""

    def test_only_its_owner_reads_it(self, homework, room, tmp_path):
        """Also what lies beside it while it is open, whatever the umask."""
        old = os.umask(0)
        try:
            (tmp_path / "out").mkdir()
            with Gradebook(tmp_path / "out") as book:
                book.start(gradebook.Run("h", "e", "t", {}, {"mode": "none"}, {}, {}))
                files = list((tmp_path / "out").iterdir())
                assert {path.name for path in files} >= {"gradebook.sqlite", "gradebook.sqlite-wal"}
                assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        finally:
            os.umask(old)

    def test_what_a_row_depended_on_is_in_it(self, run, homework, room, tmp_path):
        """Digests of submission, homework and engine, torch, processor, isolation and seed."""
        run(homework, room, tmp_path / "out")
        rows = sqlite3.connect(tmp_path / "out/gradebook.sqlite").execute(
            "SELECT name, length(submission), length(homework), length(engine), torch, processor, isolation, seed, score"
            " FROM results ORDER BY name"
        )
        processor = gradebook.processor()
        expected = [(n, 64, 64, 64, torch.__version__, processor, "none: ", 0, SCORES[n]) for n in SCORES]
        assert list(rows) == expected and processor

    def test_one_run_at_a_time(self, tmp_path):
        """A second writer is told to wait; readers are not."""
        with Gradebook(tmp_path):
            with pytest.raises(ConfigError, match="another `autograder grade` writes to"):
                Gradebook(tmp_path)
            with Gradebook(tmp_path, write=False) as reader:
                assert reader.names() == []
        Gradebook(tmp_path).close()

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"not a database at all, but long enough to be looked at as one" * 20, "not a database"),
            (b"", None),
        ],
        ids=["text", "empty"],
    )
    def test_a_file_that_is_something_else(self, tmp_path, content, message):
        """It is left as it is, and told in one line; an empty one becomes a gradebook."""
        path = tmp_path / gradebook.FILE
        path.write_bytes(content)
        if message is None:
            Gradebook(tmp_path).close()
        else:
            with pytest.raises(ConfigError, match=message):
                Gradebook(tmp_path)
            assert path.read_bytes() == content

    def test_somebody_elses_database(self, tmp_path):
        """It is not written to."""
        with contextlib.closing(sqlite3.connect(tmp_path / gradebook.FILE)) as other:
            other.execute("CREATE TABLE recipes (name)")
            other.commit()
        with pytest.raises(ConfigError, match="is not a gradebook"):
            Gradebook(tmp_path)

    def test_versions(self, run, homework, room, tmp_path, monkeypatch):
        """An older file is brought up to date with all that is in it; a newer one is left alone; a reader says so."""
        out = tmp_path / "out"
        run(homework, room, out)

        def note(connection):
            connection.exec_driver_sql("ALTER TABLE results ADD COLUMN remark TEXT DEFAULT 'none yet'")

        monkeypatch.setattr(gradebook, "MIGRATIONS", (*gradebook.MIGRATIONS, note))
        with pytest.raises(ConfigError, match="brings it up to date"):
            Gradebook(out, write=False)
        with Gradebook(out) as book:
            assert len(book.names()) == 3
            remarks = book.connection.exec_driver_sql("SELECT remark FROM results").scalars().all()
            assert remarks == ["none yet"] * 3
        monkeypatch.undo()
        with pytest.raises(ConfigError, match="use a newer one"):
            Gradebook(out)

    def test_a_migration_that_fails_changes_nothing(self, tmp_path, monkeypatch):
        """Half a version is none."""
        Gradebook(tmp_path).close()

        def broken(connection):
            connection.exec_driver_sql("CREATE TABLE half (name)")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(gradebook, "MIGRATIONS", (*gradebook.MIGRATIONS, broken))
        with pytest.raises(ConfigError, match="No space left"):
            Gradebook(tmp_path)
        monkeypatch.undo()
        with Gradebook(tmp_path) as book:
            tables = book.connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
            assert "half" not in tables

    @pytest.mark.parametrize("number", range(1, 5))
    def test_a_signal_in_the_middle_of_a_transaction(self, run, homework, room, tmp_path, monkeypatch, number):
        """At any statement, what was to be written is not, what was written is, and the signal's own status comes."""
        run(homework, room / "ada", tmp_path / "out")
        statements = []

        def ends(*_):
            statements.append(1)
            if len(statements) == number:
                raise SystemExit(143)

        with Gradebook(tmp_path / "out") as book:
            row = book.row("ada")
            files = book.submission(row.submission, "ada")
            book.start(row.run)
            sqlalchemy.event.listen(book.engine, "before_cursor_execute", ends)
            with pytest.raises(SystemExit, match="143"):
                book.keep(1, "ada", row.submission, files, dataclasses.replace(row.result, seconds=99), 0)
        with Gradebook(tmp_path / "out") as book:
            assert book.row("ada").result == row.result

    def test_a_result_that_is_damaged(self, run, homework, room, tmp_path):
        """It is told in a line; nothing that is read is run."""
        run(homework, room / "ada", tmp_path / "out")
        with contextlib.closing(sqlite3.connect(tmp_path / "out/gradebook.sqlite")) as file:
            file.execute("UPDATE results SET data = x'80049508'")
            file.commit()
        with pytest.raises(ConfigError, match="is damaged"):
            run(homework, room / "ada", tmp_path / "out")


class TestTrouble:
    """Graders that die, and submissions that they die of."""

    def test_a_submission_that_graders_die_of_is_set_aside(self, homework, room, tmp_path, monkeypatch):
        """Its score is withheld after the third, the others are graded, and nothing says that it failed."""
        original = Grading.grade

        def dies(self, submission, *arguments, **options):
            if submission.name == "ben":
                self.grader.kill()
                raise IsolationError("the grader did not start")
            return original(self, submission, *arguments, **options)

        monkeypatch.setattr(Grading, "grade", dies)
        seen = grade(homework, room, tmp_path / "out")
        assert scores(tmp_path / "out" / "x") == {}
        found = {summary.name: summary for summary in seen.summaries}
        assert found["ben"].score is None and len(found["ben"].broken) == 13
        assert "set aside: 3 graders died" in found["ben"].broken[0]
        assert (found["ada"].score, found["cleo"].score) == (25, 10)
        monkeypatch.undo()
        assert grade(homework, room, tmp_path / "out").ran == ["ben"]
        assert scores(tmp_path / "out") == SCORES

    def test_graders_that_die_in_the_middle(self, homework, room, tmp_path, monkeypatch):
        """After three deaths what is left of a submission is set aside; what was decided before stays."""
        events = Grading._events
        deaths = []

        def kills(self, work):
            for event in events(self, work):
                if event["event"] == "started" and work.submission.name == "ben" and "cube" in event["check"]:
                    deaths.append(event["check"])
                    self.grader.kill()
                yield event

        monkeypatch.setattr(Grading, "_events", kills)
        found = {summary.name: summary for summary in grade(homework, room, tmp_path / "out").summaries}
        assert found["ben"].score is None and 0 < len(found["ben"].broken) < 13
        assert found["ben"].questions[0].score == 10
        assert 3 <= len(deaths) <= 4 and found["cleo"].score == 10

    def test_a_homework_that_is_wrong_ends_the_run(self, homework, room, tmp_path):
        """One line, and no result of anybody."""
        homework.path("checks/test_cube.py").write_text("import nonsense\n", encoding="utf-8")
        with pytest.raises(ConfigError):
            grade(homework, room, tmp_path / "out")
        assert scores(tmp_path / "out") == {}


class TestAttempts:
    """Whose turn it is, and what counts."""

    def test_the_newest_of_each_comes_first(self):
        """Then the next of each, so that nobody waits for somebody's tenth attempt."""
        made = [Handed(f"{who}{n}", who, who, attempt=n) for who in ("ada", "ben") for n in (1, 2, 3)]
        made.append(Handed("cleo1", "cleo", "cleo"))
        assert [entry.name for entry in fair(made)] == ["ada3", "ben3", "cleo1", "ada2", "ben2", "ada1", "ben1"]

    def test_the_best_attempt_counts(self, run, homework, room, tmp_path):
        """All are graded; the gradebook knows which counts."""
        student = tmp_path / "room/ada"
        for number, name in enumerate(("cleo", "ada", "cleo"), 1):
            shutil.copytree(room / name, student / f"attempt{number}")
            (student / f"attempt{number}/own.py").write_text(f"NAME = {number}\n", encoding="utf-8")
        seen = run(homework, tmp_path / "room", tmp_path / "out", choice="best")
        assert len(seen.ran) == 3 and [summary.score for summary in seen.summaries] == [25]
        with Gradebook(tmp_path / "out", write=False) as book:
            assert book.names(counting=True) == [seen.summaries[0].name] and len(book.names()) == 3
        latest = run(homework, tmp_path / "room", tmp_path / "out", choice="latest")
        assert latest.ran == [] and [summary.score for summary in latest.summaries] == [10]

    def test_what_cannot_be_read_is_in_the_gradebook(self, run, homework, room, tmp_path):
        """An empty folder and a broken zip get 0, and say why."""
        (room / "empty").mkdir()
        (room / "broken.zip").write_bytes(b"PK\x03\x04")
        found = {summary.name: summary.score for summary in run(homework, room, tmp_path / "out").summaries}
        assert found == {**SCORES, "empty": 0, "broken": 0}


class TestAudit:
    """Results that can be trusted later."""

    def verify(self, homework, out: Path, sample: int = 10) -> audit.Verification:
        """Grade again."""
        return audit.verify(homework, out, QUICK, sample=sample, seed=1, jobs=1, watcher=Watcher())

    def test_verdicts_come_again(self, homework, room, tmp_path):
        """Also where the submissions themselves are gone; a sample is a sample."""
        grade(homework, room, tmp_path / "out")
        shutil.rmtree(room)
        found = self.verify(homework, tmp_path / "out")
        assert (found.names, found.of, found.checks, found.differences, found.notes) == (
            ("ada", "ben", "cleo"),
            3,
            39,
            (),
            (),
        )
        assert len(self.verify(homework, tmp_path / "out", sample=2).names) == 2

    def test_a_verdict_that_was_tampered_with(self, homework, room, tmp_path):
        """It is found."""
        grade(homework, room, tmp_path / "out")
        with Gradebook(tmp_path / "out") as book:
            row = book.row("cleo")
            checks = [
                c if c.outcome is Outcome.PASSED else dataclasses.replace(c, outcome=Outcome.PASSED)
                for c in row.result.checks
            ]
            number = book.start(row.run)
            files = book.submission(row.submission, "cleo")
            book.keep(number, "cleo", row.submission, files, dataclasses.replace(row.result, checks=tuple(checks)), 0)
        found = self.verify(homework, tmp_path / "out")
        assert {(one.name, one.then, one.now) for one in found.differences} == {("cleo", "PASSED", "FAILED")}
        assert len(found.differences) == 4

    def test_what_has_changed_is_told(self, homework, room, tmp_path):
        """A difference may come of it."""
        grade(homework, room / "ada", tmp_path / "out")
        homework.path("solutions/square.py").write_text("def square(x):\n    return x * x\n", encoding="utf-8")
        assert self.verify(homework, tmp_path / "out").notes == (
            "the homework has changed since some of these were graded",
        )

    def test_one_verdict_on_the_spot(self, homework, room, tmp_path):
        """By the student's name and a part of the check's; the files are written out, and the command does the same."""
        grade(homework, room, tmp_path / "out")
        found = audit.reproduce(
            homework, tmp_path / "out", "Cleo", "test_cube.py::test_grad", QUICK, tmp_path / "files"
        )
        assert (found.then.outcome, found.now.outcome) == (Outcome.FAILED, Outcome.FAILED)
        assert found.now.message == found.then.message and found.now.message
        assert (tmp_path / "files/cube.py").read_bytes() == (room / "cleo/cube.py").read_bytes()
        command = found.command.split()
        done = subprocess.run([sys.executable, "-m", "autograder.cli", *command[1:]], capture_output=True, text=True)
        assert done.returncode == 0 and "cube" in done.stdout

    @pytest.mark.parametrize(
        ("who", "check", "message"),
        [
            ("nobody", "test_gradient", "no one result of 'nobody'"),
            ("cleo", "test_gradient", "2 checks have 'test_gradient'"),
            ("cleo", "test_nothing", "there is no check 'test_nothing'"),
        ],
    )
    def test_nobody_and_nothing(self, run, homework, room, tmp_path, who, check, message):
        """One line says what there is."""
        run(homework, room, tmp_path / "out")
        with pytest.raises(ConfigError, match=message):
            audit.reproduce(homework, tmp_path / "out", who, check, QUICK, tmp_path / "files")

    def test_no_gradebook(self, homework, tmp_path):
        """One line."""
        with pytest.raises(ConfigError, match="has no gradebook"):
            self.verify(homework, tmp_path)


def test_jobs_that_fit(monkeypatch):
    """A processor and the memory for each, and no more than there are submissions."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(batch, "_free_memory", lambda: 4 * batch.JOB_MEMORY + 1)
    assert [batch.likely_jobs(number) for number in (1, 3, 100)] == [1, 3, 4]
    monkeypatch.setattr(batch, "_free_memory", lambda: 0)
    assert batch.likely_jobs(100) == 1


def test_a_thread_that_waits_ends_with_the_run(homework, tmp_path):
    """Giving up ends graders that are in the middle of a submission."""
    hangs = tmp_path / "hangs"
    shutil.copytree(MINI / "solutions", hangs)
    (hangs / "square.py").write_text("import time\ntime.sleep(1000)\n", encoding="utf-8")
    graders = LocalGraders(homework, Options("process"), 1, lambda result: None)
    files = single("hangs", hangs).read(homework)
    graders.submit(batch.Task("d", files, ["square"], None))
    time.sleep(0.5)
    process = next(iter(graders.gradings)).grader.process
    graders.close()
    assert process.poll() is not None
    assert not any(thread.is_alive() for thread in graders.threads)


def test_signals(homework, room, tmp_path):
    """Ctrl-C and SIGTERM in a class of two jobs: status 130 or 143, a line that says how to go on, no traceback."""
    (room / "ben/square.py").write_text("import time\ntime.sleep(1000)\n", encoding="utf-8")
    (room / "cleo/square.py").write_text("import time\ntime.sleep(1001)\n", encoding="utf-8")
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        out = tmp_path / f"out{status}"
        command = [sys.executable, "-m", "autograder.cli", "grade", str(room), "-o", str(out), "--isolation", "process"]
        command += ["--homework", str(homework.root), "--jobs", "2"]
        with subprocess.Popen(
            command,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process:
            while not (out / "ada/results.json").exists() and process.poll() is None:
                time.sleep(0.02)
            os.kill(process.pid, number)
            _, err = process.communicate()
        assert process.returncode == status
        assert "Traceback" not in err
        if number == signal.SIGINT:
            assert re.search("interrupted: [01] of 3 submissions are finished", err)  # it may be just being kept
        assert scores(out) == {"ada": 25}


def test_a_summary_is_small(run, homework, room, tmp_path):
    """What stays in memory of each submission has no text of its checks."""
    summary = run(homework, room / "cleo", tmp_path / "out").summaries[0]
    assert SimpleNamespace(**vars(summary)).counts == {"PASSED": 9, "FAILED": 4}
    assert len(repr(summary)) < 2000
