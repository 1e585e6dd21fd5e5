"""The command line: parses, calls one function of the layer below, prints, and sets the exit status.

0: done. 1: a validation fell short. 2: usage or configuration. 3: a check ended in INTERNAL_ERROR.
"""

from __future__ import annotations

import enum
import io
import os
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from . import __version__
from .errors import AutograderError, ConfigError

FELL_SHORT, USAGE, INTERNAL = 1, 2, 3
LONG_CLASS = 60  # submissions; beyond, a table of all would be no overview
TERMINATED = 128 + signal.SIGTERM

app = typer.Typer(
    name="autograder",
    help="Grades a PyTorch homework with checks that live in another process than the student's code.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
bundle = typer.Typer(help="Make what a grading platform gets.", no_args_is_help=True)
app.add_typer(bundle, name="bundle")
out_console = Console()
err_console = Console(stderr=True)


class Isolation(enum.StrEnum):
    """The isolation modes; `auto` is the strongest that the machine has."""

    auto = "auto"
    sandbox = "sandbox"
    container = "container"
    process = "process"
    none = "none"


class Engine(enum.StrEnum):
    """The container engines."""

    docker = "docker"
    podman = "podman"


class Attempt(enum.StrEnum):
    """Which of a student's attempts counts; for `best` and `all`, all are graded."""

    latest = "latest"
    active = "active"
    best = "best"
    all = "all"


JobsOption = Annotated[
    int | None, typer.Option(min=1, help="How many submissions are graded at a time; by default all that fit.")
]
HomeworkOption = Annotated[
    Path | None,
    typer.Option("--homework", help="The homework's folder; by default the nearest above the working directory."),
]
IsolationOption = Annotated[Isolation, typer.Option(help="How student code is kept apart from the grader.")]
EngineOption = Annotated[
    Engine | None, typer.Option(help="Of containers; by default AUTOGRADER_ENGINE, or the first that answers.")
]
ImageOption = Annotated[
    str, typer.Option(help="For --isolation container; by default AUTOGRADER_IMAGE, or what `bundle docker` makes.")
]
WheelhouseOption = Annotated[Path | None, typer.Option(help="A folder of wheels to install from, and to put in.")]
TorchIndexOption = Annotated[str, typer.Option(help="Where pip finds torch's builds for the CPU, an address.")]
RequireOption = Annotated[
    str,
    typer.Option("--require-isolation", help="Refuse to grade without these layers, e.g. user,seccomp."),
]


@app.command()
def grade(
    submissions: Annotated[
        list[Path], typer.Argument(help="Folders, zips or single files; a folder of them; or a platform's export.")
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Where results go: DIR/<name>/results.json; needed to grade.")
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Grade nothing: show who handed in what.")] = False,
    question: Annotated[list[str] | None, typer.Option(help="Grade only this question; may be repeated.")] = None,
    attempt: Annotated[
        Attempt, typer.Option(help="Which of a student's attempts counts; `active` is the platform's choice.")
    ] = Attempt.latest,
    jobs: JobsOption = None,
    regrade: Annotated[bool, typer.Option("--regrade", help="Grade also what has not changed.")] = False,
    scheduler: Annotated[str, typer.Option(help="Grade on the Dask cluster with this address.")] = "",
    isolation: IsolationOption = Isolation.auto,
    require_isolation: RequireOption = "",
    waivers: Annotated[Path | None, typer.Option(help="This class's waivers of banned names, a TOML file.")] = None,
    image: ImageOption = "",
    engine: EngineOption = None,
    homework: HomeworkOption = None,
) -> None:
    """Grade one submission, or a class; what has not changed since it was graded into the same folder is not run."""
    from . import attempts, containers, intake, reports
    from .batch import Options
    from .config import load_homework, load_waivers

    if out is None and not listing:
        raise ConfigError("Missing option '-o DIR': where results go; --list needs none, and grades nothing")
    containers.prefer(engine, image)
    hw = load_homework(homework)
    for name in question or ():
        hw.question(name)
    for path in submissions:
        if not path.exists():
            raise ConfigError(f"{path} does not exist")
    handed = intake.handed_in(submissions, hw)
    counted = attempts.counting(handed, attempt)
    if out is None or listing:
        names = {entry.name for entry in counted}
        _wide().print(reports.intake_table(handed, attempts.look(handed, hw), names))
        return
    if len(counted) < len(handed):
        left = f"of {len(handed)} attempts, {len(handed) - len(counted)} do not count (--attempt {attempt})"
        err_console.print(left, highlight=False)
    lifted = load_waivers(hw, waivers) if waivers else ()
    options = Options(isolation, _layers(require_isolation), waivers=lifted)
    how = {"questions": question, "choice": attempt, "jobs": jobs, "regrade": regrade}
    _show(_grade(hw, handed, out, options, scheduler, **how), out)


@app.command()
def demo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Where results go.")] = Path("out/demo"),
    jobs: JobsOption = None,
    isolation: IsolationOption = Isolation.auto,
    homework: HomeworkOption = None,
) -> None:
    """Grade the homework's sample class, and compare the scores with what they must be."""
    from .attempts import single
    from .batch import Options, assemble, shortfalls
    from .config import load_homework

    hw = load_homework(homework)
    if not hw.demo:
        raise ConfigError("the homework has no [[tool.autograder.demo]]")
    with tempfile.TemporaryDirectory() as folder:
        handed = [single(sample.name, Path(folder) / sample.name) for sample in hw.demo]
        for sample in hw.demo:
            assemble(hw, sample.overlays, Path(folder) / sample.name)
        shown = _grade(hw, handed, out, Options(isolation), jobs=jobs, regrade=True)
    _show(shown, out)
    wrong = [line for pair in zip(hw.demo, shown.summaries, strict=True) for line in shortfalls(*pair)]
    for line in wrong:
        err_console.print(line, style="red", highlight=False)
    if wrong:
        raise typer.Exit(FELL_SHORT)
    out_console.print(f"all {len(shown.summaries)} results are what they must be")


@app.command()
def verify(
    out: Annotated[Path, typer.Argument(help="The folder that `autograder grade -o` wrote to.")],
    sample: Annotated[int, typer.Option(min=1, help="How many submissions are graded again.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the choice of the sample.")] = 0,
    jobs: JobsOption = None,
    isolation: IsolationOption = Isolation.auto,
    homework: HomeworkOption = None,
) -> None:
    """Grade a random sample of a gradebook again, from the files kept in it, and compare every verdict."""
    from . import audit, display
    from .batch import Options, likely_jobs
    from .config import load_homework

    hw = load_homework(homework)
    with display.ClassProgress(err_console) as shown:
        found = audit.verify(
            hw,
            out,
            Options(isolation),
            sample=sample,
            seed=seed,
            jobs=jobs or likely_jobs(sample),
            watcher=shown,
        )
    for note in found.notes:
        err_console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    for one in found.differences:
        line = f"{one.name}: {one.check} was {one.then}, and is {one.now}"
        err_console.print(line, style="red", highlight=False, markup=False, soft_wrap=True)
    same = f"{found.checks - len(found.differences)} of {found.checks} verdicts came again"
    out_console.print(f"{same}, of {len(found.names)} of {found.of} submissions", highlight=False)
    if found.differences:
        raise typer.Exit(FELL_SHORT)


@app.command()
def explain(
    out: Annotated[Path, typer.Argument(help="The folder that `autograder grade -o` wrote to.")],
    student: Annotated[str, typer.Argument(help="A submission's name, or a student's name or number.")],
    check: Annotated[str, typer.Argument(help="A check's id or title, or a part of its id.")],
    files: Annotated[Path | None, typer.Option(help="Where to write the student's files; a new folder.")] = None,
    isolation: IsolationOption = Isolation.auto,
    homework: HomeworkOption = None,
) -> None:
    """Reproduce one verdict of a gradebook: run its check once more, and show all that there is to say."""
    from . import audit, reports
    from .batch import Options
    from .config import load_homework

    folder = files or Path(tempfile.mkdtemp(prefix="submission-"))
    found = audit.reproduce(load_homework(homework), out, student, check, Options(isolation), folder)
    for note in found.notes:
        err_console.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    out_console.print(reports.verdicts(found.row, found.then, found.now), soft_wrap=True)
    out_console.print(f"the files: {folder}\nby hand: {found.command}", soft_wrap=True, markup=False, highlight=False)
    if found.now.outcome is not found.then.outcome:
        raise typer.Exit(FELL_SHORT)


@app.command()
def stubs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file is out of step.")] = False,
    homework: HomeworkOption = None,
) -> None:
    """Generate the students' stubs, and questions.toml, from the solution and the configuration."""
    from .config import load_homework
    from .stubs import write_assignment

    changed = write_assignment(load_homework(homework), check=check)
    for path in changed:
        out_console.print(f"{'out of step' if check else 'written'}: {path}", soft_wrap=True)
    if not changed:
        out_console.print("the assignment is in step with the solution")
    if check and changed:
        raise typer.Exit(FELL_SHORT)


@app.command()
def validate(
    quick: Annotated[bool, typer.Option("--quick", help="A sample of everything, in under a minute.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="How many submissions are graded at a time.")] = 2,
    only: Annotated[list[str] | None, typer.Option("--only", help="A part, such as mutants; may be repeated.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write what was found here.")] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Write down which check catches which mutants, and how they behave.")
    ] = False,
    homework: HomeworkOption = None,
) -> None:
    """Prove the grader right: right answers pass, wrong ones are caught, every check is needed, nothing leaks."""
    from . import answers, diagnosis, reports
    from . import validate as validation
    from .config import load_homework

    hw = load_homework(homework)
    if record and quick:
        raise ConfigError("--quick tries a sample of the mutants: record without it")
    with _progress() as progress:

        def part(name: str, steps: int) -> Callable[[], None]:
            if not err_console.is_terminal:
                err_console.print(f"{name} ({steps}) ...", highlight=False)
            task = progress.add_task(name, total=steps)
            return lambda: progress.advance(task)

        parts = only or ()
        found = validation.validate(hw, quick=quick, only=parts, jobs=jobs, record=record, progress=part)
    if record and found.caught:
        _say_written(answers.record(hw, found.caught))
    if record and found.behaviour:
        _say_written(diagnosis.record(hw, found.behaviour))
    if json_file is not None:
        reports.write_json(json_file, reports.validation_json(found))
    out_console.print(reports.validation_table(found), reports.times_table(found))
    for line in (line for part in found.parts for line in part.shortfalls):
        err_console.print(line, style="red", highlight=False, markup=False, soft_wrap=True)
    if not found.passed:
        raise typer.Exit(FELL_SHORT)


@app.command()
def handout(
    out: Annotated[Path, typer.Option("-o", "--out", help="The zip to write.")],
    homework: HomeworkOption = None,
) -> None:
    """Make the zip that students get; nothing is written while something is wrong with it."""
    from . import bundles
    from .config import load_homework
    from .handout import handout

    hw = load_homework(homework)
    with _progress() as progress:
        task = progress.add_task("handout", total=None)
        content, shortfalls = handout(hw, lambda name: progress.update(task, description=name))
    for line in shortfalls:
        err_console.print(line, style="red", highlight=False, markup=False, soft_wrap=True)
    if shortfalls:
        raise typer.Exit(FELL_SHORT)
    _say_written(bundles.write(out, content))


@bundle.command("otter")
def bundle_otter(
    out: Annotated[Path, typer.Option("-o", "--out", help="The zip to write.")],
    wheelhouse: WheelhouseOption = None,
    torch_index: TorchIndexOption = "",
    require_isolation: Annotated[
        str | None,
        typer.Option(help="Refuse to grade without these layers; by default those that every Linux has."),
    ] = None,
    homework: HomeworkOption = None,
) -> None:
    """Make the zip that Otter-Grader takes, for `otter run` and for Gradescope."""
    from . import bundles
    from .config import load_homework
    from .otter_bundle import otter_zip

    required = None if require_isolation is None else _layers(require_isolation)
    content = otter_zip(load_homework(homework), required=required, wheelhouse=wheelhouse, torch_index=torch_index)
    _say_written(bundles.write(out, content))


@bundle.command("gradescope")
def bundle_gradescope(
    out: Annotated[Path, typer.Option("-o", "--out", help="The zip to write.")],
    wheelhouse: WheelhouseOption = None,
    torch_index: TorchIndexOption = "",
    require_isolation: Annotated[
        str | None,
        typer.Option(help="Refuse to grade without these layers; by default those of Gradescope's containers."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=10, help="How long all checks of a submission may take.")] = 540,
    homework: HomeworkOption = None,
) -> None:
    """Make the zip that is uploaded to Gradescope as an assignment's autograder."""
    from . import bundles, gradescope
    from .config import load_homework

    required = gradescope.LAYERS if require_isolation is None else _layers(require_isolation)
    content = gradescope.bundle(load_homework(homework), required, seconds, wheelhouse, torch_index)
    _say_written(bundles.write(out, content))
    if wheelhouse is None and not torch_index:
        note = "torch will come from pip's own index, on Linux with libraries for graphics cards, several GB"
        err_console.print(f"note: {note}; --torch-index or --wheelhouse make it small", soft_wrap=True)


def _say_written(path: Path) -> None:
    out_console.print(f"written: {path} ({path.stat().st_size / (1 << 20):.1f} MB)", soft_wrap=True, markup=False)


@app.command()
def calibrate(
    seeds: Annotated[int, typer.Option(min=3, help="How many runs of the solution.")] = 200,
    isolation: IsolationOption = Isolation.auto,
    homework: HomeworkOption = None,
) -> None:
    """Measure the solution over many seeds, and store the thresholds that follow; goes on where it was interrupted."""
    from . import calibration
    from .config import load_homework
    from .grading import Grading

    hw = load_homework(homework)
    with Grading(hw, isolation) as grading, _progress() as progress:
        versions = grading.grader.ready["versions"]
        journal = calibration.Journal(hw, versions)
        left = [seed for seed in range(seeds) if seed not in journal.runs]
        task = progress.add_task("calibrating", total=seeds, completed=seeds - len(left))
        for seed, quantities in zip(left, grading.measure(left), strict=True):
            journal.add(seed, quantities)
            progress.advance(task)
    measured = journal.measured(range(seeds))
    path = calibration.write(hw, measured, versions)
    journal.remove()
    for name in sorted(measured):
        summary = calibration.summarise(measured[name])
        out_console.print(f"{name}: mean {summary['mean']}, threshold {summary['threshold']} ({seeds} seeds)")
    out_console.print(f"written: {path}", soft_wrap=True)


@app.command()
def doctor(homework: HomeworkOption = None) -> None:
    """Show versions, the isolation that this machine has, and whether the homework is in order."""
    from . import containers
    from .config import load_homework
    from .grading import Grading

    hw = load_homework(homework)
    out_console.print(f"homework: {hw.title} ({hw.root}), {len(hw.questions)} questions")
    with Grading(hw, "auto") as grading:
        for name, version in grading.grader.ready["versions"].items():
            out_console.print(f"{name}: {version}")
        isolation = grading.grader.ready["isolation"]
        out_console.print(f"isolation: {isolation['mode']}")
        for layer in isolation["layers"]:
            out_console.print(f"  {layer}: in force")
        for layer, reason in isolation["absent"].items():
            out_console.print(f"  {layer}: no ({reason})")
        if "opens" in isolation:
            out_console.print(f"  workers may open: {isolation['opens']}")
        out_console.print(f"checks: {len(grading.checks)}")
    for engine in containers.ENGINES:
        reason = containers.answers(engine)
        out_console.print(f"{engine}: {f'no ({reason})' if reason else 'answers'}", markup=False, soft_wrap=True)


@bundle.command("docker")
def bundle_docker(
    out: Annotated[Path | None, typer.Option("-o", "--out", help="Keep what the image is built of here.")] = None,
    base: Annotated[str, typer.Option(help="The image to start from: has Python, and its venv.")] = "",
    index: Annotated[str, typer.Option(help="The package index to get torch from; by default pip's own.")] = "",
    wheelhouse: Annotated[
        Path | None, typer.Option(help="A folder of wheels to install from, without a network.")
    ] = None,
    tag: Annotated[str, typer.Option(help="The image's name; by default the one that `grade` looks for.")] = "",
    engine: EngineOption = None,
    homework: HomeworkOption = None,
) -> None:
    """Build the image that `grade --isolation container` runs workers in."""
    from . import containers, images
    from .config import load_homework

    containers.prefer(engine)
    options = images.Options(base=base, torch_index=index, wheelhouse=wheelhouse, tag=tag)
    made = images.build(load_homework(homework), options, out)
    out_console.print(f"built: {made.tag} with {made.engine}, {made.megabytes} MB", soft_wrap=True, markup=False)


def _layers(names: str) -> list[str]:
    from .confine import LAYERS

    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in LAYERS:
            raise ConfigError(f"there is no layer {name!r}; the layers are {', '.join(LAYERS)}")
    return wanted


def _grade(hw: Any, handed: list[Any], out: Path, options: Any, scheduler: str = "", **how: Any) -> Any:
    """Grade with bars or lines; returns what was shown, with the summaries."""
    from . import display
    from .batch import grade_all

    with display.ClassProgress(err_console) as shown:
        if scheduler:
            from .cluster import ClusterGraders

            how["graders"] = lambda: ClusterGraders(hw, options, scheduler, shown.say)
        try:
            shown.summaries = grade_all(hw, handed, out, options, **how, watcher=shown)
        except KeyboardInterrupt:
            shown.interrupted()
            raise
    return shown


def _show(shown: Any, out: Path) -> None:
    """Print a class's results, and end with status 3 if the grader itself failed anywhere."""
    from . import reports

    summaries = shown.summaries
    if shown.only is not None:
        out_console.print(reports.explanations(shown.only), end="", soft_wrap=True)
        out_console.print(reports.submission_table(shown.only))
    elif len(summaries) <= LONG_CLASS:
        out_console.print(reports.class_table(summaries))
    else:
        out_console.print(reports.class_overview(summaries))
    where = out / (summaries[0].name if len(summaries) == 1 else "<name>")
    out_console.print(f"results: {where / 'results.json'}", soft_wrap=True, markup=False)
    out_console.print(f"for the student: {where / 'feedback.html'}", soft_wrap=True, markup=False)
    broken = [line for summary in summaries for line in summary.broken]
    for line in broken[:10]:
        err_console.print(line, style="red", highlight=False, markup=False, soft_wrap=True)
    if broken:
        count = f"{len(broken)} checks ended in INTERNAL_ERROR"
        err_console.print(f"{count}: the grader's fault, so scores are withheld", soft_wrap=True)
        raise typer.Exit(INTERNAL)


def _progress() -> Progress:
    from .display import progress_bar

    return progress_bar(err_console)


def _wide() -> Console:
    """A console for tables: a file or a pipe, where no line needs to be broken, takes them as wide as they are."""
    return out_console if out_console.is_terminal else Console(file=out_console.file, width=1_000)


def _version(show: bool) -> None:
    if show:
        out_console.print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Grades a PyTorch homework with checks that live in another process than the student's code."""


def _prepare_streams() -> None:
    """Have three standard streams that take any text, here and in the grader.

    Where one is closed, the next file to be opened would take its number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _terminate(*_: object) -> None:
    sys.exit(TERMINATED)


def main() -> None:
    """Run the command line; an error that a user can cause, or a full disk, is one line."""
    _prepare_streams()
    signal.signal(signal.SIGTERM, _terminate)  # by an exception, so that the grader and temporary files go too
    try:
        if sys.platform == "win32":
            raise ConfigError("grading forks processes, which Windows cannot: run it in WSL 2, or in a container")
        app()
    except (AutograderError, OSError) as error:
        err_console.print(f"error: {error}", style="red", highlight=False, markup=False, soft_wrap=True)
        _forget_unwritten()
        sys.exit(USAGE)


def _forget_unwritten() -> None:
    """Give up output that cannot be written, on a full disk: Python would try again at its end, and fail with that."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
