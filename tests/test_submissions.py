"""Intake: whatever is handed in, what can be read is read, and the rest is explained in one line."""

import io
import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest

from autograder import folders, submissions
from autograder.config import Homework, Question
from autograder.errors import SubmissionError
from autograder.submissions import read_submission

GOOD = b"def answer():\n    return 1\n"


@pytest.fixture
def homework(tmp_path):
    """A homework of two questions with a handout."""
    root = tmp_path / "homework"
    (root / "assignment" / "tests").mkdir(parents=True)
    for name in ("linear.py", "relu.py", "data.py", "train.py", "README.md"):
        (root / "assignment" / name).write_bytes(b"")
    questions = (
        Question(name="linear", points=1, file="linear.py"),
        Question(name="relu", points=1, file="relu.py"),
    )
    return Homework(root=root, title="test", questions=questions)


@pytest.fixture
def folder(tmp_path):
    """A right submission as a folder."""
    path = tmp_path / "alice"
    path.mkdir()
    (path / "linear.py").write_bytes(GOOD)
    (path / "relu.py").write_bytes(GOOD)
    return path


def zip_of(path: Path, members: dict[str, bytes] | list[tuple[object, bytes]], **options) -> Path:
    """Write a zip; a list allows a name twice and ready-made entries."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, data)
    return path


def entry(name: str, mode: int) -> zipfile.ZipInfo:
    """An entry with a Unix mode."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def only(notes: tuple[str, ...]) -> str:
    """The single note."""
    assert len(notes) == 1, notes
    return notes[0]


class TestShapes:
    """Folders, zips and single files."""

    def test_folder_gives_questions_and_helpers(self, homework, folder):
        """Folder gives questions and helpers."""
        (folder / "my_helper.py").write_bytes(b"x = 1\n")
        submission = read_submission(folder, homework)
        assert submission.name == "alice"
        assert submission.files == {"linear.py": GOOD, "relu.py": GOOD, "my_helper.py": b"x = 1\n"}
        assert (submission.problems, submission.notes) == ({}, ())

    def test_zip_gives_the_same_as_the_folder(self, homework, folder, tmp_path):
        """Zip gives the same as the folder."""
        path = zip_of(tmp_path / "bob.zip", {"linear.py": GOOD, "relu.py": GOOD}, compression=zipfile.ZIP_DEFLATED)
        submission = read_submission(path, homework)
        assert submission.name == "bob"
        assert submission.files == read_submission(folder, homework).files

    def test_single_file_leaves_the_others_missing(self, homework, folder):
        """Single file leaves the others missing."""
        submission = read_submission(folder / "relu.py", homework, name="carol")
        assert (submission.name, list(submission.files)) == ("carol", ["relu.py"])
        assert submission.problems == {"linear.py": "linear.py is missing"}

    @pytest.mark.parametrize("prefix", ["hw/", "./hw/", "a/b/c/", "hw\\"])
    def test_zip_of_folders_is_entered(self, homework, tmp_path, prefix):
        """Zip of folders is entered."""
        junk = {
            "__MACOSX/hw/._linear.py": b"\0",
            f"{prefix}.git/config": b"",
            f"{prefix}__pycache__/x.pyc": b"",
        }
        path = zip_of(tmp_path / "x.zip", {f"{prefix}linear.py": GOOD, f"{prefix}relu.py": GOOD, **junk})
        submission = read_submission(path, homework)
        assert sorted(submission.files) == ["linear.py", "relu.py"]
        assert submission.notes == ()

    def test_folder_in_a_folder_is_entered(self, homework, folder, tmp_path):
        """Folder in a folder is entered."""
        (tmp_path / "outer" / "__pycache__").mkdir(parents=True)
        (tmp_path / "outer" / ".venv").mkdir()
        shutil.move(folder, tmp_path / "outer" / "inner")
        submission = read_submission(tmp_path / "outer", homework)
        assert (submission.name, len(submission.files)) == ("outer", 2)

    def test_link_named_at_the_keyboard_is_followed(self, homework, folder, tmp_path):
        """Link named at the keyboard is followed."""
        (tmp_path / "link").symlink_to(folder)
        assert len(read_submission(tmp_path / "link", homework).files) == 2

    def test_whole_handout_is_taken_without_remark(self, homework, folder):
        """Whole handout is taken without remark."""
        for name in ("data.py", "train.py", "README.md"):
            (folder / name).write_bytes(b"changed")
        (folder / "tests").mkdir()
        (folder / ".vscode").mkdir()
        submission = read_submission(folder, homework)
        assert (sorted(submission.files), submission.notes) == (["linear.py", "relu.py"], ())

    def test_other_files_are_one_note(self, homework, folder):
        """Other files are one note."""
        for name in ("a.txt", "b.png", "c.ipynb", "d.pdf", "e.csv", "f.bin"):
            (folder / name).write_bytes(b"")
        (folder / "more").mkdir()
        note = only(read_submission(folder, homework).notes)
        assert "a.txt" in note and "and 2 more" in note

    @pytest.mark.parametrize("name", ["Linear.py", "LINEAR.PY"])
    def test_other_case_is_read_and_noted(self, homework, folder, name):
        """Other case is read and noted."""
        (folder / "linear.py").rename(folder / name)
        submission = read_submission(folder, homework)
        assert submission.files["linear.py"] == GOOD
        assert only(submission.notes) == f"{name} was read as linear.py"


class TestNothingToRead:
    """The only errors: there is nothing that could be graded."""

    @pytest.mark.parametrize("make", ["missing", "empty", "no_python", "fifo", "text", "other_py", "only_given"])
    def test_error_is_one_line(self, homework, tmp_path, make):
        """Error is one line."""
        path = tmp_path / "sub"
        if make in ("empty", "no_python", "only_given"):
            path.mkdir()
        if make == "no_python":
            (path / "report.pdf").write_bytes(b"")
        if make == "only_given":
            (path / "data.py").write_bytes(GOOD)
        if make == "fifo":
            os.mkfifo(path)
        if make == "text":
            path.write_text("my homework")
        if make == "other_py":
            path = tmp_path / "homework1.py"
            path.write_bytes(GOOD)
        with pytest.raises(SubmissionError) as caught:
            read_submission(path, homework)
        assert "\n" not in str(caught.value) and path.name in str(caught.value)

    @pytest.mark.parametrize("cut", [0, 10, -1, -30])
    def test_broken_zip(self, homework, tmp_path, cut):
        """Broken zip."""
        path = zip_of(tmp_path / "x.zip", {"linear.py": GOOD * 100})
        path.write_bytes(path.read_bytes()[:cut])
        with pytest.raises(SubmissionError, match="not a zip"):
            read_submission(path, homework)

    def test_zip_without_python(self, homework, tmp_path):
        """Zip without python."""
        with pytest.raises(SubmissionError, match="no Python file"):
            read_submission(zip_of(tmp_path / "x.zip", {"inner.zip": b"PK"}), homework)

    def test_zip_with_an_endless_table_of_contents(self, homework, tmp_path):
        """Zip with an endless table of contents."""
        path = zip_of(tmp_path / "x.zip", {"linear.py": GOOD})
        data = bytearray(path.read_bytes())
        data[-10:-6] = struct.pack("<L", folders.SUBMISSION.directory + 1)
        path.write_bytes(data)
        with pytest.raises(SubmissionError, match="far more files"):
            read_submission(path, homework)

    def test_every_single_byte_changed_gives_a_submission_or_an_error(self, homework, tmp_path):
        """Whatever zipfile raises on a broken file, nothing else comes out."""
        whole = zip_of(tmp_path / "x.zip", {"linear.py": GOOD, "a/relu.py": GOOD}).read_bytes()
        path = tmp_path / "y.zip"
        for place in range(len(whole)):
            for value in (0, 0xFF, whole[place] ^ 1):
                path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
                try:
                    submission = read_submission(path, homework)
                except SubmissionError:
                    continue
                assert set(submission.files) | set(submission.problems) >= {"linear.py", "relu.py"}


class TestHostileFolders:
    """What a folder can hold in the place of a file."""

    @pytest.mark.parametrize("kind", ["link", "dangling", "fifo", "folder", "device"])
    def test_only_a_regular_file_is_opened(self, homework, folder, kind):
        """Only a regular file is opened."""
        path = folder / "linear.py"
        path.unlink()
        if kind == "link":
            (folder / "secret.txt").write_bytes(GOOD)
            path.symlink_to(folder / "secret.txt")
        elif kind == "dangling":
            path.symlink_to("/nowhere")
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to("/dev/zero")
        submission = read_submission(folder, homework)
        assert list(submission.files) == ["relu.py"]
        assert submission.problems["linear.py"].startswith("linear.py is a")

    def test_linked_folder_is_not_entered(self, homework, folder, tmp_path):
        """Linked folder is not entered."""
        (tmp_path / "outer").mkdir()
        (tmp_path / "outer" / "inner").symlink_to(folder)
        with pytest.raises(SubmissionError):
            read_submission(tmp_path / "outer", homework)

    def test_hard_link_is_a_file(self, homework, folder):
        """Hard link is a file."""
        os.link(folder / "linear.py", folder / "helper_one.py")
        assert read_submission(folder, homework).files["helper_one.py"] == GOOD

    def test_huge_file_is_not_read(self, homework, folder):
        """Huge file is not read."""
        os.truncate(folder / "linear.py", 100 << 20)
        assert read_submission(folder, homework).problems == {"linear.py": "linear.py is larger than 512 KB"}

    def test_all_files_together_are_bounded(self, homework, folder, monkeypatch):
        """All files together are bounded."""
        monkeypatch.setattr(submissions, "MAX_TOTAL", 2 * len(GOOD) + 10)
        (folder / "aaa.py").write_bytes(b"#" * 20)
        submission = read_submission(folder, homework)
        assert sorted(submission.files) == ["linear.py", "relu.py"]
        assert "aaa.py was left out" in only(submission.notes)

    def test_too_many_files_leave_the_questions(self, homework, folder):
        """Too many files leave the questions."""
        for number in range(folders.SUBMISSION.members):
            (folder / f"helper{number}.py").write_bytes(b"")
        submission = read_submission(folder, homework)
        assert sorted(submission.files) == ["linear.py", "relu.py"]
        assert "more than 2000 files" in only(submission.notes)

    def test_very_deep_folders_end(self, homework, tmp_path):
        """Very deep folders end."""
        path = tmp_path / "deep"
        (path / "/".join("d" * 200)).mkdir(parents=True)
        with pytest.raises(SubmissionError, match="no Python file"):
            read_submission(path, homework)

    def test_undecodable_name_is_shown_safely(self, homework, folder):
        """Undecodable name is shown safely."""
        with open(os.fsencode(folder) + b"/\xff\x1b[31m.py", "wb"):
            pass
        assert only(read_submission(folder, homework).notes).isprintable()


class TestHostileZips:
    """What a zip can say."""

    @pytest.mark.parametrize("name", ["/linear.py", "../linear.py", "a/../linear.py", "C:/linear.py", "..\\linear.py"])
    def test_name_that_leads_out_is_left_out(self, homework, tmp_path, name):
        """Name that leads out is left out."""
        path = zip_of(tmp_path / "x.zip", {name: b"evil", "relu.py": GOOD})
        submission = read_submission(path, homework)
        assert submission.files == {"relu.py": GOOD}
        assert "leads out of the zip" in only(submission.notes)
        assert submission.problems == {"linear.py": "linear.py is missing"}

    @pytest.mark.parametrize(
        ("mode", "what"), [(stat.S_IFLNK, "a link"), (stat.S_IFIFO, "a pipe"), (stat.S_IFCHR, "not a file")]
    )
    def test_special_member_is_a_problem(self, homework, tmp_path, mode, what):
        """Special member is a problem."""
        path = zip_of(tmp_path / "x.zip", [(entry("linear.py", mode | 0o777), b"/etc/passwd"), ("relu.py", GOOD)])
        assert read_submission(path, homework).problems == {"linear.py": f"linear.py is {what}, where a file should be"}

    def test_folder_named_like_a_question_is_a_problem(self, homework, tmp_path):
        """Folder named like a question is a problem."""
        path = zip_of(tmp_path / "x.zip", {"linear.py/": b"", "relu.py": GOOD})
        assert "is a folder" in read_submission(path, homework).problems["linear.py"]

    @pytest.mark.filterwarnings("ignore:Duplicate name")  # what is tested
    def test_name_twice_is_a_problem(self, homework, tmp_path):
        """Name twice is a problem."""
        path = zip_of(tmp_path / "x.zip", [("linear.py", GOOD), ("linear.py", b"x = 1"), ("relu.py", GOOD)])
        assert read_submission(path, homework).problems == {"linear.py": "linear.py is in the zip twice"}

    def test_bomb_is_unpacked_only_as_far_as_a_file_may_go(self, homework, tmp_path):
        """Bomb is unpacked only as far as a file may go."""
        bomb = {"linear.py": bytes(50 << 20), "relu.py": GOOD}
        path = zip_of(tmp_path / "x.zip", bomb, compression=zipfile.ZIP_DEFLATED)
        assert path.stat().st_size < 100_000
        assert read_submission(path, homework).problems == {"linear.py": "linear.py is larger than 512 KB"}

    def test_bomb_that_lies_about_its_size(self, homework, tmp_path):
        """Bomb that lies about its size."""
        path = zip_of(tmp_path / "x.zip", {"linear.py": bytes(1 << 20)}, compression=zipfile.ZIP_DEFLATED)
        path.write_bytes(path.read_bytes().replace(struct.pack("<L", 1 << 20), struct.pack("<L", 10)))
        assert "linear.py" in read_submission(path, homework).problems

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_unusual_compression_is_a_problem(self, homework, tmp_path, method):
        """Unusual compression is a problem."""
        path = zip_of(tmp_path / "x.zip", {"linear.py": GOOD}, compression=method)
        assert "compressed in a way" in read_submission(path, homework).problems["linear.py"]

    def test_encrypted_member_is_a_problem(self, homework, tmp_path):
        """Encrypted member is a problem."""
        path = zip_of(tmp_path / "x.zip", {"linear.py": GOOD})
        data = bytearray(path.read_bytes())
        data[6] |= 1  # local header
        data[data.index(b"PK\1\2") + 8] |= 1  # table of contents
        path.write_bytes(data)
        assert read_submission(path, homework).problems["linear.py"] == "linear.py is encrypted"

    def test_too_many_members_leave_the_questions(self, homework, tmp_path):
        """Too many members leave the questions."""
        many = {f"helper{number}.py": b"" for number in range(folders.SUBMISSION.members)}
        submission = read_submission(zip_of(tmp_path / "x.zip", {**many, "linear.py": GOOD, "relu.py": GOOD}), homework)
        assert sorted(submission.files) == ["linear.py", "relu.py"]
        assert "more than 2000 files" in only(submission.notes)

    def test_very_deep_member_is_left_out(self, homework, tmp_path):
        """Very deep member is left out."""
        path = zip_of(tmp_path / "x.zip", {"d/" * 500 + "linear.py": b"", "relu.py": GOOD})
        assert "folders deep" in only(read_submission(path, homework).notes)

    def test_nothing_is_written(self, homework, tmp_path, monkeypatch):
        """Nothing is written."""
        path = zip_of(tmp_path / "x.zip", {"linear.py": GOOD})
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        before = sorted(tmp_path.rglob("*"))
        read_submission(path, homework)
        assert sorted(tmp_path.rglob("*")) == before


class TestText:
    """A file must be UTF-8 without NUL."""

    @pytest.mark.parametrize(
        ("source", "problem"),
        [
            (b"x = 1\ny = '\xe9'\n", "is not UTF-8 (byte 0xe9 in line 2)"),
            (b"# -*- coding: latin-1 -*-\n# \xe9\n", "is not UTF-8 (byte 0xe9 in line 2)"),
            ("x = 1\n".encode("utf-16"), "UTF-16"),
            (b"x = 1\n\n\0\n", "NUL character in line 3"),
            (b"\xed\xa0\x80", "is not UTF-8"),
        ],
    )
    def test_other_bytes_are_a_problem(self, homework, folder, source, problem):
        """Other bytes are a problem."""
        (folder / "linear.py").write_bytes(source)
        assert problem in read_submission(folder, homework).problems["linear.py"]

    def test_byte_order_mark_is_taken_off(self, homework, folder):
        """Byte order mark is taken off."""
        (folder / "linear.py").write_bytes(b"\xef\xbb\xbf" + GOOD)
        assert read_submission(folder, homework).files["linear.py"] == GOOD

    def test_bad_helper_is_a_note(self, homework, folder):
        """Bad helper is a note."""
        (folder / "helper_one.py").write_bytes(b"\xff")
        submission = read_submission(folder, homework)
        assert submission.problems == {}
        assert only(submission.notes).startswith("helper_one.py was left out: it is not UTF-8")


class TestNames:
    """Helper modules may not stand in for anything."""

    @pytest.mark.parametrize("name", ["torch", "numpy", "random", "math", "autograder", "pytest"])
    def test_taken_name_is_left_out(self, homework, folder, name):
        """Taken name is left out."""
        (folder / f"{name}.py").write_bytes(b"")
        submission = read_submission(folder, homework)
        assert sorted(submission.files) == ["linear.py", "relu.py"]
        assert only(submission.notes).startswith(f"{name}.py was left out: its name is taken by")

    @pytest.mark.parametrize("name", ["my-helper.py", "linear (1).py", "class.py", "helper.PY"])
    def test_name_that_cannot_be_imported_is_left_out(self, homework, folder, name):
        """Name that cannot be imported is left out."""
        (folder / name).write_bytes(b"")
        assert only(read_submission(folder, homework).notes) == f"{name} was left out: no module can have this name"

    @pytest.mark.parametrize("names", [["Tools_x.py", "tools_x.py"], ["\u00e9.py", "e\u0301.py"], ["Linear.py"]])
    def test_names_that_nearly_agree_are_left_out(self, homework, tmp_path, names):
        """Names that nearly agree are left out."""
        members = {name: b"" for name in names}
        submission = read_submission(
            zip_of(tmp_path / "x.zip", {**members, "linear.py": GOOD, "relu.py": GOOD}), homework
        )
        assert sorted(submission.files) == ["linear.py", "relu.py"]
        assert len(submission.notes) == len(names)

    def test_name_is_stored_as_python_would_import_it(self, homework, folder):
        """Name is stored as python would import it."""
        (folder / "e\u0301.py").write_bytes(b"")
        assert "\u00e9.py" in read_submission(folder, homework).files


def test_reading_closes_what_it_opened(homework, tmp_path):
    """An open file would be a warning, and warnings are errors here."""
    path = zip_of(tmp_path / "x.zip", {"linear.py": GOOD})
    read_submission(path, homework)
    assert zipfile.is_zipfile(io.BytesIO(path.read_bytes()))
