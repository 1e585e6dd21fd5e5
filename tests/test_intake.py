"""Intake: whatever a platform calls it, every attempt is listed once, under the right student, and can be read."""

import io
import os
import shutil
import threading
import unicodedata
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import attempts as choosing
from autograder import folders, metadata
from autograder.attempts import best, counting, duplicates, look, single
from autograder.config import Homework, Question
from autograder.errors import ConfigError, SubmissionError
from autograder.intake import handed_in

GOOD = b"def answer():\n    return 1\n"
OTHER = b"def answer():\n    return 2\n"
BOTH = {"linear.py": GOOD, "relu.py": GOOD}


@pytest.fixture
def homework(tmp_path):
    """A homework of two questions."""
    root = tmp_path / "homework"
    (root / "assignment").mkdir(parents=True)
    questions = (
        Question(name="linear", points=1, file="linear.py"),
        Question(name="relu", points=1, file="relu.py"),
    )
    return Homework(root=root, title="test", questions=questions)


def zipped(members: dict[str, bytes]) -> bytes:
    """The content of a zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def write(path: Path, members: dict[str, bytes]) -> Path:
    """Write what an export holds: as a zip if the path is called so, else unpacked; a name with `/` is a folder."""
    if path.suffix == ".zip":
        path.write_bytes(zipped(members))
        return path
    for name, data in members.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.mkdir() if name.endswith("/") else place.write_bytes(data)
    return path


@pytest.fixture(params=["class.zip", "class"])
def target(request, tmp_path) -> Path:
    """Where an export is written: once as the platform's zip, once unpacked."""
    return tmp_path / request.param


def people(handed):
    """What most tests look at."""
    return [(one.name, one.student, one.identity) for one in handed]


def files(handed, homework):
    """The names of the files of each attempt."""
    return {one.name: sorted(one.read(homework).files) for one in handed}


def by_name(handed):
    """The attempts by name."""
    return {one.name: one for one in handed}


# -- Gradescope ----------------------------------------------------------------------------------------------

METADATA = """---
submission_1001:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0123'
    :email: ada@example.edu
  :created_at: 2024-03-01 12:00:00.123456000 -08:00
  :score: 3.0
  :status: processed
  :results:
    tests:
    - name: 'a: "b"'
      score: 1
  :history:
  - :id: 900
    :created_at: 2024-02-28 12:00:00.000000000 -08:00
    :score: 1.0
    :results: {}
  - :id: 950
    :created_at: 2024-02-29 12:00:00.000000000 -08:00
    :score: 2.0
submission_1002:
  :submitters:
  - :name: "Zo\\u00EB M\\u00FCller"
    :sid:
    :email: zoe@example.edu
  - :name: 王小明
    :sid: '7'
    :email: ming@example.edu
  :created_at: 2024-03-02 01:02:03.000000000 Z
  :history: []
submission_1003:
  :submitters:
  - :name: Ben Gone
    :sid: '9'
    :email: ben@example.edu
  :created_at: 2024-03-02 01:02:03.000000000 Z
"""


def gradescope(text: str = METADATA, **more: bytes) -> dict[str, bytes]:
    """An export with its description, two submissions and one that nobody listed."""
    root = "assignment_4711_export/"
    members = {
        f"{root}submission_metadata.yml": text.encode(),
        f"{root}submission_1001/linear.py": GOOD,
        f"{root}submission_1001/relu.py": GOOD,
        f"{root}submission_1002/hw/linear.py": GOOD,
        f"{root}submission_77/linear.py": GOOD,
        f"{root}.DS_Store": b"\0",
        "__MACOSX/assignment_4711_export/._submission_metadata.yml": b"\0",
    }
    return {**members, **{root + name: data for name, data in more.items()}}


class TestGradescope:
    """Gradescope's export."""

    def test_who_is_who(self, homework, target):
        """Names, identities, groups, times and attempts come from the description."""
        handed = handed_in([write(target, gradescope())], homework)
        assert people(handed) == [
            ("submission_1001", "Ada Lovelace", "0123"),
            ("submission_1002", "Zoë Müller", "7+zoe@example.edu"),
            ("submission_1003", "Ben Gone", "9"),
            ("submission_77", "submission_77", "submission_77"),
        ]
        ada, group, _, _ = handed
        assert (ada.attempt, ada.active, ada.late, ada.members) == (3, True, None, ())
        assert ada.submitted == "2024-03-01T12:00:00.123456-08:00"
        assert group.submitted == "2024-03-02T01:02:03+00:00"
        assert group.members == ("Zoë Müller", "王小明")
        assert files([ada, group, handed[3]], homework) == {
            "submission_1001": ["linear.py", "relu.py"],
            "submission_1002": ["linear.py"],
            "submission_77": ["linear.py"],
        }

    def test_missing_folder_is_listed(self, homework, target):
        """A submission that is described but not there is an error when it is read, and not before."""
        missing = by_name(handed_in([write(target, gradescope())], homework))["submission_1003"]
        assert "its folder is missing" in missing.note
        with pytest.raises(SubmissionError, match="its folder is missing"):
            missing.read(homework)

    def test_folder_that_is_not_listed_is_noted(self, homework, target):
        """A submission that is there but not described is somebody's."""
        stranger = handed_in([write(target, gradescope())], homework)[-1]
        assert stranger.note == "not listed in submission_metadata.yml"

    def test_a_class_of_one(self, homework, target):
        """An export with a single submission is not taken for a folder in a folder."""
        text = "submission_5:\n  :submitters:\n  - :name: Solo\n    :sid: '1'\n"
        root = "assignment_1_export"
        members = {f"{root}/submission_metadata.yml": text.encode(), f"{root}/submission_5/relu.py": GOOD}
        [solo] = handed_in([write(target, members)], homework)
        assert (solo.name, solo.student) == ("submission_5", "Solo")
        assert list(solo.read(homework).files) == ["relu.py"]

    def test_zip_in_a_submission_is_entered(self, homework, target):
        """A student who handed in a zip in a zip is graded all the same."""
        members = gradescope("submission_5:\n  :submitters: []\n", **{"submission_5/hw.zip": zipped(BOTH)})
        found = by_name(handed_in([write(target, members)], homework))["submission_5"]
        assert sorted(found.read(homework).files) == ["linear.py", "relu.py"]
        assert "does not say who" in found.note

    def test_shared_members_are_noted(self, homework, target):
        """Somebody in two groups is noted in both; nothing is merged."""
        ada = "  :submitters:\n  - :name: Ada\n    :sid: '1'\n"
        text = f"submission_1001:\n{ada}submission_1002:\n{ada}  - :name: Ben\n    :sid: '2'\n"
        handed = by_name(handed_in([write(target, gradescope(text))], homework))
        assert handed["submission_1001"].note == "Ada is also in submission_1002"
        assert handed["submission_1002"].note == "Ada is also in submission_1001"
        assert handed["submission_1001"].identity != handed["submission_1002"].identity

    def test_two_submissions_of_one_student_are_attempts_in_order_of_time(self, homework, target):
        """The later is the active one, whatever their numbers."""
        entry = "  :submitters:\n  - :name: Ada\n    :sid: '1'\n  :created_at: 2024-03-0{} 00:00:00 Z\n"
        text = f"submission_1001:\n{entry.format(2)}submission_1002:\n{entry.format(1)}"
        handed = by_name(handed_in([write(target, gradescope(text))], homework))
        assert [(one.attempt, one.active) for one in list(handed.values())[:2]] == [(2, True), (1, False)]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "- a list",
            "submission_1: [",
            "submission_1: \t- x\n y: }",
            "\0\1",
            "[" * 200_000,
            "x: " + "{a: " * 5_000,
            "? {a: b}\n: c",
        ],
        ids=["empty", "list", "open", "tab", "binary", "brackets", "braces", "odd-key"],
    )
    def test_malformed_description_is_one_line(self, homework, target, text):
        """It neither crashes the grader nor leaves a traceback."""
        with pytest.raises(ConfigError) as caught:
            handed_in([write(target, gradescope(text))], homework)
        assert "submission_metadata.yml" in str(caught.value) and "\n" not in str(caught.value)

    def test_malformed_description_among_others_stops_nobody(self, homework, tmp_path):
        """Zips that are named one by one are students': one of them cannot stop the class."""
        bad = write(tmp_path / "bad.zip", gradescope("["))
        good = write(tmp_path / "good.zip", BOTH)
        handed = handed_in([bad, good], homework)
        assert [one.name for one in handed] == ["bad", "good"]
        assert "not YAML" in handed[0].note

    def test_huge_description_is_refused(self, homework, target, monkeypatch):
        """It is not read into memory."""
        monkeypatch.setattr(metadata, "MAX_SIZE", 1 << 20)
        with pytest.raises(ConfigError, match="larger than 1 MB"):
            handed_in([write(target, gradescope("#" * (1 << 21)))], homework)

    def test_tags_make_nothing(self, homework, target, tmp_path):
        """A tag that asks for a Python object, or for one of Ruby's, is passed over."""
        mark = tmp_path / "mark"
        text = (
            f"submission_1001:\n  :x: !!python/object/apply:os.mkdir ['{mark}']\n"
            "  :submitters:\n  - !ruby/object:User\n    :name: !!python/name:os.system Ada\n    :sid: '1'\n"
        )
        handed = by_name(handed_in([write(target, gradescope(text))], homework))
        assert handed["submission_1001"].student == "Ada"
        assert not mark.exists()

    def test_aliases_do_not_explode(self, homework, target):
        """Ruby writes the same text twice as an alias; a tower of them costs nothing."""
        tower = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 60))
        text = f"a0: &a0 x\n{tower}submission_1001:\n  :submitters:\n  - :name: &n Ada\n    :sid: *n\n"
        assert by_name(handed_in([write(target, gradescope(text))], homework))["submission_1001"].identity == "Ada"

    @pytest.mark.parametrize("key", ["../submission_77", "submission_77/../submission_77", "/etc", "."])
    def test_key_that_leads_elsewhere_is_missing(self, homework, target, key):
        """A described folder is one that lies in the export."""
        text = f"{key!r}:\n  :submitters: []\n"
        found = handed_in([write(target, gradescope(text))], homework)[0]
        assert "its folder is missing" in found.note
        with pytest.raises(SubmissionError):
            found.read(homework)

    def test_odd_times_are_noted(self, homework, target):
        """A time that cannot be read is not guessed; one without a zone is UTC."""
        text = (
            "submission_1001:\n  :submitters: []\n  :created_at: 2024-13-45\n"
            "submission_1002:\n  :submitters: []\n  :created_at: 2024-03-01 10:00:00\n"
        )
        odd, fine = handed_in([write(target, gradescope(text))], homework)[:2]
        assert (odd.submitted, fine.submitted) == ("", "2024-03-01T10:00:00+00:00")
        assert "its time cannot be read: 2024-13-45" in odd.note


# -- Canvas --------------------------------------------------------------------------------------------------


class TestCanvas:
    """Canvas' download of all submissions."""

    def test_files_of_a_student_are_one_submission(self, homework, target):
        """Prefixes go, the student's own names come back; LATE is told."""
        members = {
            "lovelaceada_11_501_linear.py": GOOD,
            "lovelaceada_11_502_relu.py": GOOD,
            "benbo_LATE_12_503_hw.zip": zipped({"hw/linear.py": GOOD, "__MACOSX/hw/._linear.py": b"\0"}),
            "cleo_13_504_report.pdf": b"%PDF",
            "dan_14_text.html": b"<p>see my repository</p>",
            ".DS_Store": b"\0",
        }
        handed = handed_in([write(target, members)], homework)
        assert people(handed) == [
            ("benbo_12", "benbo", "12"),
            ("cleo_13", "cleo", "13"),
            ("dan_14", "dan", "14"),
            ("lovelaceada_11", "lovelaceada", "11"),
        ]
        ben, cleo, dan, ada = handed
        assert [one.late for one in handed] == [True, False, False, False]
        assert files([ben, ada], homework) == {"benbo_12": ["linear.py"], "lovelaceada_11": ["linear.py", "relu.py"]}
        with pytest.raises(SubmissionError, match="no Python file"):
            cleo.read(homework)
        with pytest.raises(SubmissionError, match="a text was handed in"):
            dan.read(homework)

    @pytest.mark.parametrize("again", ["-1", "-2", "-0a1b2c3d-1111-2222-3333-444455556666"])
    def test_file_uploaded_again_counts(self, homework, target, again):
        """The highest number counts, and the others are noted."""
        members = {"ada_1_5_linear.py": GOOD, f"ada_1_4_linear{again}.py": OTHER, "ben_2_6_relu.py": GOOD}
        ada = handed_in([write(target, members)], homework)[0]
        assert ada.read(homework).files == {"linear.py": OTHER}
        assert ada.note == f"linear.py was uploaded 2 times: linear{again}.py counts, not linear.py"

    def test_same_name_twice_counts_by_attachment(self, homework, target):
        """Of two files of the same name, the one that was uploaded later."""
        members = {"ada_1_90_linear.py": GOOD, "ada_1_100_linear.py": OTHER}
        [ada] = handed_in([write(target, members)], homework)
        assert ada.read(homework).files == {"linear.py": OTHER}

    def test_two_zips_are_two_attempts(self, homework, target):
        """In order of attachments, which are numbers."""
        members = {
            "ada_1_100_hw.zip": zipped({"linear.py": OTHER}),
            "ada_1_90_homework.zip": zipped({"linear.py": GOOD}),
            "ada_1_101_relu.py": GOOD,
        }
        first, second = handed_in([write(target, members)], homework)
        assert [(one.name, one.attempt, one.active) for one in (first, second)] == [
            ("ada_1", 1, False),
            ("ada_1-2", 2, True),
        ]
        assert first.read(homework).files == {"linear.py": GOOD}
        assert second.read(homework).files == {"linear.py": OTHER, "relu.py": GOOD}

    def test_file_beside_a_zip_fills_in(self, homework, target):
        """What the zip lacks comes from beside it; what it has counts."""
        members = {
            "ada_1_5_hw.zip": zipped({"hw/linear.py": GOOD}),
            "ada_1_6_relu.py": GOOD,
            "ada_1_7_linear.py": OTHER,
        }
        [ada] = handed_in([write(target, members)], homework)
        submission = ada.read(homework)
        assert submission.files == BOTH
        assert submission.notes == ("linear.py was left out: the zip beside it has one",)

    def test_broken_zip_leaves_the_files_beside_it(self, homework, target):
        """What can be read is graded."""
        members = {"ada_1_5_hw.zip": b"PK\3\4 not much", "ada_1_6_relu.py": GOOD, "ben_2_7_hw.zip": b"broken"}
        ada, ben = handed_in([write(target, members)], homework)
        submission = ada.read(homework)
        assert list(submission.files) == ["relu.py"] and "not a zip" in submission.notes[0]
        with pytest.raises(SubmissionError, match="not a zip"):
            ben.read(homework)

    def test_names_in_any_script(self, homework, target):
        """A decomposed name is the same student; one with underscores and digits is somebody."""
        nfd = unicodedata.normalize("NFD", "zoë")
        members = {
            f"{nfd}_1_5_linear.py": GOOD,
            "zoë_1_6_relu.py": GOOD,
            "王小明_2_7_relu.py": GOOD,
            "o_neill_jr_3_8_relu.py": GOOD,
            "ada_4_9_2_relu.py": GOOD,
        }
        handed = handed_in([write(target, members)], homework)
        assert sorted(people(handed)) == [
            ("ada_4", "ada", "4"),
            ("o_neill_jr_3", "o_neill_jr", "3"),
            ("zoë_1", "zoë", "1"),
            ("王小明_2", "王小明", "2"),
        ]
        assert sorted(by_name(handed)["zoë_1"].read(homework).files) == ["linear.py", "relu.py"]

    def test_anonymous_students(self, homework, target):
        """Where students are anonymous, there is an identifier instead of name and number."""
        members = {"anon_aB3xZ_5_linear.py": GOOD, "LATE_anon_9kLmN_6_linear.py": GOOD}
        handed = handed_in([write(target, members)], homework)
        assert [(one.name, one.identity, one.late) for one in handed] == [
            ("anon_9kLmN", "9kLmN", True),
            ("anon_aB3xZ", "aB3xZ", False),
        ]

    def test_names_stay_when_somebody_is_added(self, homework, tmp_path):
        """Two students of the same name stay apart, and results keep their names."""
        few = {"smithj_10_5_relu.py": GOOD}
        many = {"smithj_9_4_relu.py": GOOD, **few}
        before = {one.identity: one.name for one in handed_in([write(tmp_path / "few.zip", few)], homework)}
        after = {one.identity: one.name for one in handed_in([write(tmp_path / "many.zip", many)], homework)}
        assert before == {"10": "smithj_10"} and after == {"9": "smithj_9", "10": "smithj_10"}

    def test_very_long_name_keeps_its_number(self, homework, target):
        """What tells students apart is not cut off."""
        members = {f"{'x' * 90}_{number}_5_relu.py": GOOD for number in (1, 2)}
        names = [one.name for one in handed_in([write(target, members)], homework)]
        assert names == [f"{'x' * 58}_1", f"{'x' * 58}_2"]

    def test_what_fits_no_pattern_is_listed(self, homework, target):
        """Whoever unpacked or renamed something in between loses nobody."""
        members = {f"s_{n}_{n}_relu.py": GOOD for n in range(3)}
        members |= {"benbo_12_6_hw/relu.py": GOOD, "renamed.zip": zipped(BOTH)}
        handed = by_name(handed_in([write(target, members)], homework))
        assert sorted(handed["renamed"].read(homework).files) == ["linear.py", "relu.py"]
        assert list(handed["benbo_12_6_hw"].read(homework).files) == ["relu.py"]
        assert handed["renamed"].note == "its name says not whose it is"

    def test_file_name_that_leads_elsewhere(self, homework, tmp_path):
        """Nothing leads out of the zip; a backslash is a folder, as Windows writes it."""
        members = {"ada_1_5_linear.py": GOOD, "..\\ben_2_6_linear.py": GOOD, "/cleo_3_7_relu.py": GOOD}
        assert [one.name for one in handed_in([write(tmp_path / "class.zip", members)], homework)] == ["ada_1"]

    def test_backslashes_in_a_zip(self, homework, tmp_path):
        """Zipped again on Windows, in a folder."""
        members = {"class\\ada_1_5_linear.py": GOOD, "class\\ben_2_6_hw.zip": zipped({"hw\\relu.py": GOOD})}
        handed = handed_in([write(tmp_path / "class.zip", members)], homework)
        assert files(handed, homework) == {"ada_1": ["linear.py"], "ben_2": ["relu.py"]}

    def test_name_in_utf_8_without_saying_so(self, homework, tmp_path):
        """As macOS writes it, and some platforms."""
        path = write(tmp_path / "class.zip", {"zo\N{CYRILLIC SMALL LETTER ZHE}_1_5_relu.py": GOOD})
        data = bytearray(path.read_bytes())
        data[7] &= ~8  # in the local header, then in the table of contents
        data[data.index(b"PK\1\2") + 9] &= ~8
        path.write_bytes(data)
        [zoe] = handed_in([path], homework)
        assert zoe.student == "zo\N{CYRILLIC SMALL LETTER ZHE}"

    def test_link_in_an_unpacked_export_is_not_followed(self, homework, tmp_path):
        """It is listed, and says what it is."""
        write(tmp_path / "class", {"ada_1_5_linear.py": GOOD})
        write(tmp_path / "secret.zip", BOTH)
        (tmp_path / "class" / "ben_2_6_hw.zip").symlink_to(tmp_path / "secret.zip")
        (tmp_path / "class" / "cleo_3_7_relu.py").symlink_to(tmp_path / "class" / "ada_1_5_linear.py")
        _, ben, cleo = handed_in([tmp_path / "class"], homework)
        with pytest.raises(SubmissionError, match="is a link"):
            ben.read(homework)
        assert "is a link" in cleo.read(homework).problems["relu.py"]


# -- Moodle --------------------------------------------------------------------------------------------------


class TestMoodle:
    """Moodle's download of all submissions."""

    def test_folders_of_students(self, homework, target):
        """Files, folders or a zip; with and without the underscore at the end."""
        members = {
            "Ada Lovelace_12345_assignsubmission_file_/linear.py": GOOD,
            "Ada Lovelace_12345_assignsubmission_file_/relu.py": GOOD,
            "Zoë Jean-Luc_12346_assignsubmission_file/hw.zip": zipped(BOTH),
            "Ben Bo_12347_assignsubmission_file_/src/relu.py": GOOD,
            "Ben Bo_12347_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
            "Cleo C_12348_assignsubmission_onlinetext_/onlinetext.html": b"<p>",
            "Participant_12349_assignsubmission_file_/relu.py": GOOD,
        }
        handed = handed_in([write(target, members)], homework)
        assert people(handed) == [
            ("Ada_Lovelace_12345", "Ada Lovelace", "12345"),
            ("Ben_Bo_12347", "Ben Bo", "12347"),
            ("Cleo_C_12348", "Cleo C", "12348"),
            ("Participant_12349", "Participant 12349", "12349"),
            ("Zoë_Jean-Luc_12346", "Zoë Jean-Luc", "12346"),
        ]
        ada, ben, cleo, blind, zoe = handed
        assert files([ada, ben, blind, zoe], homework) == {
            "Ada_Lovelace_12345": ["linear.py", "relu.py"],
            "Ben_Bo_12347": ["relu.py"],
            "Participant_12349": ["relu.py"],
            "Zoë_Jean-Luc_12346": ["linear.py", "relu.py"],
        }
        assert ben.note == "onlinetext was handed in, which is not graded"
        assert all(one.late is None for one in handed)
        with pytest.raises(SubmissionError, match="onlinetext was handed in"):
            cleo.read(homework)

    def test_flat_files(self, homework, target):
        """As a teacher may prefer them."""
        members = {
            "Ada Lovelace_12345_assignsubmission_file_linear.py": GOOD,
            "Ada Lovelace_12345_assignsubmission_file_my_helper.py": GOOD,
            "Ben Bo_12347_assignsubmission_file_hw.zip": zipped(BOTH),
            "Ben Bo_12347_assignsubmission_onlinetext_onlinetext.html": b"<p>",
        }
        handed = handed_in([write(target, members)], homework)
        assert files(handed, homework) == {
            "Ada_Lovelace_12345": ["linear.py", "my_helper.py"],
            "Ben_Bo_12347": ["linear.py", "relu.py"],
        }

    def test_groups(self, homework, target):
        """A group's name and number; the default group has none."""
        members = {
            "Group A_12_assignsubmission_file_/relu.py": GOOD,
            "Default group_assignsubmission_file_/relu.py": GOOD,
        }
        assert people(handed_in([write(target, members)], homework)) == [
            ("Default_group", "Default group", "Default group"),
            ("Group_A_12", "Group A", "12"),
        ]

    def test_two_of_the_same_name(self, homework, target):
        """The participant's number tells them apart."""
        members = {f"Kim Lee_{number}_assignsubmission_file_/relu.py": GOOD for number in (31, 32)}
        assert [one.name for one in handed_in([write(target, members)], homework)] == ["Kim_Lee_31", "Kim_Lee_32"]

    def test_a_class_of_one(self, homework, target):
        """A single folder is not taken for a folder in a folder."""
        [ada] = handed_in([write(target, {"Ada_1_assignsubmission_file_/relu.py": GOOD})], homework)
        assert (ada.student, ada.identity) == ("Ada", "1")

    def test_empty_folder_is_listed(self, homework, tmp_path):
        """Somebody who handed in nothing is somebody."""
        write(tmp_path / "class", {"Ada_1_assignsubmission_file_/": b"", "Ben_2_assignsubmission_file_/relu.py": GOOD})
        ada, _ = handed_in([tmp_path / "class"], homework)
        with pytest.raises(SubmissionError, match="no Python file"):
            ada.read(homework)


# -- zips in zips, and many --------------------------------------------------------------------------------------


class TestZipInAZip:
    """A student's zip in the zip of a class."""

    def one(self, path: Path, data: bytes, homework):
        """The attempt of an export with a single zip."""
        return handed_in([write(path, {"ada_1_5_hw.zip": data})], homework)[0]

    def test_bomb_ends_at_the_limit(self, homework, tmp_path, monkeypatch):
        """As much is unpacked as a zip may have."""
        monkeypatch.setattr(folders, "MAX_NESTED", 1 << 20)
        data = zipped({"linear.py": GOOD}) + bytes(8 << 20)
        with pytest.raises(SubmissionError, match="larger than 1 MB"):
            self.one(tmp_path / "class.zip", data, homework).read(homework)

    def test_bomb_in_it_ends_at_the_limit(self, homework, target):
        """And as much of each file."""
        problems = self.one(target, zipped({"linear.py": bytes(8 << 20)}), homework).read(homework).problems
        assert problems["linear.py"] == "linear.py is larger than 512 KB"

    def test_zip_in_a_zip_in_a_zip_is_not_entered(self, homework, tmp_path):
        """One level is what people do."""
        data = zipped({"inner.zip": zipped(BOTH)})
        with pytest.raises(SubmissionError, match="no Python file"):
            self.one(tmp_path / "class.zip", data, homework).read(homework)

    def test_encrypted(self, homework, tmp_path):
        """Listed, and an error in one line."""
        path = write(tmp_path / "class.zip", {"ada_1_5_hw.zip": zipped(BOTH)})
        data = bytearray(path.read_bytes())
        data[6] |= 1
        data[data.rindex(b"PK\1\2") + 8] |= 1
        path.write_bytes(data)
        [ada] = handed_in([path], homework)
        with pytest.raises(SubmissionError, match="encrypted"):
            ada.read(homework)

    def test_more_members_than_a_submission_may_have(self, homework, target):
        """In a student's zip only the questions are read."""
        many = {f"helper{n}.py": b"" for n in range(folders.SUBMISSION.members)}
        submission = self.one(target, zipped({**many, **BOTH}), homework).read(homework)
        assert sorted(submission.files) == ["linear.py", "relu.py"]
        assert "more than 2000 files" in submission.notes[0]


class TestManyStudents:
    """A class has more files than a submission may."""

    def test_two_thousand_students(self, homework, target):
        """All are listed, one file is open, and each can be read."""
        members = {f"student{n}_{n}_{n}_{question}": GOOD for n in range(2_000) for question in BOTH}
        handed = handed_in([write(target, members)], homework)
        assert len(handed) == 2_000
        before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
        with ThreadPoolExecutor(4) as pool:
            read = list(pool.map(lambda one: one.read(homework).files, handed[::20]))
        assert all(found == BOTH for found in read)
        after = len(os.listdir("/proc/self/fd")) if before else 0
        assert after <= before + 1
        assert threading.active_count() < 10

    def test_folder_of_one_student_with_too_many_files(self, homework, target):
        """In the zip of a class, too, only the questions are read."""
        many = {f"submission_5/h{n}.py": b"" for n in range(folders.SUBMISSION.members)}
        text = "submission_5:\n  :submitters: []\n"
        members = gradescope(text, **many, **{f"submission_5/{name}": GOOD for name in BOTH})
        submission = by_name(handed_in([write(target, members)], homework))["submission_5"].read(homework)
        assert sorted(submission.files) == ["linear.py", "relu.py"]

    def test_export_is_read_anew_when_it_changes(self, homework, tmp_path):
        """Another download under the same name is another export."""
        path = write(tmp_path / "class.zip", {"ada_1_5_relu.py": GOOD})
        assert handed_in([path], homework)[0].read(homework).files == {"relu.py": GOOD}
        write(path, {"ada_1_5_relu.py": OTHER, "ben_2_6_relu.py": GOOD})
        assert [one.read(homework).files["relu.py"] for one in handed_in([path], homework)] == [OTHER, GOOD]


# -- what is no export ---------------------------------------------------------------------------------------


class TestNoExport:
    """A student's submission is never taken for a class."""

    @pytest.mark.parametrize(
        "members",
        [
            {**BOTH, "ada_1_5_linear.py": GOOD, "ada_1_6_relu.py": GOOD, "ada_1_7_x.py": GOOD},
            {f"hw/{name}": GOOD for name in [*BOTH, "submission_metadata.yml", "submission_1.py"]},
            {**BOTH, "submission_metadata.yml": METADATA.encode(), "submission_1001/linear.py": GOOD},
            {**BOTH, "Ada_1_assignsubmission_file_/linear.py": GOOD, "Ben_1_assignsubmission_file_/relu.py": GOOD},
            {"hw/src/x.py": GOOD, "a_1_2_x.py": GOOD, "notes.txt": b""},
        ],
    )
    def test_submission_that_looks_like_one(self, homework, target, members):
        """It has question files, or few such names."""
        [one] = handed_in([write(target, members)], homework)
        assert (one.name, one.platform, one.place.main) == ("class", "", "")

    def test_student_whose_zip_is_called_like_one(self, homework, tmp_path):
        """Names of the path itself do not matter."""
        paths = [write(tmp_path / name, BOTH) for name in ("ada_1_5_hw.zip", "assignment_1_export.zip")]
        assert [one.platform for one in handed_in(paths, homework)] == ["", ""]

    def test_folder_of_students_of_whom_one_is_called_so(self, homework, tmp_path):
        """Most names must fit."""
        members = {f"{name}/relu.py": GOOD for name in ("ada", "ben")}
        members |= {"cleo_1_5_hw.zip": zipped(BOTH)}
        handed = handed_in([write(tmp_path / "class", members)], homework)
        assert [one.name for one in handed] == ["ada", "ben", "cleo_1_5_hw"]

    def test_broken_zip_is_one_submission(self, homework, tmp_path):
        """It is listed, and an error when it is read."""
        (tmp_path / "x.zip").write_bytes(b"PK\5\6")
        [one] = handed_in([tmp_path / "x.zip"], homework)
        with pytest.raises(SubmissionError, match="not a zip"):
            one.read(homework)


# -- folders of submissions ----------------------------------------------------------------------------------


class TestPlain:
    """Folders, zips and single files that no platform made."""

    def places(self, paths, homework):
        """Names and places."""
        return [(one.name, one.place.root) for one in handed_in(paths, homework)]

    def make_class(self, path: Path) -> Path:
        """Make a class: folders, one empty, one in another, a zip, and things that are no submissions."""
        inside = {f"{place}/{name}": GOOD for place in ("alice", "dave/homework") for name in BOTH}
        write(path, {**inside, "nobody/": b"", "roster.csv": b"", ".cache/": b"", "bob.zip": zipped(BOTH)})
        (path / "linked").symlink_to(path / "alice")
        return path

    def test_folder_of_submissions_gives_each(self, homework, tmp_path):
        """Odd things among them are kept, links too, though they are not followed."""
        path = self.make_class(tmp_path / "class")
        assert self.places([path], homework) == [
            ("alice", path / "alice"),
            ("bob", path / "bob.zip"),
            ("dave", path / "dave"),
            ("linked", path / "linked"),
            ("nobody", path / "nobody"),
        ]
        linked = handed_in([path], homework)[3]
        with pytest.raises(SubmissionError, match="a link, which is not followed"):
            linked.read(homework)

    def test_single_files_of_students(self, homework, tmp_path):
        """Files that are called by a student and a question are that student's submission."""
        members = {"Ada Lovelace_linear.py": GOOD, "ada lovelace-RELU.py": OTHER, "ben.linear.py": GOOD}
        handed = handed_in([write(tmp_path / "class", {**members, "roster.csv": b""})], homework)
        assert [(one.name, one.student, one.attempt) for one in handed] == [
            ("Ada_Lovelace", "Ada Lovelace", 1),
            ("ben", "ben", 1),
        ]
        contents = [one.read(homework).files for one in handed]
        assert contents == [{"linear.py": GOOD, "relu.py": OTHER}, {"linear.py": GOOD}]

    def test_single_files_among_folders_and_zips(self, homework, tmp_path):
        """Whoever handed in what cannot be read is listed; the same question twice, too."""
        members = {"ada/linear.py": GOOD, "ada_linear.py": OTHER, "ben.zip": zipped(BOTH), "cleo.py": GOOD}
        members |= {"dan.rar": b"Rar!", "erin_relu.py": GOOD, "erin__relu.py": OTHER, "roster.csv": b"", "x.ipynb": b""}
        handed = handed_in([write(tmp_path / "class", members)], homework)
        assert [one.name for one in handed] == ["ada", "ada-2", "ben", "cleo", "dan.rar", "erin", "x.ipynb"]
        assert len({one.identity for one in handed}) == len(handed)
        found = look(handed, homework)
        assert "no question has this file" in found["cleo"][0]
        assert "not a zip" in found["dan.rar"][0] and "not a zip" in found["x.ipynb"][0]
        assert "erin_relu.py was left out: erin__relu.py is relu.py already" in found["erin"]

    @pytest.mark.parametrize("members", [{"my_helper.py": GOOD}, {"test_linear.py": GOOD}, {"_linear.py": GOOD}, {}])
    def test_files_that_name_nobody_are_one_submission(self, homework, tmp_path, members):
        """Nobody is called test."""
        path = tmp_path / "ada"
        path.mkdir()
        assert self.places([write(path, members)], homework) == [("ada", path)]

    def test_submission_stands_for_itself(self, homework, tmp_path):
        """A folder, a zip, a single file, and one that is missing."""
        alice = write(tmp_path / "alice", BOTH)
        paths = [alice, write(tmp_path / "bob.zip", {}), alice / "linear.py", tmp_path / "missing"]
        expected = list(zip(["alice", "bob", "linear", "missing"], paths, strict=True))
        assert self.places(paths, homework) == expected

    def test_folder_in_a_folder_is_one_submission(self, homework, tmp_path):
        """However it is wrapped."""
        write(tmp_path / "erin", {"homework/linear.py": GOOD, "homework/notes/": b""})
        assert self.places([tmp_path / "erin"], homework) == [("erin", tmp_path / "erin")]

    def test_names_are_unique_and_safe(self, homework, tmp_path, monkeypatch):
        """Whatever the paths are called."""
        (tmp_path / "empty" / "here").mkdir(parents=True)
        monkeypatch.chdir(tmp_path / "empty" / "here")  # from there, `..` holds no submission
        names = ["a b/c", "A_B", "..", "con", "gradebook.sqlite", "x" * 300, "\x1b[31m", "\u00fc\u00df"]
        paths = [tmp_path / "1" / "sub.zip", tmp_path / "2" / "Sub.zip", *(Path(name) for name in names)]
        handed = handed_in(paths, homework)
        assert [one.name for one in handed[:2]] == ["sub", "Sub-2"]
        assert len({one.name.casefold() for one in handed}) == len(paths)
        assert len(counting(handed, "latest")) == len(paths)
        for name in (one.name for one in handed):
            assert name == Path(name).name and name.isprintable() and len(name) < 70
            assert name not in ("", ".", "..", "con", "gradebook.sqlite")

    def test_students_with_several_attempts(self, homework, tmp_path):
        """Folders and zips in a student's folder are attempts, in the natural order of their names."""
        members = {
            "ada/try 2.zip": zipped(BOTH),
            "ada/try 10/linear.py": GOOD,
            "ada/data/x.csv": b"",
            "ben/first.zip": zipped(BOTH),
            "cleo/": b"",
        }
        handed = handed_in([write(tmp_path / "class", members)], homework)
        assert [(one.name, one.student, one.identity, one.attempt, one.active) for one in handed] == [
            ("ada_try_2", "ada", "ada", 1, False),
            ("ada_try_10", "ada", "ada", 2, True),
            ("ben", "ben", "ben", 1, True),
            ("cleo", "cleo", "cleo", 1, True),
        ]
        assert handed[0].note == "no question files in data"
        assert sorted(handed[2].read(homework).files) == ["linear.py", "relu.py"]

    def test_single_is_read_as_it_is(self, homework, tmp_path):
        """For callers that know what they have."""
        write(tmp_path / "alice", BOTH)
        assert single("x", tmp_path / "alice").read(homework).name == "x"


# -- which attempt counts ------------------------------------------------------------------------------------


def attempts(*numbers: int, active: int, student: str = "ada"):
    """One student's attempts."""
    one = single(student, Path(student))
    return [replace(one, name=f"{student}{n}", attempt=n, active=n == active) for n in numbers]


class TestCounting:
    """The choice among attempts."""

    def test_one_of_each_student_or_all(self):
        """Latest and active give one each."""
        handed = [*attempts(1, 3, 2, active=2), *attempts(1, active=1, student="ben")]
        chosen = {choice: [one.name for one in counting(handed, choice)] for choice in choosing.CHOICES}
        assert chosen == {
            "latest": ["ada3", "ben1"],
            "active": ["ada2", "ben1"],
            "best": ["ada1", "ada3", "ada2", "ben1"],
            "all": ["ada1", "ada3", "ada2", "ben1"],
        }

    def test_unknown_choice(self):
        """One line."""
        with pytest.raises(ConfigError, match="latest, best, active, all"):
            counting([], "first")

    @pytest.mark.parametrize(
        ("scores", "expected"),
        [
            ({"ada1": 5, "ada2": 3, "ada3": 5}, "ada3"),
            ({"ada1": 5, "ada2": 3, "ada3": None}, "ada1"),
            ({"ada1": 0, "ada2": None, "ada3": None}, "ada1"),
            ({"ada1": None, "ada2": None, "ada3": None}, "ada3"),
            ({}, "ada3"),
        ],
    )
    def test_best(self, scores, expected):
        """The highest score, of equals the later; a withheld one only if there is no other."""
        assert best(attempts(1, 2, 3, active=3), scores) == {expected}

    def test_duplicates(self):
        """Names with the same digest; nothing is like nothing."""
        assert duplicates({"a": "x", "b": "y", "c": "x", "d": "", "e": ""}) == [("a", "c")]

    def test_look_tells_what_is_odd(self, homework, tmp_path):
        """Unreadable, missing and the same are told; the rest is not."""
        members = {"ada/linear.py": GOOD, "ben/linear.py": GOOD, "cleo/": b"", "dan.zip": b"PK"}
        members |= {f"erin/{name}": OTHER for name in BOTH}
        found = look(handed_in([write(tmp_path / "class", members)], homework), homework)
        assert found["ada"] == ["relu.py is missing", "the same files as ben"]
        assert "no Python file" in found["cleo"][0] and "not a zip" in found["dan"][0]
        assert found["erin"] == []


def test_unpacked_and_zipped_give_the_same(homework, tmp_path):
    """Whether somebody unpacked it makes no difference to names and contents."""
    members = gradescope()
    zipped_class = handed_in([write(tmp_path / "a.zip", members)], homework)
    folder_class = handed_in([write(tmp_path / "a", members)], homework)
    assert people(zipped_class) == people(folder_class)
    assert [one.note for one in zipped_class] == [one.note for one in folder_class]
    shutil.rmtree(tmp_path / "a")
