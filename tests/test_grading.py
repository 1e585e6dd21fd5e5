"""Grading the homework that ships: every kind of bad submission, right and wrong answers, and the supervisor.

Both isolation modes grade at the same time, a thread each, and must give every check the same outcome.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder import batch
from autograder.config import Homework, load_homework
from autograder.grading import Grading
from autograder.results import CheckResult, Outcome, SubmissionResult
from autograder.submissions import Submission, read_submission
from autograder.visibility import for_student

MODES = ("process", "none")
SUBMISSIONS = Path(__file__).parent / "submissions"
MINI = Path(__file__).parent / "mini"
SMALL = {"cpu_seconds": 1, "wall_seconds": 6, "memory_mb": 512}
Grade = Callable[..., dict[str, SubmissionResult]]


@pytest.fixture(scope="module")
def grade(homework: Homework) -> Iterator[Grade]:
    """Grade a submission in the modes asked for, at once; outcomes must agree."""
    yield from _grade_in_modes(homework, None)


@pytest.fixture(scope="module")
def grade_bad(homework: Homework) -> Iterator[Grade]:
    """The same with small limits, so that what hangs is soon over."""
    yield from _grade_in_modes(homework, SMALL)


def _grade_in_modes(homework: Homework, limits: dict[str, float] | None) -> Iterator[Grade]:
    with ExitStack() as stack, ThreadPoolExecutor(len(MODES)) as threads:
        started = threads.map(lambda mode: Grading(homework, mode, limits), MODES)
        gradings = {grading.isolation: stack.enter_context(grading) for grading in started}

        def grade(
            submission: Submission, questions: Sequence[str] | None = None, modes: Sequence[str] = MODES
        ) -> dict[str, SubmissionResult]:
            tasks = {mode: threads.submit(gradings[mode].grade, submission, questions) for mode in modes}
            results = {mode: task.result() for mode, task in tasks.items()}
            first, *others = results.values()
            for other in others:
                assert other.outcomes() == first.outcomes()
                assert [question.score for question in other.questions] == [q.score for q in first.questions]
            return results

        yield grade


def submitted(homework: Homework, folder: Path, *overlays: str) -> Submission:
    """The solution with other files over it; a file `MISSING` in a folder lists those to take away."""
    batch.assemble(homework, overlays, folder)
    for overlay in overlays:
        missing = homework.path(overlay) / "MISSING"
        for file in missing.read_text(encoding="utf-8").split() if missing.is_file() else ():
            (folder / file).unlink()
    return read_submission(folder, homework)


def not_passed(result: SubmissionResult) -> dict[str, CheckResult]:
    """The checks that did not pass, by id."""
    return {check.check.id: check for check in result.checks if check.outcome is not Outcome.PASSED}


# -- bad submissions -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Expected:
    """What becomes of the checks of the question that a bad submission breaks. All other questions pass.

    Attributes:
        question: whose file it is.
        outcome: of the checks that do not pass.
        message: a pattern that matches the beginning of what each of them says, in all modes.
        line: of the student's file, the last one of each check's frames; 0: there are no frames.
        only: the checks that do not pass, all if empty.
        passes: the checks that pass all the same.
        modes: where to try it; what harms other processes than its own would harm the tests in mode none.
    """

    question: str = "relu"
    outcome: Outcome = Outcome.FAILED
    message: str = ""
    line: int = 0
    only: tuple[str, ...] = ()
    passes: tuple[str, ...] = ()
    modes: tuple[str, ...] = MODES


PUBLIC, HIDDEN = "assignment/tests/test_{}.py::{}", "autograder/checks/test_{}.py::{}"
NAN = (HIDDEN.format("sgd", "test_zero_grad"),)  # the only check that has a gradient which is not a number
ENDED = r"your code ended the Python process"
BAD = {
    "crashes": Expected("sgd", Outcome.CRASHED, rf"the Python interpreter crashed \(|{ENDED}$", only=NAN),
    "disturbs_the_wire": Expected(message="your code disturbed its connection", modes=("process",)),
    "eats_memory": Expected(outcome=Outcome.OUT_OF_MEMORY, message="RuntimeError: .*can't allocate", line=11),
    "eats_memory_python": Expected("sgd", Outcome.OUT_OF_MEMORY, "MemoryError", line=20, only=NAN),
    "exits": Expected(message="SystemExit: 0", line=11),
    "exits_hard": Expected("sgd", Outcome.CRASHED, ENDED, only=NAN),
    "exits_hard_on_import": Expected(outcome=Outcome.CRASHED, message=f"relu.py does not load: {ENDED}"),
    "exits_on_import": Expected(message="relu.py does not load: SystemExit: done", line=14),
    "hangs": Expected("sgd", Outcome.TIMED_OUT, "more than 1 seconds of processor time$", only=NAN),
    "hangs_on_import": Expected(outcome=Outcome.TIMED_OUT, message="relu.py does not load: more than 1 seconds"),
    "import_error": Expected(
        message="relu.py does not load: ModuleNotFoundError: No module named 'my_own_helpers'", line=3
    ),
    "kills_its_parent": Expected(
        "sgd", Outcome.CRASHED, "your code ended processes that are not its own", only=NAN, modes=("process",)
    ),
    "missing_file": Expected(message="relu.py is missing\n$"),
    "not_utf8": Expected(message=r"relu.py is not UTF-8 \(byte 0xe9 in line 1\)"),
    "patches_the_grader": Expected(modes=("process",)),
    "raises": Expected(message=r"Mistake: cannot do this for \d dimensions", line=16),
    "raises_oddly": Expected(message=r"Silent: \(its text cannot be shown\)", line=14),
    "recursion": Expected(message="RecursionError: maximum recursion depth exceeded", line=9),
    "returns_none": Expected(message="(?s).*None"),
    "sleeps": Expected("sgd", Outcome.TIMED_OUT, "no answer within 6 seconds$", only=NAN),
    "syntax_error": Expected(message="relu.py does not load: SyntaxError: ", line=8),
    "wrong_shape": Expected(message="(?si).*shape", passes=(PUBLIC.format("relu", "test_input_is_not_modified"),)),
    "wrong_type": Expected(),
}
# Those that break nothing, or several questions, have tests of their own.
OTHERS = {"banned_name", "half_done", "helper_module", "leaves_processes", "prints_much", "prints_secretly"}


def test_every_bad_submission_is_in_a_test():
    """The folders are the ones that the tests know, and each file says what it does."""
    folders = {path.name for path in SUBMISSIONS.iterdir() if path.is_dir()}
    assert folders == set(BAD) | OTHERS
    for file in SUBMISSIONS.glob("*/*.py"):
        assert file.read_bytes().startswith(b'"""'), f"{file} has no docstring"


@pytest.mark.parametrize("behaviour", sorted(BAD))
def test_a_bad_submission(homework, grade_bad, tmp_path, behaviour):
    """Its own checks say what happened; a question that imports it, and another one, lose nothing."""
    expected = BAD[behaviour]
    submission = submitted(homework, tmp_path / behaviour, f"tests/submissions/{behaviour}")
    questions = {"relu": ("relu", "two_layer_nn", "sequential"), "sgd": ("sgd", "two_layer_nn")}
    for result in grade_bad(submission, questions[expected.question], expected.modes).values():
        lost = not_passed(result)
        own = {c.check.id for c in result.checks if c.check.question == expected.question}
        assert set(lost) == (set(expected.only) or own - set(expected.passes))
        assert {check.outcome for check in lost.values()} == {expected.outcome}
        for check in lost.values():
            assert re.match(expected.message, f"{check.message}\n{check.comparison}"), check
            if expected.line:
                frame = check.frames[-1]
                assert (frame.file, frame.line) == (f"{expected.question}.py", expected.line), check
        assert result.score is not None and result.score < result.max_score


def test_a_banned_name_closes_the_gate(homework, grade_bad, tmp_path):
    """Its checks are run all the same; its question counts 0, with file and line, and no other does."""
    submission = submitted(homework, tmp_path / "banned", "tests/submissions/banned_name")
    for result in grade_bad(submission, ["relu", "two_layer_nn"]).values():
        assert not not_passed(result)
        assert (result.question("relu").score, result.question("two_layer_nn").score) == (0, 5)
        assert result.question("relu").gate[0].startswith("relu.py:4 uses torch.nn.functional")


def test_half_done_work_earns_its_half(homework, grade_bad, tmp_path):
    """A stub costs its own question only; a half filled one earns what it has."""
    submission = submitted(homework, tmp_path / "half", "tests/submissions/half_done")
    for result in grade_bad(submission, ["relu", "two_layer_nn", "sequential"]).values():
        assert (result.question("relu").score, result.question("two_layer_nn").score) == (0, 5)
        assert 0 < result.question("sequential").score < 5
        for check in not_passed(result).values():
            assert check.message.startswith(f"NotImplementedError: {check.check.question}: write ")


@pytest.mark.parametrize("behaviour", ["helper_module", "prints_much"])
def test_an_odd_right_answer(homework, grade_bad, tmp_path, behaviour):
    """A helper module, and megabytes of output, harm nothing; output is cut."""
    submission = submitted(homework, tmp_path / behaviour, f"tests/submissions/{behaviour}")
    for result in grade_bad(submission, ["relu", "two_layer_nn"]).values():
        assert not not_passed(result)
        assert all(len(check.output) < 70_000 for check in result.checks)


def test_what_hidden_checks_ask_is_not_shown(homework, grade_bad, tmp_path):
    """A student learns from a hidden check that a ValueError was raised, and where; not with which input."""
    submission = submitted(homework, tmp_path / "prints", "tests/submissions/prints_secretly")
    for result in grade_bad(submission, ["relu"]).values():
        for check, shown in zip(result.checks, for_student(result.checks), strict=True):
            assert "asked" in check.message and "asked" in check.output
            if check.check.visibility == "public":
                assert "asked" in shown.message and "asked" in shown.output
            else:
                assert (shown.message, shown.output) == ("ValueError", "")
                assert [(frame.file, frame.line) for frame in shown.frames] == [("relu.py", 12)]


def test_processes_of_a_submission_end_with_it(homework, tmp_path):
    """What student code has started is gone when its check is over, and the answers count."""
    submission = submitted(homework, tmp_path / "leaves", "tests/submissions/leaves_processes")
    with Grading(homework, "process") as grading:
        assert not not_passed(grading.grade(submission, ["relu"]))
        grader = grading.grader.process.pid
        wait_until(lambda: len(descendants(grader)) <= 1)  # the zygote
        left = descendants(grader)
    wait_until(lambda: not alive([grader, *left]))


# -- right and wrong answers ---------------------------------------------------------------------------------


def test_the_solution_gets_all_points(homework, grade, tmp_path):
    """The reference passes every check of the whole homework."""
    for result in grade(submitted(homework, tmp_path / "solution")).values():
        assert not not_passed(result)
        assert (result.score, result.max_score) == (100, 100)


def test_the_stubs_get_no_points(homework, grade):
    """What was handed out earns nothing, and says what is to be written."""
    for result in grade(read_submission(homework.path(homework.assignment), homework)).values():
        assert result.score == 0
        assert Outcome.INTERNAL_ERROR not in result.outcomes().values()
        assert Outcome.PASSED not in result.outcomes().values()


def answers(homework: Homework, kind: str) -> dict[str, list[str]]:
    """By question, the paths of its mutants or variants."""
    folder = homework.path(homework.solutions) / kind
    return {
        question.name: [str(path.relative_to(homework.root)) for path in sorted(folder.glob(f"{question.name}/[!_]*"))]
        for question in homework.by_file.values()
    }


@pytest.mark.parametrize("number", range(4))
def test_variants_get_all_points(homework, grade, tmp_path, number):
    """Right answers that are written unlike the reference: one of each question at a time."""
    found = answers(homework, "variants")
    assert all(len(paths) <= 4 for paths in found.values())
    chosen = {question: paths[number] for question, paths in found.items() if number < len(paths)}
    submission = submitted(homework, tmp_path / "variants", *chosen.values())
    (result,) = grade(submission, list(chosen), ["process"]).values()
    assert not not_passed(result)
    assert result.score == result.max_score


@pytest.mark.parametrize("sample", [1, 2])
@pytest.mark.parametrize("parity", [0, 1])
def test_mutants_lose_points_in_their_question_only(homework, grade, tmp_path, parity, sample):
    """Known wrong answers, in every other question: each loses points, and nothing else does."""
    found = answers(homework, "mutants")
    chosen = {name: found[name][len(found[name]) * sample // 3] for name in list(found)[parity::2]}
    others = {"two_layer_nn", "sequential", "training"} - set(chosen)  # cheap, and the first and last import others
    submission = submitted(homework, tmp_path / "mutants", *chosen.values())
    result = grade(submission, [*chosen, *others])["process"]
    lost = {question.name for question in result.questions if question.score < question.points}
    assert lost == set(chosen), f"of {sorted(chosen.values())}"


# -- the supervisor ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mini() -> Homework:
    """The tiny homework."""
    return load_homework(MINI)


@pytest.fixture(scope="module")
def mini_grading(mini: Homework) -> Iterator[Grading]:
    """One grader for what happens to graders."""
    with Grading(mini, "process") as grading:
        yield grading


def mini_solution(mini: Homework, **sources: str) -> Submission:
    """The tiny homework's solution with other texts for some of its files."""
    texts = {f"{name}.py": source.encode() for name, source in sources.items()}
    files = {file: (mini.path(mini.solutions) / file).read_bytes() for file in mini.by_file}
    return Submission("somebody", files | texts, {}, ())


def descendants(pid: int) -> list[int]:
    """The processes below one, as far as they are alive."""
    found = []
    for child in _children(pid):
        found += [child, *descendants(child)]
    return alive(found)


def _children(pid: int) -> list[int]:
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def alive(pids: list[int]) -> list[int]:
    """Those that still run."""
    states = {}
    for pid in pids:
        try:
            states[pid] = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        except OSError:
            states[pid] = "X"
    return [pid for pid, state in states.items() if state not in "XZ"]


def wait_until(done: Callable[[], bool]) -> None:
    """Wait for what other processes are about to do."""
    deadline = time.monotonic() + 60
    while not done():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.05)


def session_of(grading: Grading) -> int:
    """The process that runs the checks."""
    (session,) = set(_children(grading.grader.process.pid)) - {zygote_of(grading)}
    return session


def zygote_of(grading: Grading) -> int:
    """The process that forks workers."""
    for pid in _children(grading.grader.process.pid):
        if b"autograder.zygote" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("no zygote")


@pytest.mark.parametrize(
    "victim",
    [session_of, zygote_of, lambda grading: grading.grader.process.pid],
    ids=["session", "zygote", "grader"],
)
def test_finished_verdicts_survive_a_death(mini, mini_grading, victim):
    """Whichever process of ours is killed, what is finished is kept, and the rest is run again."""
    told: list[CheckResult] = []

    def progress(result: CheckResult) -> None:
        told.append(result)
        if len(told) == 3:
            os.kill(victim(mini_grading), signal.SIGKILL)

    result = mini_grading.grade(mini_solution(mini), progress=progress)
    assert result.score == 25
    assert sorted(check.check.id for check in told) == sorted(result.outcomes())
    assert all(check in result.checks for check in told[:3])
    assert mini_grading.grade(mini_solution(mini), ["cube"]).score == 10


@pytest.mark.parametrize("mode", MODES)
def test_a_check_that_ends_the_grader_is_the_graders_fault(mini, tmp_path, mode):
    """A session that dies twice at the same check, with the solution too, is an INTERNAL_ERROR."""
    shutil.copytree(MINI, tmp_path / "mini")
    check = tmp_path / "mini/checks/test_both.py"
    check.write_text('import os\ndef test_a(hw):\n    """A."""\n    os._exit(1)\n', encoding="utf-8")
    homework = load_homework(tmp_path / "mini")
    with Grading(homework, mode) as grading:
        result = grading.grade(mini_solution(mini))
    (internal,) = not_passed(result).values()
    assert (internal.outcome, result.score) == (Outcome.INTERNAL_ERROR, None)
    assert internal.check.question == "both"


def test_a_timeout_is_confirmed_by_a_second_run(mini, mini_grading, monkeypatch):
    """Only what times out twice is TIMED_OUT; each run is announced."""
    events = []
    next_event = mini_grading.grader.next_event

    def recording(seconds: float):
        event = next_event(seconds)
        events.append(event or {})
        return event

    monkeypatch.setattr(mini_grading.grader, "next_event", recording)
    hangs = "def square(x):\n    while x.requires_grad:\n        pass\n    return x * x"
    result = mini_grading.grade(mini_solution(mini, square=hangs), ["square"])
    (check,) = not_passed(result)
    assert result.outcomes()[check] is Outcome.TIMED_OUT
    started = [event["check"] for event in events if event.get("event") == "started"]
    assert {id: started.count(id) for id in started} == {id: 1 + (id == check) for id in result.outcomes()}


HANGS = "def square(x):\n    while True:\n        pass"


def test_questions_are_graded_in_the_order_that_is_asked_for(mini, mini_grading):
    """The order of grading is the caller's, that of results the homework's."""
    told: list[CheckResult] = []
    result = mini_grading.grade(mini_solution(mini), ["cube", "square"], told.append)
    assert list(dict.fromkeys(check.check.question for check in told)) == ["cube", "square"]
    assert [question.name for question in result.questions] == ["square", "cube"]


def test_a_question_that_hangs_waits_for_the_others(mini):
    """After two of its checks have timed out, the rest of them come last, and still get their own verdicts."""
    told: list[CheckResult] = []
    with Grading(mini, "process", SMALL) as grading:
        grading.grade(mini_solution(mini, square=HANGS), ["square", "cube"], told.append)
    questions = [check.check.question for check in told]
    assert [question for question, _ in itertools.groupby(questions)] == ["square", "cube", "square"]
    assert questions.index("cube") == 2
    assert {check.outcome for check in told if check.check.question == "square"} == {Outcome.TIMED_OUT}


@pytest.mark.parametrize("mode", MODES)
def test_the_time_for_a_whole_submission(mini, mode):
    """When it is over, what has no verdict yet has timed out, and says so; the next submission is not concerned."""
    with Grading(mini, mode, {"cpu_seconds": 600, "wall_seconds": 600}) as grading:
        result = grading.grade(mini_solution(mini, square=HANGS), ["cube", "square"], seconds=10)
        assert result.question("cube").score == 10
        assert result.question("square").score == 0
        late = {(c.outcome, c.message) for c in result.checks if c.check.question == "square"}
        assert late == {(Outcome.TIMED_OUT, "the 10 seconds for the whole submission are over")}
        assert grading.grade(mini_solution(mini)).score == 25


def test_nothing_is_left_behind(mini):
    """When grading is closed, the grader, its zygote and its workers are gone; also when it was interrupted."""
    grading = Grading(mini, "process")
    found = {grading.grader.process.pid}

    def interrupt(result: CheckResult) -> None:
        found.update(descendants(grading.grader.process.pid))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grading.grade(mini_solution(mini), progress=interrupt)
    grading.close()
    assert len(found) >= 3  # grader, session and zygote at least
    wait_until(lambda: not alive(sorted(found)))
