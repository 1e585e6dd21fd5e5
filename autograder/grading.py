"""Grades one submission: supervises the grader process, and sees to it that every check gets a verdict.

The supervisor imports no torch and runs no check. It keeps what is finished, starts again what died, and decides whose
fault it was when the same check, or the same file, ends the grader twice.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import confine, diagnosis, grader_process, scoring
from .config import Homework, Waiver, load_waivers
from .errors import ConfigError, IsolationError
from .grader_process import GraderProcess
from .results import CheckInfo, CheckResult, Outcome, SubmissionResult, check_result_from_json
from .submissions import Submission

Progress = Callable[[CheckResult], None]
MAX_GRADERS = 3  # that may die of one submission


def strongest() -> str:
    """The isolation mode that `auto` stands for on this machine."""
    return "sandbox" if sys.platform == "linux" else "process"


@dataclass
class _Work:
    """What is known, so far, of one submission's grading."""

    submission: Submission
    remaining: list[str]
    stop: bool = False  # at the first check that does not pass
    explain: bool = True
    deadline: float = math.inf
    results: dict[str, CheckResult] = field(default_factory=dict)
    problems: dict[str, tuple[str, str]] = field(default_factory=dict)
    gates: dict[str, tuple[str, ...]] = field(default_factory=dict)
    behaviour: dict[str, diagnosis.Behaviour] = field(default_factory=dict)  # by question, where a check failed
    notes: tuple[str, ...] = ()  # what is wrong with files
    deaths: collections.Counter[str] = field(default_factory=collections.Counter)
    graders: int = 0  # that died of it
    check: str = ""  # running now
    file: str = ""  # being loaded now
    killed: str = ""  # why the supervisor killed the session, if it did

    @property
    def late(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() > self.deadline

    @property
    def failed(self) -> list[str]:
        """The questions with a check that failed so far and whose behaviour has not been looked at."""
        failed = {r.check.question for r in self.results.values() if r.outcome is Outcome.FAILED}
        return sorted(failed - self.behaviour.keys())

    @property
    def stopped(self) -> bool:
        """Whether what remains is not wanted any more."""
        return self.late or (
            self.stop and any(result.outcome is not Outcome.PASSED for result in self.results.values())
        )


class Grading:
    """Grades submissions of one homework, one after the other, with one warm grader.

    Args:
        homework: the homework.
        isolation: `auto`, `container`, `sandbox`, `process` or `none`.
        limits: replaces some of the homework's limits.
        required: layers that must be in force.
        waivers: a class's, besides the homework's own.
        hash_seed: of the grader's strings; no verdict may depend on it.

    Raises:
        ConfigError: the homework's checks cannot be collected.
        IsolationError: this machine cannot isolate as asked.
    """

    def __init__(
        self,
        homework: Homework,
        isolation: str = "auto",
        limits: Mapping[str, float] | None = None,
        required: Sequence[str] = (),
        waivers: Sequence[Waiver] = (),
        hash_seed: int = 0,
    ):
        confine.undumpable()
        self.abandoned = False
        self.waivers = (*load_waivers(homework), *waivers)
        self.homework, self.limits, self.required, self.hash_seed = homework, limits, required, hash_seed
        self.known = diagnosis.recorded(homework)
        self.isolation = strongest() if isolation == "auto" else isolation
        self.grader = GraderProcess(homework, self.isolation, limits, required, hash_seed)
        try:
            self.checks = self._collect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Grading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the grader."""
        self.grader.close()

    def abandon(self) -> None:
        """End the grader now, from another thread; whoever waits for it gets an IsolationError."""
        self.abandoned = True
        self.grader.kill()

    def grade(
        self,
        submission: Submission,
        questions: Iterable[str] | None = None,
        progress: Progress = lambda result: None,
        *,
        stop: bool = False,
        explain: bool = True,
        seconds: float = math.inf,
        only: Collection[str] | None = None,
        kept: SubmissionResult | None = None,
    ) -> SubmissionResult:
        """Run a submission's checks to a verdict each, and score it.

        Args:
            submission: what was handed in.
            questions: grade only these, in this order.
            progress: told about each check's result as it comes.
            stop: skip what comes after the first check that does not pass.
            explain: make failing examples smaller, say why checks failed and look for known mistakes.
            seconds: how long all checks together may take; those that are left then have timed out.
            only: of the questions' checks, run those with these ids.
            kept: an older result of the same files, of which all checks still hold; they are not run again.
        """
        started = time.perf_counter()
        chosen = self._chosen(questions)
        checks = [c for c in self.checks if c.question in chosen and (only is None or c.id in only)]
        in_order = sorted(checks, key=lambda check: chosen.index(check.question))
        work = _Work(submission, [check.id for check in in_order], stop, explain, time.monotonic() + seconds)
        if kept is not None:
            self._keep(work, kept)
        work.problems = {file: (Outcome.FAILED.value, reason) for file, reason in submission.problems.items()}
        while work.remaining and not work.stopped and work.graders < MAX_GRADERS:
            self._session(work, progress)
        if work.remaining and work.late:
            left = f"{len(work.remaining)} of {len(checks)} checks were not finished"
            work.notes += (f"the {seconds:g} seconds for the whole submission were over before {left}",)
        for check in [check for check in checks if check.id in work.remaining]:
            self._finish(work, _unfinished(work, check, seconds), progress)
        results = self._with_hints(work, [work.results[check.id] for check in checks])
        scored = scoring.score(self.homework, results, work.gates)
        return SubmissionResult(
            submission.name,
            tuple(question for question in scored if question.name in chosen),
            tuple(results),
            self.grader.ready["isolation"],
            self.grader.ready["versions"],
            tuple(dict.fromkeys((*work.notes, *submission.notes))),
            round(time.perf_counter() - started, 3),
        )

    def _keep(self, work: _Work, kept: SubmissionResult) -> None:
        """Take over verdicts that still hold, whatever their checks are now worth; gates come anew with a session."""
        now = {check.id: check for check in self.checks}
        held = {result.check.id: replace(result, check=now[result.check.id]) for result in kept.checks}
        work.results = {check: held[check] for check in work.remaining if check in held}
        work.remaining = [check for check in work.remaining if check not in held]
        work.gates = {question.name: question.gate for question in kept.questions if question.gate}
        work.notes = kept.notes

    def _with_hints(self, work: _Work, results: Sequence[CheckResult]) -> list[CheckResult]:
        """Where a mistake is known by its behaviour, its hint says more than what one check can tell."""
        hints = {name: self.known[name].hint(seen) for name, seen in work.behaviour.items() if name in self.known}
        return [
            replace(result, hint=hints[result.check.question])
            if result.outcome is Outcome.FAILED and hints.get(result.check.question)
            else result
            for result in results
        ]

    def observe(self, submission: Submission, questions: Sequence[str]) -> dict[str, diagnosis.Behaviour]:
        """What the probes of some questions see of a submission, by question; what has no probe is left out."""
        work = _Work(submission, [])
        self.grader.send({**self._request(work), "observe": list(questions)})
        return {e["question"]: e["behaviour"] for e in self._events(work) if e["event"] == "observed"}

    def measure(self, seeds: Iterable[int]) -> Iterator[dict[str, float]]:
        """Run the solution's calibrated checks once a seed; yields each run's measured quantities.

        Raises:
            ConfigError: a check of the solution's ended without a verdict.
        """
        for seed in seeds:
            checks = [check.id for check in self.checks]
            self.grader.send({"op": "solution", "checks": checks, "measure": True, "seed": seed})
            found: dict[str, float] = {}
            ended = -1
            for event in self._events(_Work(Submission("solution", {}, {}, ()), [])):
                if event["event"] == "finished":
                    if event["result"]["outcome"] != Outcome.PASSED:
                        raise ConfigError(f"the solution fails {event['result']['check']['id']} with seed {seed}")
                    found |= event["result"]["measured"]
                elif event["event"] == "ended":
                    ended = event["code"]
            if ended != 0:
                raise ConfigError(f"the grader died while it measured the solution with seed {seed}")
            yield found

    def _chosen(self, questions: Iterable[str] | None) -> list[str]:
        if questions is None:
            return [question.name for question in self.homework.questions]
        return [self.homework.question(name).name for name in questions]

    def _collect(self) -> list[CheckInfo]:
        events: list[dict[str, Any]] = []
        for _ in range(2):
            self.grader.send({"op": "collect"})
            events = list(self._events(_Work(Submission("", {}, {}, ()), [])))
            for event in events:
                if event["event"] == "collected":
                    return self._complete([CheckInfo(**check) for check in event["checks"]])
        reason = _last_line(events[-1].get("log", "")) if events else ""
        raise ConfigError(f"the checks cannot be collected: the grader died, twice{reason and f': {reason}'}")

    def _complete(self, checks: list[CheckInfo]) -> list[CheckInfo]:
        lacking = {question.name for question in self.homework.questions} - {check.question for check in checks}
        if lacking:
            raise ConfigError(f"no check judges the question {sorted(lacking)[0]!r}")
        return checks

    def _waived(self, submission: str) -> dict[str, list[str]]:
        """By question, the banned names that a submission may use."""
        found: dict[str, list[str]] = {}
        for waiver in self.waivers:
            if waiver.submission in ("", submission):
                found.setdefault(waiver.question, []).append(waiver.name)
        return found

    # -- one session -----------------------------------------------------------------------------------------------

    def _session(self, work: _Work, progress: Progress) -> None:
        """Run what remains in one session; afterwards something more is decided than before."""
        work.check = work.file = work.killed = ""
        before = len(work.remaining)
        self.grader.send(self._request(work))
        ended: dict[str, Any] = {"code": -1, "log": ""}
        for event in self._events(work):
            match event["event"]:
                case "inspected":
                    work.gates = {name: tuple(lines) for name, lines in event["gates"].items()}
                    work.notes = tuple(event["notes"])
                    work.file = ""
                case "finished":
                    self._finish(work, check_result_from_json(event["result"]), progress)
                    work.check = ""
                case "observed":
                    work.behaviour[event["question"]] = event["behaviour"]
                case "ended":
                    ended = event
        if len(work.remaining) < before:
            del work.deaths[""]  # it went on since it last died between two checks
            if not work.remaining or ended["code"] == 0:
                return
        if work.late:
            return
        self._after_death(work, ended, progress)

    def _request(self, work: _Work) -> dict[str, Any]:
        return {
            "op": "submission",
            "files": {name: base64.b64encode(data).decode() for name, data in work.submission.files.items()},
            "problems": work.problems,
            "checks": work.remaining,
            "stop": work.stop,
            **({"observe": work.failed, "diagnose": True} if work.explain else {"shrink": 0}),
            "waived": self._waived(work.submission.name),
        }

    def _finish(self, work: _Work, result: CheckResult, progress: Progress) -> None:
        if result.check.id in work.remaining:
            work.remaining.remove(result.check.id)
            work.results[result.check.id] = result
            progress(result)

    def _after_death(self, work: _Work, ended: dict[str, Any], progress: Progress) -> None:
        """The session ended before its time: the second time at the same place is a verdict."""
        place = work.check or work.file
        work.deaths[place] += 1
        if work.deaths[place] < 2:
            return
        log = str(ended["log"]).strip()
        if work.check:
            outcome, message = self._whose_fault(work, work.check, log)
            check = next(check for check in self.checks if check.id == work.check)
            self._finish(work, CheckResult(check, outcome, message), progress)
        elif work.file:
            question = self.homework.by_file.get(work.file)
            own = [check.id for check in self.checks if question is None or check.question == question.name]
            outcome, message = self._whose_fault(work, own[0], log="")  # students see what is wrong with their files
            work.problems[work.file] = (outcome.value, f"{work.file} does not load: {message}")
        else:
            for check in [check for check in self.checks if check.id in work.remaining]:
                self._finish(work, CheckResult(check, Outcome.INTERNAL_ERROR, f"the grader died: {log}"), progress)

    def _whose_fault(self, work: _Work, check: str, log: str) -> tuple[Outcome, str]:
        """Why a session ended twice at one place; it may be the student's code if a check of the solution passes."""
        if self.isolation == "none" and work.killed:
            return Outcome.TIMED_OUT, work.killed
        self.grader.send({"op": "solution", "checks": [check]})
        events = list(self._events(_Work(work.submission, [])))
        if [event["result"]["outcome"] for event in events if event["event"] == "finished"] == [Outcome.PASSED]:
            if work.killed:
                return Outcome.TIMED_OUT, work.killed
            if self.isolation == "none":
                return Outcome.CRASHED, "your code ended the Python process"
            if "seccomp" not in self.grader.ready["isolation"]["layers"]:  # with it, no other process can be ended
                return Outcome.CRASHED, "your code ended processes that are not its own"
        return Outcome.INTERNAL_ERROR, f"the grader died, twice{log and f': {log}'}"

    def _events(self, work: _Work) -> Iterator[dict[str, Any]]:
        """The events of one session up to its end; kills what is stuck, restarts the grader when that died.

        Raises:
            ConfigError: the grader refuses, because of the homework's checks or configuration.
        """
        watch = _Watch(self.isolation == "none", self.limits or {}, self.homework)
        pid, refused = 0, ""
        while True:
            try:
                event = self.grader.next_event(0.5)
            except EOFError:
                work.graders += 1
                self._restart()
                return
            if work.late and pid:
                self._end_stuck(pid)
            if event is None:
                if reason := watch.expired(pid):
                    work.killed = reason
                    self._end_stuck(pid)
                    pid = 0  # if nothing comes now either, the grader itself is stuck
                    watch.restart(pid)
                continue
            match event["event"]:
                case "child":
                    pid = event["pid"]
                case "loading":
                    work.file = event["file"]
                    watch.restart(pid)
                case "started":
                    work.check = event["check"]
                    watch.restart(pid, event["limits"])
                case "refused":
                    refused = event["message"]
            yield event
            if event["event"] == "ended":
                if refused:
                    raise ConfigError(refused)
                return

    def _end_stuck(self, pid: int) -> None:
        """Kill a session, or the grader if there is none."""
        if not pid:
            self.grader.kill()
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def _restart(self) -> None:
        """Start another grader in place of one that died.

        Raises:
            IsolationError: it does not start, or with other layers, so that a result could not say which were in force.
        """
        layers = self.grader.ready["isolation"]["layers"]
        self.grader.close()
        if self.abandoned:
            raise IsolationError("grading was given up")
        self.grader = GraderProcess(self.homework, self.isolation, self.limits, self.required, self.hash_seed)
        now = self.grader.ready["isolation"]["layers"]
        if now != layers:
            raise IsolationError(f"the layers in force changed while grading, from {layers} to {now}")


def _unfinished(work: _Work, check: CheckInfo, seconds: float) -> CheckResult:
    """The verdict for a check that was not run to its end, or at all."""
    if work.graders >= MAX_GRADERS:
        return CheckResult(check, Outcome.INTERNAL_ERROR, set_aside(work.graders))
    if work.late:
        return CheckResult(check, Outcome.TIMED_OUT, f"the {seconds:g} seconds for the whole submission are over")
    return CheckResult(check, Outcome.SKIPPED)


def set_aside(deaths: int) -> str:
    """Why a submission is not graded that grader after grader dies of."""
    return f"set aside: {deaths} graders died while they graded this submission"


def decided(
    homework: Homework, submission: Submission, checks: Sequence[CheckResult], kept: SubmissionResult
) -> SubmissionResult:
    """The result of verdicts that are there already: scored with what checks and questions are worth now.

    Args:
        homework: the homework.
        submission: what was handed in; its name is the result's.
        checks: all verdicts.
        kept: the older result that they are from; its gates hold.
    """
    gates = {question.name: question.gate for question in kept.questions if question.gate}
    names = {result.check.question for result in checks}
    questions = [question for question in scoring.score(homework, checks, gates) if question.name in names]
    return replace(kept, name=submission.name, questions=tuple(questions), checks=tuple(checks))


class _Watch:
    """Tells when a session is stuck: by a check's own limits if student code is in it, else well beyond them."""

    def __init__(self, shared: bool, limits: Mapping[str, float], homework: Homework):
        self.shared = shared
        self.default = {**homework.limits.model_dump(), **limits}
        self.restart(0)

    def restart(self, pid: int, limits: Mapping[str, float] | None = None) -> None:
        """A check, or a file, begins."""
        self.limits = limits or self.default
        self.started = time.monotonic()
        self.cpu = _cpu_seconds(pid)

    def expired(self, pid: int) -> str:
        """Why to end the session now; empty if there is no reason."""
        wall = self.limits["wall_seconds"]
        if self.shared and _cpu_seconds(pid) - self.cpu > self.limits["cpu_seconds"]:
            return f"more than {self.limits['cpu_seconds']:g} seconds of processor time"
        if time.monotonic() - self.started > (wall if self.shared else 3 * wall + grader_process.PATIENCE):
            return f"no answer within {wall:g} seconds"
        return ""


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]


def _cpu_seconds(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return 0.0
