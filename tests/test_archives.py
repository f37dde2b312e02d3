"""Archives: one for each student to hand out, and a whole class's hand-ins put into place, whatever they are called."""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
import zipfile

import pytest
from classroom import NAME, Classroom, drawn_from, table

from mialab import cli
from mialab.instructor import _collect
from mialab.instructor._class import grade_class
from mialab.instructor.challenge import _scores
from mialab.instructor.grading import _archives, _collected
from mialab.instructor.grading._senders import Senders
from mialab.instructor.making._keys import Student

pytest.importorskip("nbgrader")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return Classroom(tmp_path_factory.mktemp("class"), ["ada", "ben", "cho", "dee"])


@pytest.fixture
def course(room):
    """The class with nothing handed in."""
    for place in ("submitted", "instructor/replaced", "handout/ada/challenge", "handout/ben/challenge"):
        shutil.rmtree(room.course / place, ignore_errors=True)
    for file in ("collected.csv", "left.csv", "challenge.json"):
        (room.course / "instructor" / file).unlink(missing_ok=True)
    (room.course / "submitted").mkdir()
    return room.course


def archive(path, files, when=(2026, 11, 29, 12, 0, 0)):
    """A ZIP of these files, by name, or by name and date."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            about = zipfile.ZipInfo(*(name if isinstance(name, tuple) else (name, when)))
            about.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(about, content if isinstance(content, bytes | str) else json.dumps(content))
    return path


def packed(files):
    """The bytes of such an archive."""
    made = io.BytesIO()
    archive(made, files)
    return made.getvalue()


def placed(course):
    return {str(p.relative_to(course / "submitted")) for p in (course / "submitted").rglob("*") if p.is_file()}


def moodle(student, file, number=4711):
    return f"Name of {student}_{number}_assignsubmission_file_/{file}"


def changed(notebook, n=1):
    """Another notebook of the same student."""
    return {**notebook, "cells": notebook["cells"][n:]}


def names_of(*students):
    return {f"{student}/{NAME}/{NAME}.ipynb" for student in students}


def test_each_student_can_be_handed_an_archive(tmp_path, capsys):
    words = ["assign", "00", "--zip", "--out", str(tmp_path / "c")]
    for option, path in drawn_from(tmp_path, "ada", "ben").items():
        words += [f"--{option}", str(path)]
    assert cli.main(words) == 0
    place = tmp_path / "c" / "archives" / "00_start_here"
    assert f"As archives: {place}." in capsys.readouterr().out
    for student in ("ada", "ben"):
        with zipfile.ZipFile(place / f"{student}.zip") as made:
            folder = tmp_path / "c" / "handout" / student / "00_start_here"
            assert {name: made.read(name) for name in made.namelist()} == {
                f"00_start_here/{p.name}": p.read_bytes() for p in folder.iterdir()
            }


def test_notebooks_are_placed_by_the_student_that_they_name(room, course, tmp_path, capsys):
    files = {
        "Ada L_4711_assignsubmission_file_/Untitled (1).ipynb": room.handout("ada"),
        "benb_12_345_06_the_first_attack-1.ipynb": room.handout("ben"),
        "cho_12_346_mine.zip": packed({f"{NAME}/{NAME}.ipynb": room.handout("cho")}),
        "__MACOSX/._x.ipynb": b"\0",
    }
    assert cli.main(["collect", str(archive(tmp_path / "lms.zip", files)), "--course", str(course)]) == 0
    assert "3 put into place." in capsys.readouterr().out
    assert placed(course) == names_of("ada", "ben", "cho")
    assert json.loads((course / "submitted" / "ben" / NAME / f"{NAME}.ipynb").read_text("utf-8")) == room.handout("ben")
    assert len(_collect.collect(tmp_path / "lms.zip", course).placed) == 3  # again: the same, and no complaint


def test_what_cannot_be_placed_is_named_and_nothing_is_overwritten(room, course, tmp_path, capsys):
    other = {**room.handout("ada"), "cells": []}
    stranger = {**room.handout("ada"), "metadata": {"mialab": {"student": "../../etc", "assignment": NAME}}}
    room.submit("ben", room.handout("ben"))
    before = (course / "submitted" / "ben" / NAME / f"{NAME}.ipynb").read_bytes()
    files = {
        "one.ipynb": room.handout("ada"), "two.ipynb": other, "../../evil.ipynb": stranger, "x.ipynb": "[1]",
        "cut.ipynb": json.dumps(room.handout("ada"))[:999],
        "later.ipynb": {**room.handout("ben"), "cells": []}, "../fine.ipynb": room.handout("cho"),
    }  # fmt: skip
    assert cli.main(["collect", str(archive(tmp_path / "lms.zip", files)), "--course", str(course)]) == 1
    said = capsys.readouterr().out
    assert "1 put into place." in said and "6 not" in said
    assert "one.ipynb: one of several for ada/" in said and "another one lies in ben/" in said
    assert "evil.ipynb: names ../../etc" in said and "x.ipynb: names no student" in said
    assert "cut.ipynb: its JSON is damaged" in said
    assert (course / "submitted" / "ben" / NAME / f"{NAME}.ipynb").read_bytes() == before
    assert not list(tmp_path.rglob("*evil*")) and not list(room.base.rglob("*evil*"))
    assert (course / "submitted" / "cho" / NAME / f"{NAME}.ipynb").is_file()


def test_a_bomb_and_a_broken_archive_are_refused(course, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_archives, "LARGEST", 1 << 20)
    bomb = archive(tmp_path / "bomb.zip", {f"{i}.ipynb": b"0" * (1 << 19) for i in range(4)})
    (tmp_path / "broken.zip").write_bytes(bomb.read_bytes()[:200])
    for path, says in ((bomb, "holds more than"), (tmp_path / "broken.zip", "should be a ZIP"), (tmp_path, "ZIP")):
        assert cli.main(["collect", str(path), "--course", str(course)]) == 1
        assert says in capsys.readouterr().err
    assert not any((course / "submitted").iterdir())


# --- one bad hand-in is not everyone's -------------------------------------------------------------------------------


def patched(content, offset_local, offset_central, value):
    """A ZIP with two bytes of every header changed."""
    content = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", offset_local), (b"PK\x01\x02", offset_central)):
        at = content.find(mark)
        content[at + offset : at + offset + 2] = value.to_bytes(2, "little")
    return bytes(content)


def bad_zips(notebook):
    """(a ZIP that cannot be read, what is to be said of it)"""
    good = packed({f"{NAME}.ipynb": notebook})
    hurt = bytearray(good)
    hurt[120:160] = b"\xff" * 40
    return {
        "rar": (b"Rar!\x1a\x07\x01\x00" + b"x" * 50, "no ZIP, whatever its name says"),
        "empty": (b"", "it is empty"),
        "nothing": (packed({}), "a ZIP with nothing in it"),
        "cut": (good[: len(good) // 2], "it is damaged"),
        "locked": (patched(good, 6, 8, 1), "locked with a password"),
        "deflate64": (patched(good, 8, 10, 9), "packed in a way that is not read here"),
        "hurt": (bytes(hurt), "it is damaged"),
        "bomb": (packed({"a.ipynb": b"0" * (2 << 20)}), "unpacks to too much"),
        "many": (packed({f"{i}.txt": "" for i in range(1001)}), "more than 1000 files"),
        "nested": (packed({"a.zip": good}), "a ZIP in a ZIP"),
    }


def test_a_bad_zip_in_the_archive_is_named_and_the_rest_is_placed(room, course, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(_archives, "LARGEST_INSIDE", 1 << 20)
    bad = bad_zips(room.handout("dee"))
    files = {moodle("dee", f"{kind}.zip"): content for kind, (content, _) in bad.items()}
    files |= {
        moodle("ada", f"{NAME}.ipynb"): room.handout("ada"),
        moodle("cho", "x.zip"): packed({"x.ipynb": room.handout("cho")}),
    }
    assert cli.main(["collect", str(archive(tmp_path / "lms.zip", files)), "--course", str(course)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert placed(course) == names_of("ada", "cho")
    assert f"{len(bad)} not, look at these yourself:" in said
    for kind, (_, why) in bad.items():
        (line,) = [line for line in said if f"/{kind}.zip" in line]
        assert "from dee: " in line and why in line, line


def test_a_damaged_file_of_the_archive_itself_is_named_and_the_rest_is_placed(room, course, tmp_path):
    content = patched(
        packed({moodle("ben", "a.ipynb"): room.handout("ben"), moodle("ada", "a.ipynb"): room.handout("ada")}), 6, 8, 1
    )
    (tmp_path / "lms.zip").write_bytes(content)
    collected = _collect.collect(tmp_path / "lms.zip", course)
    assert placed(course) == names_of("ada") and "from ben: it is locked with a password" in collected.left[0]


def test_whatever_is_wrong_with_a_zip_is_noticed_there(room):
    good, rng = packed({"a.ipynb": changed(room.handout("dee"), 99), "b/c.txt": "x"}), random.Random(0)
    for _ in range(300):
        hurt = bytearray(good)
        for _ in range(rng.choice([1, 3, 30])):
            hurt[-rng.randrange(1, 250)] = rng.choice([0, 255, rng.randrange(256)])  # where the table of contents is
        found = _archives.members(packed({"x.zip": bytes(hurt), "fine.ipynb": "{}"}))
        assert found[-1].content == b"{}" and found[0].name.startswith("x.zip")


# --- nothing vanishes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file", [f"{NAME}.rar", "mine.pdf", "all.tar.gz", f"{NAME}.html", "notes.txt", "x.json", "empty.ipynb"]
)
def test_a_hand_in_of_another_kind_is_named_with_whose_it_is(course, tmp_path, capsys, file):
    made = archive(tmp_path / "lms.zip", {moodle("ben", file): "" if "empty" in file else "content"})
    assert cli.main(["collect", str(made), "--course", str(course)]) == 1
    assert f"/{file}, from ben: " in capsys.readouterr().out


def test_a_name_that_the_terminal_cannot_show_is_escaped(course, tmp_path, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stdout", out)
    made = archive(tmp_path / "lms.zip", {"Zo\xeb\x1b[2J.pdf": "x"})
    assert cli.main(["collect", str(made), "--course", str(course)]) == 1
    out.flush()
    assert b"Zo\\xeb\\x1b[2J.pdf: it is neither" in out.buffer.getvalue()


@pytest.mark.parametrize("file", [f"{NAME}.ipynb.txt", "mine.json", f"{NAME}.ipynb.html"])
def test_a_notebook_by_another_name_is_placed_and_that_is_said(room, course, tmp_path, file):
    collected = _collect.collect(archive(tmp_path / "lms.zip", {moodle("ben", file): room.handout("ben")}), course)
    assert placed(course) == names_of("ben") and not collected.left
    assert f"{file}, from ben: taken, though its name does not end in .ipynb" in str(collected)


def test_a_copy_of_a_neighbours_notebook_is_left_and_both_are_named(room, course, tmp_path):
    files = {moodle("ada", "a.ipynb"): room.handout("ada"), moodle("ben", "a.ipynb"): room.handout("ada")}
    files |= {"nameofcho_LATE_1002_77_a.ipynb": changed(room.handout("ada"))}
    collected = _collect.collect(archive(tmp_path / "lms.zip", files), course)
    assert placed(course) == names_of("ada")
    assert [one.split(", from ")[1] for one in collected.left] == [
        f"{student}: this notebook was handed out to ada" for student in ("ben", "cho")
    ]


def test_the_same_bytes_from_two_who_are_not_known_are_placed_once_and_named(room, course, tmp_path):
    files = {"x_1/a.ipynb": room.handout("ada"), "y_2/b.ipynb": room.handout("ada"), "y_2/c.ipynb": room.handout("ada")}
    collected = _collect.collect(archive(tmp_path / "lms.zip", files), course)
    assert placed(course) == names_of("ada") and len(collected.left) == 2
    assert "y_2/b.ipynb: byte for byte x_1/a.ipynb, which names ada" in collected.left[0]


def test_what_comes_along_is_counted_and_a_checkpoint_alone_is_named(room, course, tmp_path):
    checkpoint = f".ipynb_checkpoints/{NAME}-checkpoint.ipynb"
    given = (room.course / "handout" / "ada" / NAME / "assignment.json").read_bytes()
    files = {
        moodle("ada", f"{NAME}.ipynb"): room.handout("ada"),
        moodle("ada", checkpoint): changed(room.handout("ada")),
        moodle("ada", "assignment.json"): given,
        moodle("ben", checkpoint): room.handout("ben"),
        moodle("cho", "assignment.json"): given + b" ",
        "__MACOSX/._a": "",
        ".DS_Store": "",
    }
    collected = _collect.collect(archive(tmp_path / "lms.zip", files), course)
    assert placed(course) == names_of("ada")
    assert sorted(collected.ignored) == ["assignment.json", "checkpoint", "left by packing", "left by packing"]
    assert "4 of no account: 2 left by packing, 1 " in str(collected)
    assert [one.split(", from ")[1][:20] for one in collected.left] == ["ben: a checkpoint th", "cho: it is neither a"]


def generated(room, bad, rng):
    """An archive's files, of every kind that came up, at random; and how many they are."""
    kinds = [
        lambda s: (".ipynb", room.handout(s)), lambda s: (".ipynb", changed(room.handout(s), rng.randrange(3))),
        lambda s: (".ipynb.txt", room.handout(s)), lambda s: (".rar", b"Rar!"), lambda s: (".zip", rng.choice(bad)),
        lambda s: ("/.ipynb_checkpoints/a-checkpoint.ipynb", room.handout(s)), lambda s: ("/.DS_Store", ""),
        lambda s: ("/scores.csv", "record,score\n"), lambda s: (".csv", "x"), lambda s: ("\x1b[2J\n\u202e/../../x", ""),
    ]  # fmt: skip
    senders = [lambda s: moodle(s, ""), lambda s: f"nameof{s}_LATE_7_7_", lambda s: f"{s}/", lambda s: ""]
    files, n = {}, rng.randrange(1, 12)
    for i in range(n):
        student, sender = rng.choice(room.students), rng.choice(senders)(rng.choice(room.students))
        when, (end, content) = (2026, 11, rng.randrange(1, 4), 0, 0, 0), rng.choice(kinds)(student)
        if rng.random() < 0.3:
            inside = {f"{k}{end}": content for k, (end, content) in enumerate(kind(student) for kind in kinds[:7])}
            end, content, n = ".zip", packed(inside), n + len(inside) - 1
        files[f"{sender}{i}{end}", when] = content
    return files, n


@pytest.mark.parametrize("keep", ["ask", "newest"])
def test_every_file_of_an_archive_is_placed_or_accounted_for(room, course, tmp_path, keep):
    rng = random.Random(7)
    kinds = bad_zips(room.handout("dee")).items()
    bad = [content for kind, (content, _) in kinds if kind not in ("nested", "many")]  # those that are one file each
    seen = [0, 0, 0, 0]
    for _ in range(12):
        files, n = generated(room, bad, rng)
        path = archive(tmp_path / "lms.zip", files)
        collected = _collect.collect(path, course, keep)
        assert sum(map(len, collected[:4])) == n, str(collected)
        assert {c for c in str(collected) if not c.isprintable()} <= {"\n"}
        again = _collect.collect(path, course, keep)
        assert (len(again.placed), len(again.left)) == (len(collected.placed), len(collected.left))
        seen = [before + len(more) for before, more in zip(seen, collected[:4], strict=True)]
    assert min(seen[:3]) > 5 and (seen[3] > 0) == (keep == "newest"), seen
    assert placed(course) <= names_of(*room.students)


# --- what is left is not missing -------------------------------------------------------------------------------------

TWO = {"a.ipynb": 0, "b.ipynb": 1}


@pytest.mark.parametrize(
    ("files", "held", "why"),
    [
        (lambda room: {moodle("ben", "a.ipynb"): room.handout("ada")}, {"ada", "ben"}, "was handed out to ada"),
        (lambda room: {moodle("ben", "a.pdf"): "x"}, {"ben"}, "neither a notebook nor scores"),
        (lambda room: {moodle("ben", "a.zip"): packed({"a.rar": ""})}, {"ben"}, "only a ZIP is unpacked"),
        (lambda room: {moodle("ben", "a.ipynb"): ""}, {"ben"}, "it is empty"),
        (lambda room: {moodle("ben", file): changed(room.handout("ben"), n) for file, n in TWO.items()}, {"ben"},
         "one of several for ben/"),
        (lambda room: {f"x/{file}": changed(room.handout("ben"), n) for file, n in TWO.items()}, {"ben"}, "one of"),
        (lambda room: {moodle("ben", "assignment.json"): given(room, "ben")}, {"ben"}, "nothing but what was"),
        (lambda room: {moodle("ben", "assignment.json"): given(room, "ben"), moodle("ben", "a.pdf"): ""}, {"ben"},
         "neither a notebook"),
        (lambda room: {moodle("ben", "scores.csv"): SCORES}, {"ben"}, "has no challenge"),
        (lambda room: {"x.pdf": ""}, set(), ""),
        (lambda room: {moodle("ben", "__MACOSX/._a.ipynb"): ""}, set(), ""),
    ],
)  # fmt: skip
def test_whose_file_was_left_is_held_and_named_and_gets_no_zero(room, course, tmp_path, walled, files, held, why):
    files = files(room) | {
        moodle("dee", "mine.ipynb"): room.handout("dee")
    }  # so that the archive is of this assignment
    _collect.collect(archive(tmp_path / "lms.zip", files), course)
    shutil.rmtree(course / "submitted" / "dee")

    def grade(**more):
        more |= {"key": room.key, "missing_zero": True, "due": ["06=2026-01-01"]}
        graded = grade_class(course / "submitted", tmp_path / "g", **more)
        return graded, {line["username"]: line[NAME] for line in table(tmp_path / "g" / "moodle.csv")}

    graded, totals = grade()
    assert {student for student, total in totals.items() if total == ""} == held - _challenge_only(files)
    for result in graded.results:
        if result.student in held - _challenge_only(files):
            assert result.held and "`mialab collect` left it" in " ".join(result.asides)
            assert result.student in str(graded).partition("held back until you decide: ")[2].partition(".")[0]
    if "ben" in held - _challenge_only(files):
        assert why in " ".join(r.asides[-1] for r in graded.results if r.student == "ben")
        assert grade(accept=["ben"])[1]["ben"] == "0"


def _challenge_only(files):
    """Whoever sent scores alone has still handed in no notebook."""
    return {"ben"} if any(name.endswith("scores.csv") for name in files) else set()


def given(room, student):
    return (room.course / "handout" / student / NAME / "assignment.json").read_bytes()


def test_what_is_left_is_of_the_one_assignment_that_the_archive_is_of(room, course, tmp_path):
    files = {moodle("ben", "a.pdf"): "", moodle("dee", "a.ipynb"): room.handout("dee")}
    for _ in range(2):
        _collect.collect(archive(tmp_path / "lms.zip", files), course)
    (line,) = _collected.read(course, _collected.Left)
    assert line == ("ben", NAME, moodle("ben", "a.pdf"), "it is neither a notebook nor scores")
    _collect.collect(archive(tmp_path / "lms.zip", {moodle("cho", "=b.pdf"): ""}), course)
    assert [line[:2] for line in _collected.read(course, _collected.Left)] == [("ben", NAME), ("cho", "")]


# --- who sent it -----------------------------------------------------------------------------------------------------

ROSTER = [Student("al", "Ada Lovelace", "al@example.org", "12345"), Student("01", "Müller-Lüdenscheidt, Bo"),
          Student("cy", "Cy Young", lms_id="Participant 9"), Student("d1", "Dan Lee"),
          Student("d2", "Dan Lee")]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("Ada Lovelace_4711_assignsubmission_file_/x.ipynb", "al"),
        ("Ada Lovelace_4711_assignsubmission_file_x.ipynb", "al"),
        ("Lovelace Ada_4711_assignsubmission_onlinetext_/onlinetext.html", "al"),
        ("lovelaceada_77_88_x.ipynb", "al"),
        ("lovelaceada_LATE_12345_88_x.ipynb", "al"),
        ("whoever_12345_88_x.ipynb", "al"),  # the person's number in Canvas
        ("Whoever_12345_assignsubmission_file_/x.ipynb", None),  # the participant's in Moodle
        ("Participant_9_assignsubmission_file_/x.ipynb", "cy"),
        ("mullerludenscheidtbo_1_2_x.ipynb", "01"),
        ("al@example.org/x.ipynb", "al"),
        ("Ada_Lovelace_whatever/x.ipynb", "al"),
        ("al.ipynb", "al"),
        ("01_the_flowers.ipynb", None),  # an assignment's number is nobody's
        ("Dan Lee_1_assignsubmission_file_/x.ipynb", None),  # there are two
        ("other_1_2_hand.zip/al/x.ipynb", None),  # what a student named
    ],
)
def test_who_sent_a_file_is_read_from_the_systems_name(name, student):
    assert Senders(ROSTER, ["01_the_flowers"]).tell(tuple(name.split("/"))).student == student


def test_a_folder_around_everything_is_looked_through(room, course, tmp_path):
    made = archive(
        tmp_path / "lms.zip",
        {f"submissions/{moodle('ben', 'a.ipynb')}": room.handout("ada"), "submissions/x/y.rar": ""},
    )
    assert "from ben: this notebook was handed out to ada" in str(_collect.collect(made, course))


# --- the challenge ---------------------------------------------------------------------------------------------------

SCORES = "record,score\n0,0.5\n"


def test_scores_of_the_challenge_are_placed_by_sender_or_key(course, tmp_path):
    (course / "instructor" / "challenge.json").write_text("{}")
    for student in ("ada", "ben"):
        (course / "handout" / student / "challenge").mkdir(parents=True)
        (course / "handout" / student / "challenge" / "access.txt").write_text(f"key of {student}\n")
    files = {"x_1_2_challenge.zip": packed({"challenge/scores.csv": SCORES, "challenge/access.txt": "key of ada\n"}),
             moodle("ben", "my_scores.csv"): "\ufeffTarget;Record;Score\n0;0;0,5\n",
             moodle("cho", "scores.csv"): SCORES, moodle("cho", "access.txt"): "key of ben\n",
             "z/scores.csv": SCORES}  # fmt: skip
    collected = _collect.collect(archive(tmp_path / "lms.zip", files), course)
    assert placed(course) == {"ada/challenge/scores.csv", "ben/challenge/scores.csv"}
    assert "z/scores.csv: scores, and neither their name nor an access.txt" in str(collected)
    assert "from cho: scores, and the access key beside them is not the sender's: ben or cho?" in str(collected)
    assert sum(map(len, collected[:4])) == 6 and len(collected.left) == 2


@pytest.mark.parametrize(
    "first", ["target,record,score", ",target,record,score", '"";"Target";"Record";"Score"', " , target , record,score"]
)
@pytest.mark.parametrize("name", ["scores.csv", "mine.csv", "export.txt"])
def test_scores_are_known_by_their_first_line_as_the_challenge_reads_it(course, tmp_path, first, name):
    (course / "instructor" / "challenge.json").write_text("{}")
    index, separator = first.strip()[:1] in (",", '"'), ";" if ";" in first else ","
    lines = [([str(i)] if index else []) + ["0", str(i), "0.5"] for i in range(3)]
    text = "\n".join([first, *(separator.join(line) for line in lines)])
    (tmp_path / "own.csv").write_text(text)
    assert _scores.read_scores(tmp_path / "own.csv", 1, 3).tolist() == [[0.5] * 3]
    _collect.collect(archive(tmp_path / "lms.zip", {moodle("ben", name): text}), course)
    assert placed(course) == {"ben/challenge/scores.csv"}


def test_scores_where_there_is_no_challenge_are_named(course, tmp_path):
    made = archive(tmp_path / "lms.zip", {moodle("cho", "scores.csv"): SCORES})
    assert "from cho: scores, but this class has no challenge" in str(_collect.collect(made, course))


# --- when, and again -------------------------------------------------------------------------------------------------


def test_when_each_was_handed_in_is_noted_once(room, course, tmp_path):
    inside = packed({("b.ipynb", (2001, 1, 1, 0, 0, 0)): room.handout("ben")})  # by the clock of the student
    files = {("nameofada_LATE_1000_5_a.ipynb", (2026, 12, 1, 18, 0, 2)): room.handout("ada"),
             (moodle("ben", "=b.zip"), (2026, 12, 1, 9, 0, 0)): inside,
             (moodle("cho", "c.ipynb"), (1980, 1, 1, 0, 0, 0)): room.handout("cho")}  # fmt: skip
    for _ in range(2):
        _collect.collect(archive(tmp_path / "lms.zip", files), course)
    lines = table(course / "instructor" / "collected.csv")
    assert [(line["student"], line["assignment"], line["when"], line["late_mark"]) for line in lines] == [
        ("ada", NAME, "2026-12-01T18:00:02", "LATE"), ("ben", NAME, "2026-12-01T09:00:00", ""), ("cho", NAME, "", ""),
    ]  # fmt: skip
    for line in lines:
        content = (course / "submitted" / line["student"] / NAME / f"{NAME}.ipynb").read_bytes()
        assert line["sha256"] == hashlib.sha256(content).hexdigest()[:12]
    assert lines[1]["file"] == moodle("ben", "=b.zip: b.ipynb")


def test_lines_of_what_was_collected_are_only_added(tmp_path):
    (tmp_path / "instructor").mkdir()
    line = _collected.Line("ada", NAME, "a", "2026-12-01T09:00:00", "", "0" * 12)
    _collected.add(tmp_path, [line])
    before = (tmp_path / "instructor" / "collected.csv").read_bytes()
    _collected.add(tmp_path, [line, line._replace(sha256="1" * 12)])
    after = (tmp_path / "instructor" / "collected.csv").read_bytes()
    assert after.startswith(before) and len(_collected.read(tmp_path)) == 2 and after.count(b"sha256") == 1


def test_the_newest_is_kept_where_that_is_wanted_and_no_other_is_lost(room, course, tmp_path, capsys):
    first, second, third = (room.handout("ada") | {"cells": room.handout("ada")["cells"][n:]} for n in range(3))
    path = course / "submitted" / "ada" / NAME / f"{NAME}.ipynb"
    replaced = course / "instructor" / "replaced" / "ada" / NAME

    def take(*files, keep="newest"):
        named = {(moodle("ada", f"{day}.ipynb"), (2026, 12, day, 0, 0, 0)): notebook for day, notebook in files}
        words = ["collect", str(archive(tmp_path / "lms.zip", named)), "--course", str(course), "--keep", keep]
        return cli.main(words), json.loads(path.read_text("utf-8")) if path.exists() else None

    assert take((1, first), (2, second), keep="ask") == (1, None)
    assert take((1, first), (2, second)) == (0, second)
    assert take((1, first), (2, second)) == (0, second)  # again: nothing changes
    assert [json.loads(p.read_text("utf-8")) for p in replaced.iterdir()] == [first]
    assert take((3, third), keep="ask") == (1, second)
    assert take((3, third)) == (0, third) and take((1, first)) == (0, third)
    kept = [json.loads((replaced / f"{NAME}.ipynb.before-{n}").read_text("utf-8")) for n in (1, 2)]
    assert kept == [first, second] and len(list(replaced.iterdir())) == 2
    assert "1 older, kept in instructor/replaced/:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("there", "files", "says"),
    [
        (False, {(moodle("ada", "a.ipynb"), 1): 0, (moodle("ada", "b.ipynb"), 1): 1}, "dates do not tell"),
        (False, {("x_1/a.ipynb", 1): 0, ("y_2/a.ipynb", 2): 1}, "does not tell that it comes from ada"),
        (True, {(moodle("ada", "a.ipynb"), 1): 1}, "dates do not tell"),
        (True, {("y_2/a.ipynb", 1): 1}, "does not tell that it comes from ada"),
    ],
)  # fmt: skip
def test_newest_takes_none_where_date_or_sender_is_not_sure(room, course, tmp_path, there, files, says):
    if there:
        room.submit("ada", room.handout("ada"))
    before = placed(course)
    named = {(name, (2026, 12, day, 0, 0, 0)): changed(room.handout("ada"), n) for (name, day), n in files.items()}
    collected = _collect.collect(archive(tmp_path / "lms.zip", named), course, "newest")
    assert len(collected.left) == len(files) and all(says in one for one in collected.left)
    assert placed(course) == before and not (course / "instructor" / "replaced").exists()


def test_how_to_keep_is_one_of_two(course):
    with pytest.raises(ValueError, match="keep='oldest' should be one of: ask, newest"):
        _collect.collect("lms.zip", course, "oldest")


def test_a_class_without_a_roster_is_unpacked_by_hand(tmp_path, capsys):
    assert cli.main(["collect", "lms.zip", "--course", str(tmp_path)]) == 1
    assert "has no roster" in capsys.readouterr().err
