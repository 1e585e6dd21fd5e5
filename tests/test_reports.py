"""Reports: Gradescope's schema, tables that print anywhere, files that are whole or absent."""

import io
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from autograder import reports
from autograder.attempts import single
from autograder.reports import class_table, intake_table, results_json, submission_table, write_json
from autograder.results import CheckInfo, CheckResult, Frame, Outcome, QuestionResult, SubmissionResult, summarise

VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
GATE = "relu.py:3 uses torch.relu, which this question bans"


def check(question: str, name: str, outcome: Outcome = Outcome.PASSED, **more) -> CheckResult:
    """A check's result."""
    fields = {"points": 1.0, "visibility": "public", "kind": "value"}
    info = {key: more.pop(key, default) for key, default in fields.items()}
    return CheckResult(
        CheckInfo(f"tests/test_{question}.py::{name}", question, f"Title of {name}", **info), outcome, **more
    )


def submission(**more) -> SubmissionResult:
    """A submission with something of everything, but for internal errors."""
    checks = (
        check("linear", "test_a", points=3.0, seconds=0.5, calls=7),
        check(
            "linear",
            "test_b",
            Outcome.FAILED,
            message="wanted 1\ngot 2",
            frames=(Frame("linear.py", 4, "forward", "    return X"),),
            output="hello\n",
            kind="cooperative",
        ),
        check("linear", "test_c", Outcome.SKIPPED, message="not here"),
        check("relu", "test_d"),
        check("relu", "test_e", Outcome.TIMED_OUT, visibility="hidden", message="ValueError: canary"),
        check("mnist", "test_f", Outcome.CRASHED, visibility="secret", message="canary"),
    )
    questions = (
        QuestionResult("linear", 10, 7.5),
        QuestionResult("relu", 5, 0.0, gate=(GATE,)),
        QuestionResult("mnist", 10, 0.0, note="`mnist` runs on your own parts; `linear` lost points: mend it first."),
    )
    fields = {
        "isolation": {"mode": "process", "layers": ["rlimits"]},
        "versions": {"torch": "2.13.0"},
        "notes": ("torch.py was left out: its name is taken by an installed package",),
        "seconds": 12.3456,
    }
    return SubmissionResult("alice", questions, checks, **{**fields, **more})


def withheld() -> SubmissionResult:
    """A submission at which the grader failed in one question."""
    good = submission()
    checks = (*good.checks, check("relu", "test_g", Outcome.INTERNAL_ERROR, message="KeyError: 'x'"))
    questions = (good.questions[0], QuestionResult("relu", 5, None), good.questions[2])
    return submission_with(questions, checks)


def submission_with(questions: tuple[QuestionResult, ...], checks: tuple[CheckResult, ...]) -> SubmissionResult:
    """A submission of these parts."""
    return SubmissionResult("bob", questions, checks)


def printed(table, width: int = 80) -> str:
    """What a plain terminal shows."""
    file = io.StringIO()
    Console(file=file, width=width, color_system=None, legacy_windows=False).print(table)
    return file.getvalue()


def replace_message(result: SubmissionResult, message: str) -> SubmissionResult:
    """The same result, with another message of every check."""
    return replace(result, checks=tuple(replace(check, message=message) for check in result.checks))


class TestResultsJson:
    """Gradescope's schema, with our own fields under extra_data."""

    @pytest.mark.parametrize("result", [submission(), withheld()])
    def test_follows_the_schema(self, result):
        """Follows the schema."""
        data = results_json(result)
        known = {"score", "max_score", "execution_time", "output", "output_format", "test_output_format"}
        known |= {"test_name_format", "visibility", "stdout_visibility", "tests", "extra_data"}
        assert set(data) <= known
        assert data["visibility"] in VISIBILITIES and data["stdout_visibility"] == "hidden"
        assert {data["output_format"], data["test_output_format"], data["test_name_format"]} <= FORMATS
        fields = {"score": (int, float), "max_score": (int, float), "name": str, "number": str, "output": str}
        fields |= {
            "status": str,
            "output_format": str,
            "name_format": str,
            "visibility": str,
            "extra_data": dict,
        }
        for test in data["tests"]:
            assert all(isinstance(value, fields[key]) for key, value in test.items())
            assert test["visibility"] in VISIBILITIES and test.get("status", "passed") in ("passed", "failed")
        assert "null" not in json.dumps(data, allow_nan=False)

    def test_points_are_split_by_the_checks(self):
        """Points are split by the checks."""
        tests = {test["name"]: test for test in results_json(submission())["tests"]}
        a, b, c = (tests[f"Title of test_{letter}"] for letter in "abc")
        assert (a["score"], a["max_score"], a["status"], a["number"]) == (7.5, 7.5, "passed", "1.1")
        assert (b["score"], b["max_score"], b["status"], b["number"]) == (0, 2.5, "failed", "1.2")
        assert (c["score"], c["max_score"]) == (0, 0) and "status" not in c

    def test_sums_agree(self):
        """Sums agree."""
        data = results_json(submission())
        assert data["score"] == 7.5 == sum(test["score"] for test in data["tests"])
        assert data["max_score"] == 25 == sum(test["max_score"] for test in data["tests"])

    def test_gated_question_earns_nothing_and_says_why(self):
        """Gated question earns nothing and says why."""
        data = results_json(submission())
        test = next(test for test in data["tests"] if test["name"] == "Title of test_d")
        assert test["score"] == 0 and GATE in test["output"] and GATE in data["output"]
        assert data["extra_data"]["gates"] == {"relu": [GATE]}

    def test_failure_says_why_and_where(self):
        """Failure says why and where."""
        output = results_json(submission())["tests"][1]["output"]
        assert output == (
            "wanted 1\ngot 2\n\nIn your files:\n    linear.py:4 in forward\n        return X\n\n"
            "Your code printed:\n    hello"
        )

    def test_html_has_the_same_escaped(self):
        """Gradescope gets plain tags, and nothing of the text is one."""
        odd = replace_message(submission(), "got <b>1</b> & 'x'")
        output = results_json(odd, html=True)["tests"][1]
        assert output["output_format"] == "html"
        assert "<p>got &lt;b&gt;1&lt;/b&gt; &amp; &#x27;x&#x27;</p>" in output["output"]
        assert "<strong>In your files:</strong>" in output["output"] and "<b>" not in output["output"]

    def test_secret_checks_are_counted(self):
        """Of secret checks the student learns how many passed."""
        assert "mnist: 0 of 1 secret checks passed." in results_json(submission())["output"]

    def test_hidden_and_secret_checks_do_not_give_themselves_away(self):
        """Hidden and secret checks do not give themselves away."""
        data = results_json(submission())
        hidden, secret = data["tests"][4:]
        assert (hidden["visibility"], hidden["output"]) == ("visible", "Timed out: ValueError")
        assert not {"seconds", "calls", "measured", "id"} & (hidden["extra_data"].keys() | secret["extra_data"].keys())
        assert (secret["visibility"], secret["name"]) == ("hidden", "A secret check of mnist")
        text = json.dumps(data)
        assert "canary" not in text and "test_e" not in text.replace("Title of test_e", "") and "test_f" not in text

    def test_withheld_score_is_nowhere(self):
        """Withheld score is nowhere."""
        data = results_json(withheld())
        assert "score" not in data and not any("score" in test for test in data["tests"])
        assert "withheld" in data["output"] and "relu" in data["output"]
        broken = next(test for test in data["tests"] if test["extra_data"]["outcome"] == "INTERNAL_ERROR")
        assert "status" not in broken and "not your fault" in broken["output"] and "KeyError" not in broken["output"]
        questions = {question["name"]: question for question in data["extra_data"]["questions"]}
        assert questions["linear"]["score"] == 7.5 and "score" not in questions["relu"]

    def test_extra_data(self):
        """Extra data."""
        data = results_json(submission())
        extra = data["extra_data"]
        assert extra["isolation"] == {"mode": "process", "layers": ["rlimits"]}
        assert extra["versions"] == {"torch": "2.13.0"} and extra["seed"] == 0
        assert data["execution_time"] == 12.3  # no more digits: hidden checks are among what took them
        assert extra["timings"] == {"linear": 0.5, "relu": 0.0, "mnist": 0.0}
        assert "torch.py was left out" in extra["notes"][0] and "torch.py was left out" in data["output"]
        assert data["tests"][1]["extra_data"]["kind"] == "cooperative"

    def test_what_students_can_say_is_bounded_and_safe(self):
        """What students can say is bounded and safe."""
        nasty = "\x1b[31m\0\u202e\ud800\r\n" + "x" * 100_000
        bad = check("linear", "test_a", Outcome.FAILED, message=nasty, output=nasty)
        frames = (Frame("linear.py", 1, nasty, nasty),)
        bad = CheckResult(bad.check, bad.outcome, nasty, frames, nasty, float("nan"))
        question = QuestionResult("linear", 10, 0.0, gate=(nasty,))
        result = SubmissionResult("n", (question,), (bad,), notes=(nasty,) * 500, seconds=float("inf"))
        text = json.dumps(results_json(result), allow_nan=False, ensure_ascii=False)
        assert len(text) < 100_000
        text.encode("utf-8")
        assert not any(character in text for character in "\x1b\0\u202e\r")
        assert "\\u001b" not in text and "\\u0000" not in text


class TestTables:
    """Tables that print at 80 columns, without colour."""

    @pytest.mark.parametrize("width", [80, 120])
    def test_submission_table(self, width):
        """Submission table."""
        text = printed(submission_table(submission()), width)
        assert all(len(line) <= width for line in text.splitlines())
        assert "7.5/10" in text and "0/5" in text and "1/3" in text
        flat = " ".join(text.split())
        assert "failed: Title of test_b" in flat and "uses torch.relu" in flat

    def test_withheld_is_said(self):
        """Withheld is said."""
        text = printed(submission_table(withheld()))
        assert "withheld" in text and "internal error" in text and "?/5" in text

    def test_class_table(self):
        """Eleven questions with broken points fit into 80 columns."""
        points = dict(zip([f"question_number_{number}" for number in range(11)], [10, 10, 15, *[10] * 8], strict=True))
        checks = tuple(check(q, f"test_{i}", outcome) for q in points for i, outcome in enumerate(Outcome))

        def row(name: str, share: float | None, gate: tuple[str, ...] = ()) -> SubmissionResult:
            scores = {q: None if share is None else most * share for q, most in points.items()}
            return SubmissionResult(name, tuple(QuestionResult(q, points[q], scores[q], gate) for q in points), checks)

        rows = [row("alice", 1), row("b" * 100, 0.778), row("carol", 0, ("x",)), row("dave", None)]
        text = printed(class_table([summarise(row) for row in rows]))
        assert all(len(line) <= 80 for line in text.splitlines())
        lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
        assert lines["alice"][1:13] == ["115", "10", "10", "15", *["10"] * 8]
        assert lines["carol"][1:13] == ["0", *["0*"] * 11] and lines["dave"][1:13] == ["?"] * 12
        assert " 89.4 7.7 7.7 11.6 " in text
        assert text.count("11/77") == 4 and "failed" in text
        assert "11 question_number_10; ? withheld, * a banned name" in " ".join(text.split())

    def test_class_of_nobody(self):
        """Class of nobody."""
        assert "submission" in printed(class_table([]))

    def test_markup_and_escapes_are_only_text(self):
        """Markup and escapes are only text."""
        nasty = "[red]\x1b[31m[/nonsense] [link=x]"
        result = SubmissionResult(
            nasty,
            (QuestionResult("linear", 1, 0.0),),
            (check("linear", "test_a", Outcome.FAILED, message=nasty),),
            notes=(nasty,),
        )
        for table in (submission_table(result), class_table([summarise(result)])):
            text = printed(table, 200)
            assert "[red]" in text and "\x1b" not in text

    def test_intake_table(self):
        """A row an attempt; nothing of the export is markup; a wide one has each on a line."""
        ada = replace(single("ada_1", Path("a")), student="[red]Ada\x1b", members=("Ada", "Ben"), late=True)
        ben = replace(single("ben_2", Path("b")), attempt=2, submitted="2024-03-01T12:00:00.5+00:00")
        text = printed(intake_table([ada, ben], {"ben_2": ["x.zip is broken", "[late]"]}, {"ben_2"}), 300)
        lines = [line.split() for line in text.splitlines() if line.strip()[:3] in ("ada", "ben")]
        assert lines[0] == ["ada_1", "[red]Ada\N{REPLACEMENT CHARACTER}", "Ada,", "Ben", "1", "late", "no"]
        assert lines[1] == [
            "ben_2",
            "ben_2",
            "2",
            "2024-03-01T12:00:00+00:00",
            "yes",
            "x.zip",
            "is",
            "broken;",
            "[late]",
        ]
        assert "2 attempts of 2 students or groups; 1 would be graded" in text
        assert " group " not in printed(intake_table([ben], {}, ()), 300).splitlines()[1]

    def test_points_are_never_rounded_up(self):
        """Points are never rounded up."""
        assert [reports.points_text(x) for x in (10.0, 9.99, 7.5, 0.3, 0.0, None)] == [
            "10",
            "9.9",
            "7.5",
            "0.3",
            "0",
            "?",
        ]


class TestWriteJson:
    """A file is whole or absent."""

    def test_is_private_and_whole(self, tmp_path):
        """Is private and whole."""
        path = tmp_path / "results.json"
        path.write_text("old")
        write_json(path, {"score": 1.5})
        assert json.loads(path.read_text(encoding="utf-8")) == {"score": 1.5}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.listdir(tmp_path) == ["results.json"]

    @pytest.mark.parametrize("data", [float("nan"), object()])
    def test_what_cannot_be_written_leaves_the_old(self, tmp_path, data):
        """What cannot be written leaves the old."""
        path = tmp_path / "results.json"
        path.write_text("old")
        with pytest.raises((TypeError, ValueError)):
            write_json(path, data)
        assert path.read_text() == "old" and os.listdir(tmp_path) == ["results.json"]

    def test_full_disk_leaves_nothing_behind(self, tmp_path, monkeypatch):
        """Full disk leaves nothing behind."""

        def full(descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(reports.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            write_json(tmp_path / "results.json", {})
        assert os.listdir(tmp_path) == []
