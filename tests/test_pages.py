"""The student's page: all text is text, it loads nothing, it says what a student may see and no more."""

import re
import shutil
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from autograder import pages
from autograder.pages import feedback_page
from autograder.results import CheckInfo, CheckResult, Frame, Outcome, QuestionResult, SubmissionResult

NASTY = "<script>alert(1)</script>\"'&amp; ]]> --> </pre></style><img src=x onerror=y> {{ 7*7 }} `<b>`"
CONTROLS = "\x00\x1b[31m\x7f\u202e\u2066\ud800\u2028"
EXAMPLE = 'import torch\n\nX = torch.tensor([[1.0]])  # "a" < b\nprint(X)'
BLOCKS = {"div", "ul", "ol", "li", "dl", "pre", "p", "h1", "h2", "h3", "h4", "section", "details", "nav", "main"}
VOID = {"meta"}


class Page(HTMLParser):
    """A page as a parser sees it; raises where tags are not balanced or a paragraph would end early."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self.open: list[str] = []
        self.declaration = ""
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_decl(self, decl: str) -> None:
        """Keep the doctype."""
        self.declaration = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        assert not (tag in BLOCKS and "p" in self.open), f"{tag} in a paragraph"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """The innermost open tag is the one that ends."""
        assert self.open and self.open.pop() == tag, f"</{tag}> does not match"

    def handle_data(self, data: str) -> None:
        """Keep text with where it is."""
        if "style" not in self.open:
            self.texts.append((tuple(self.open), data))

    @property
    def text(self) -> str:
        """All text, without the style sheet, a space for each run of white space."""
        return " ".join("".join(text for _, text in self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all tags of a name."""
        return [attributes for name, attributes in self.tags if name == tag]


def check(question: str, name: str, outcome: Outcome = Outcome.PASSED, **more) -> CheckResult:
    """A check's result."""
    info = {"points": 1.0, "visibility": "public"}
    info = {key: more.pop(key, default) for key, default in info.items()}
    title = more.pop("title", f"Title of {name}.")
    return CheckResult(CheckInfo(f"tests/test_{question}.py::{name}", question, title, **info), outcome, **more)


def all_parts(text: str = "some text") -> dict:
    """All that a check can say."""
    return {
        "message": text,
        "comparison": f"{text}\n\ncame  expected\n 1.0       2.0 {text}",
        "jacobians": f"a  b\n1  2 {text}",
        "frames": (Frame(f"linear.py{text}", 4, f"forward{text}", f"return X  # {text}"),),
        "example": f"{EXAMPLE}  # {text}",
        "output": f"printed {text}",
        "hint": text,
    }


def submission(text: str = "some text", **more) -> SubmissionResult:
    """A submission with every outcome, every visibility, and a text in all places where there is one."""
    checks = (
        check("linear", "test_a", title=f"All is right {text}"),
        check("linear", "test_b", Outcome.FAILED, title=f"Values are right {text}", **all_parts(text)),
        check("linear", "test_c", Outcome.SKIPPED, message=text),
        check("linear", "test_d", Outcome.TIMED_OUT, message=text),
        check("linear", "test_e", Outcome.OUT_OF_MEMORY),
        check("linear", "test_f", Outcome.CRASHED, output=text),
        check("relu", "test_g", output=text),
        check("relu", "test_h", Outcome.FAILED, visibility="hidden", message="TypeError", frames=all_parts()["frames"]),
        check("mnist", "test_i", visibility="secret"),
        check("mnist", "test_j", Outcome.FAILED, visibility="secret", message="canary"),
        check("mnist", "test_k", visibility="secret"),
    )
    questions = (
        QuestionResult("linear", 10, 7.5),
        QuestionResult("relu", 5, 0.0, gate=(f"relu.py:3 uses torch.relu {text}", "relu.py:9 uses it again")),
        QuestionResult("mnist", 10, 6.6666, note=f"`mnist` runs on your own parts {text}"),
    )
    fields = {
        "isolation": {"mode": f"sandbox {text}", "layers": ["process", "seccomp"], "absent": {}},
        "versions": {"torch": f"2.13.0{text}"},
        "notes": (f"torch.py was left out: {text}",),
        "seconds": 12.3456,
    }
    return SubmissionResult(f"alice {text}", questions, checks, **{**fields, **more})


def one_question(*checks: CheckResult, score: float | None = 0.0, **more) -> SubmissionResult:
    """A submission of one question."""
    return SubmissionResult("bob", (QuestionResult("linear", 10, score, **more),), checks)


def rendered(result: SubmissionResult, title: str = "Introduction") -> Page:
    """A submission's page, parsed."""
    return Page(feedback_page(result, title))


class TestMarkup:
    """Whatever a text says, it is text, in a page that is whole by itself."""

    @pytest.mark.parametrize("result", [submission(), submission(NASTY), SubmissionResult("x", (), ())])
    def test_is_a_page(self, result):
        """It is balanced HTML with a language, an encoding, a viewport and one main heading."""
        html = feedback_page(result, "Introduction")
        page = Page(html)
        assert html.lstrip().lower().startswith("<!doctype html>") and page.declaration.lower() == "doctype html"
        assert page.all("html") == [{"lang": "en"}]
        assert {"charset": "utf-8"} in page.all("meta")
        assert {meta.get("name") for meta in page.all("meta")} >= {"viewport", "color-scheme"}
        assert len(page.all("h1")) == len(page.all("title")) == len(page.all("main")) == 1
        html.encode("utf-8")

    def test_markup_in_texts_is_only_text(self):
        """With hostile texts the page has the same tags and attributes as with plain ones."""

        def shape(page: Page) -> list:
            return [(tag, sorted(attributes)) for tag, attributes in page.tags if tag not in ("span", "code")]

        plain, nasty = rendered(submission()), rendered(submission(NASTY), NASTY)
        assert shape(plain) == shape(nasty)
        shown = NASTY.replace("`", "")  # which mark code
        assert nasty.text.count(shown) + nasty.text.count(NASTY) > 15
        assert set(tag for tag, _ in nasty.tags) == set(tag for tag, _ in plain.tags) | {"code"}

    @pytest.mark.parametrize("place", ["title", "name", "question", "note", "layer", "version"])
    def test_each_text_beside_the_checks_is_escaped(self, place):
        """So that no single place is forgotten."""
        result, title = submission(), "Introduction"
        match place:
            case "title":
                title = NASTY
            case "name":
                result = replace(result, name=NASTY)
            case "question":
                result = replace(result, questions=(replace(result.questions[0], name=NASTY),))
            case "note":
                result = replace(result, notes=(NASTY,))
            case "layer":
                result = replace(result, isolation={"mode": NASTY, "layers": [NASTY]})
            case "version":
                result = replace(result, versions={NASTY: NASTY})
        html = feedback_page(result, title)
        assert "<script" not in html and "<img" not in html and "&lt;script&gt;" in html
        assert "alert(1)" in Page(html).text

    def test_control_characters_are_replaced(self):
        """Also those that turn the direction of text, and half characters."""
        html = feedback_page(submission(f"x{CONTROLS}y"), CONTROLS)
        assert not set(html) & set(CONTROLS.replace("[31m", ""))
        assert "\N{REPLACEMENT CHARACTER}" in html
        html.encode("utf-8")

    @pytest.mark.parametrize("result", [submission(), submission(NASTY)])
    def test_loads_and_runs_nothing(self, result):
        """No scripts, no handlers, nothing from elsewhere; and browsers are told so."""
        html = feedback_page(result, "Introduction")
        page = Page(html)
        assert not {"script", "link", "img", "iframe", "object", "form", "base", "svg"} & {t for t, _ in page.tags}
        for _, attributes in page.tags:
            assert not any(name.startswith("on") or name in ("src", "action") for name in attributes)
            assert (attributes.get("href") or "#").startswith("#")
        style = html[html.index("<style>") : html.index("</style>")]
        assert "url(" not in style and "@import" not in style
        policy = next(m for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")["content"]
        assert (policy or "").startswith("default-src 'none'; style-src 'unsafe-inline'")

    @pytest.mark.parametrize("result", [submission(), one_question(), SubmissionResult("x", (), ())])
    def test_links_lead_somewhere(self, result):
        """Each link and label names an id that is there, and each id is there once."""
        page = rendered(result)
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        links = {link["href"] for link in page.all("a")}
        labels = {attributes["aria-labelledby"] for _, attributes in page.tags if "aria-labelledby" in attributes}
        assert {link.removeprefix("#") for link in links if link} | labels <= set(ids)

    def test_code_keeps_every_character(self):
        """Colours are added to code, and nothing is taken away."""
        page = rendered(one_question(check("linear", "test_a", Outcome.FAILED, example=EXAMPLE)))
        assert EXAMPLE in "".join(text for where, text in page.texts if "pre" in where)
        assert {span.get("class") for span in page.all("span")} >= {"k", "m", "c"}


class TestSays:
    """What a student reads."""

    def test_score_and_points(self):
        """The score first, then each question's points in numbers, for screen readers too."""
        page = rendered(submission())
        assert "14.1 of 25 points" in page.text
        bars = [a["aria-label"] for a in page.all("span") if a.get("role") == "img"]
        assert bars == ["7.5 of 10 points", "0 of 5 points", "6.6 of 10 points"]
        assert all(page.text.count(f" {points}") >= 2 for points in bars)
        assert "torch.py was left out" in page.text

    def test_next_is_the_first_that_lost_points(self):
        """In the homework's order, with the check to begin with."""
        result = submission()
        assert "Look at linear first: it has 7.5 of 10 points. Begin with this check: Values" in rendered(result).text
        first = replace(result.questions[0], score=10.0)
        gated = rendered(replace(result, questions=(first, *result.questions[1:])))
        assert "Look at relu first: it has 0 of 5 points. It counts 0 because of a banned name." in gated.text
        secret = rendered(replace(result, questions=(first, result.questions[2])))
        assert "Look at mnist first" in secret.text and "Only secret checks of it did not pass." in secret.text

    def test_nothing_to_do(self):
        """Full points are nothing to mend."""
        page = rendered(one_question(check("linear", "test_a"), score=10.0))
        assert "Nothing: every question has all its points." in page.text

    @pytest.mark.parametrize("outcome", Outcome)
    def test_outcome_is_a_word(self, outcome):
        """And a sign, so that no colour is needed to tell it."""
        word, symbol, _ = pages.OUTCOMES[outcome]
        page = rendered(one_question(check("linear", "test_a", outcome, visibility="hidden")))
        assert f"{symbol}{word} Title of test_a." in page.text

    def test_words_and_tones_differ(self):
        """No two outcomes share a word; what did not fail does not look as if it had."""
        assert len({word for word, _, _ in pages.OUTCOMES.values()}) == len(Outcome)
        assert {pages.OUTCOMES[outcome][2] for outcome in pages.NOT_FAILED}.isdisjoint({"bad"})

    def test_every_check_is_there_and_folded(self):
        """What failed in order with its parts, the first open; what passed below, closed."""
        result = submission()
        html = feedback_page(result, "Introduction")
        page = Page(html)
        for shown in result.checks[:8]:
            assert shown.check.title in page.text
        assert [a["id"] for a in page.all("details") if "open" in a] == ["q1-2", "q2-2"]
        assert html.index("Title of test_c") < html.index("Title of test_d") < html.index("All is right")
        assert "1 of 6 checks passed. 1 was skipped, which counts neither way." in page.text

    def test_first_open_check_is_one_that_failed(self):
        """Not one that was skipped, or that the autograder failed at."""
        checks = [
            check("linear", f"test_{outcome}", outcome, message="m")
            for outcome in (Outcome.SKIPPED, Outcome.INTERNAL_ERROR, Outcome.CRASHED, Outcome.FAILED)
        ]
        page = rendered(one_question(*checks, score=None))
        assert [a["id"] for a in page.all("details") if "open" in a] == ["q1-3"]

    def test_parts_in_order(self):
        """Those of `feedback.sections`, between message and hint."""
        page = rendered(one_question(check("linear", "test_a", Outcome.FAILED, **all_parts())))
        found = [
            page.text.index(part) for part in ("some text", "What came,", "What backward", "In your files", "To see")
        ]
        found += [page.text.index(part) for part in ("Your code printed:", "Hint.")]
        assert found == sorted(found)
        assert "linear.py" in page.text and ":4 in forward" in page.text and "return X" in page.text

    def test_hint_that_all_share_is_said_once(self):
        """At the question; a hint of one check only, or of some, stays with them."""
        failed = [check("linear", f"test_{n}", Outcome.FAILED, hint="Write the shapes.") for n in range(3)]
        other = check("linear", "test_x", Outcome.TIMED_OUT, message="no answer within 60 seconds")
        html = feedback_page(one_question(check("linear", "test_a"), *failed, other), "Introduction")
        assert html.count("Write the shapes.") == 1
        assert html.index("Write the shapes.") < html.index("Title of test_0.", html.index('id="q1"'))
        some = feedback_page(one_question(*failed, check("linear", "test_y", Outcome.FAILED)), "Introduction")
        assert some.count("Write the shapes.") == 3
        alone = feedback_page(one_question(failed[0]), "Introduction")
        assert alone.index("Write the shapes.") > alone.index('id="q1-1"')

    def test_gate_says_why(self):
        """Each banned name with file and line, though all checks pass."""
        page = rendered(submission())
        assert "This question counts 0. relu.py:3 uses torch.relu some text. relu.py:9 uses it again." in page.text

    def test_withheld_score(self):
        """It is the autograder's fault, nothing is a zero, and nothing of our error is shown."""
        broken = check("linear", "test_a", Outcome.INTERNAL_ERROR, **all_parts("canary"))
        page = rendered(one_question(broken, check("linear", "test_b"), score=None))
        assert "Score withheld" in page.text and "failed in linear. This is not your fault." in page.text
        assert "canary" not in page.text and "0 of 10 points" not in page.text and "Failed" not in page.text
        assert "withheld (of 10)" in page.text and "Nothing for now" in page.text
        assert "1 was not judged, because the autograder itself failed" in page.text

    def test_hidden_checks_say_so_and_no_more(self):
        """Of a hidden check, nothing that student code could have put its input into."""
        canary = all_parts("canary")
        frames = (Frame("linear.py", 4, "canary", "return X"),)
        hidden = check(
            "linear", "test_a", Outcome.FAILED, visibility="hidden", **{**canary, "frames": frames, "hint": "h"}
        )
        html = feedback_page(one_question(hidden), "Introduction")
        assert "canary" not in html and "test_a.py" not in html and "tests/" not in html
        page = Page(html)
        assert "Title of test_a. hidden" in page.text and pages.HIDDEN in page.text and "linear.py:4" in page.text

    def test_secret_checks_are_only_counted(self):
        """No title, no outcome of any one."""
        html = feedback_page(submission(), "Introduction")
        assert "2 of 3 secret checks passed." in html
        assert not any(name in html for name in ("canary", "test_i", "test_j", "test_k", "A secret check"))
        assert 'id="q3-1"' not in html

    def test_facts(self):
        """Layers in force and versions, folded, at the end."""
        html = feedback_page(submission(), "Introduction")
        facts = Page(html[html.index("<footer>") : html.index("</footer>") + len("</footer>")])
        assert "layers in force process, seccomp torch 2.13.0" in facts.text and "12.3 seconds" in facts.text
        bare = rendered(one_question())
        assert "isolation unknown layers in force none" in bare.text


class TestBounds:
    """A page that can be mailed, made in a moment."""

    def test_an_ordinary_page_is_small(self):
        """A hundred and fifty failed checks with all they usually say."""
        parts = {**all_parts(), "example": f"{EXAMPLE}\n" * 4, "hint": ""}
        checks = [
            check(f"q{n % 11}", f"test_{n}", Outcome.FAILED, visibility="hidden" if n > 45 else "public", **parts)
            for n in range(154)
        ]
        questions = tuple(QuestionResult(f"q{n}", 10, 0.0) for n in range(11))
        html = feedback_page(SubmissionResult("x", questions, tuple(checks)), "Introduction")
        assert len(html.encode()) < 300_000 and pages.LEFT_OUT not in html

    def test_a_huge_result_stays_bounded(self):
        """However much is said, and however much longer it gets when it is escaped; the first check says it all."""
        huge = "'&\x00" * 4_000
        checks = [check(f"q{n % 11}", f"test_{n}", Outcome.FAILED, **all_parts(huge)) for n in range(154)]
        questions = tuple(QuestionResult(f"q{n}", 10, 0.0, gate=(huge,) * 500, note=huge) for n in range(11))
        started = time.perf_counter()
        result = SubmissionResult(huge, questions, tuple(checks), notes=(huge,) * 500, versions={huge: huge})
        html = feedback_page(result, huge)
        assert time.perf_counter() - started < 20
        assert len(html.encode()) < 3_000_000
        page = Page(html)
        assert len([a for a in page.all("details") if str(a.get("id")).startswith("q")]) == 154
        assert pages.LEFT_OUT in page.text
        assert "Your code printed:" in page.text

    @pytest.mark.parametrize(
        "piece", ["'", '"', "\\", "f'{", "(", "'''", "0_", "a.", "@", "#", "\t ", "rb'\\x", "=", "é"]
    )
    def test_no_code_takes_long_to_highlight(self, piece):
        """Student code chooses what is highlighted."""
        started = time.perf_counter()
        pages._highlighted((piece * pages.MAX_PART)[: pages.MAX_PART])
        assert time.perf_counter() - started < 3

    def test_points_are_never_rounded_up(self):
        """Neither the number nor the bar."""
        page = rendered(one_question(check("linear", "test_a", Outcome.FAILED), score=9.999))
        assert "9.9 of 10 points" in page.text
        assert [a["style"] for a in page.all("span") if "style" in a] == ["width:99%"]


# -- colours -----------------------------------------------------------------------------------------------------------

STYLE = (pages.TEMPLATES / "feedback.css").read_text(encoding="utf-8")
PALETTES = [
    dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", block)) for block in re.findall(r":root \{(.*?)\}", STYLE, re.S)
]
TEXTS = {
    "page": ["text", "muted", "link", "good", "bad", "warn"],
    "raised": ["text", "muted", "keyword", "string", "number", "comment", "name"],
    "hint": ["text", "link"],
    "gate": ["text", "link"],
}


def luminance(colour: str) -> float:
    """WCAG 2's relative luminance."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


class TestStyle:
    """The style sheet: light, dark, print."""

    def test_three_palettes_of_the_same_colours(self):
        """None lacks a colour that another has."""
        assert len(PALETTES) == 3 and PALETTES[0].keys() == PALETTES[1].keys() == PALETTES[2].keys()
        assert set(re.findall(r"var\(--(\w+)\)", STYLE)) <= PALETTES[0].keys()

    @pytest.mark.parametrize("palette", PALETTES, ids=["light", "dark", "print"])
    def test_text_can_be_read(self, palette):
        """WCAG AA: 4.5 to 1 for text, 3 to 1 for a bar in its track."""
        pairs = [(text, ground) for ground, texts in TEXTS.items() for text in texts]
        assert [pair for pair in pairs if contrast(palette[pair[0]], palette[pair[1]]) < 4.5] == []
        assert all(contrast(palette[bar], palette["track"]) >= 3 for bar in ("link", "good"))

    def test_classes_are_known(self):
        """Each class that the page uses is in the style sheet, and the other way round."""
        html = feedback_page(submission(), "Introduction") + feedback_page(one_question(score=None), "x")
        used = {name for names in re.findall(r'class="([^"]*)"', html) for name in names.split()}
        known = set(re.findall(r"\.([a-z]+)\b", STYLE))
        assert used - known <= {"part"}
        assert known - used <= {"s", "n", "warn", "quiet", "full"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_in_a_browser(tmp_path, width, scheme):
    """Chromium lays it out without scrolling sideways, fetches nothing else, complains of nothing, and prints all."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = tmp_path / "feedback.html"
    path.write_text(feedback_page(submission(f"{NASTY} {'long' * 50}"), "Introduction"), encoding="utf-8")
    noticed: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.on("console", lambda message: noticed.append(message.text))
        page.on("request", lambda request: noticed.append(request.url))
        page.goto(path.as_uri())
        wide = "document.documentElement.scrollWidth"
        folded = page.evaluate(wide)
        unseen = "[...document.querySelectorAll('details:not([open]) > ul')].filter(x => x.checkVisibility()).length"
        closed = page.evaluate(unseen)
        page.emulate_media(media="print")
        printed = page.evaluate(unseen)
        page.emulate_media(media="screen")
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        unfolded = page.evaluate(wide)
        browser.close()
    assert (folded, unfolded) == (width, width)
    assert noticed == [path.as_uri()]
    assert closed == 0 and printed == 2
