"""Archives: one for each student to hand out, and a whole class's hand-ins put into place, whatever they are called."""

from __future__ import annotations

import io
import json
import zipfile

import pytest
from classroom import NAME, Classroom

from mialab import cli
from mialab.instructor.grading import _archives

pytest.importorskip("nbgrader")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    return Classroom(tmp_path_factory.mktemp("class"), ["ada", "ben", "cho", "dee"])


@pytest.fixture
def course(room):
    """The class with nothing handed in."""
    import shutil

    shutil.rmtree(room.course / "submitted")
    (room.course / "submitted").mkdir()
    return room.course


def archive(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content if isinstance(content, bytes | str) else json.dumps(content))
    return path


def test_each_student_can_be_handed_an_archive(tmp_path, capsys):
    (tmp_path / "r.csv").write_text("student\nada\nben\n")
    (tmp_path / "k").write_text("11" * 32)
    words = ["assign", "00", "--zip", "--out", str(tmp_path / "c"), "--roster", str(tmp_path / "r.csv")]
    assert cli.main([*words, "--key", str(tmp_path / "k")]) == 0
    place = tmp_path / "c" / "archives" / "00_start_here"
    assert f"As archives: {place}." in capsys.readouterr().out
    for student in ("ada", "ben"):
        with zipfile.ZipFile(place / f"{student}.zip") as made:
            folder = tmp_path / "c" / "handout" / student / "00_start_here"
            assert {name: made.read(name) for name in made.namelist()} == {
                f"00_start_here/{p.name}": p.read_bytes() for p in folder.iterdir()
            }


def test_notebooks_are_placed_by_the_student_that_they_name(room, course, tmp_path, capsys):
    inner = io.BytesIO()
    archive(inner, {f"{NAME}/{NAME}.ipynb": room.handout("cho")})
    files = {
        "Ada L_4711_assignsubmission_file_/Untitled (1).ipynb": room.handout("ada"),
        "benb_12_345_05_the_first_attack-1.ipynb": room.handout("ben"),
        "cho_12_346_mine.zip": inner.getvalue(),
        "__MACOSX/._x.ipynb": b"\0",
        "dee/notes.txt": "hello",
    }
    assert cli.main(["collect", str(archive(tmp_path / "lms.zip", files)), "--course", str(course)]) == 0
    assert "3 put into place." in capsys.readouterr().out
    placed = {str(p.relative_to(course / "submitted")) for p in (course / "submitted").rglob("*") if p.is_file()}
    assert placed == {f"{student}/{NAME}/{NAME}.ipynb" for student in ("ada", "ben", "cho")}
    assert json.loads((course / "submitted" / "ben" / NAME / f"{NAME}.ipynb").read_text("utf-8")) == room.handout("ben")
    assert len(_archives.collect(tmp_path / "lms.zip", course).placed) == 3  # again: the same, and no complaint


def test_what_cannot_be_placed_is_named_and_nothing_is_overwritten(room, course, tmp_path, capsys):
    other = {**room.handout("ada"), "cells": []}
    stranger = {**room.handout("ada"), "metadata": {"mialab": {"student": "../../etc", "assignment": NAME}}}
    room.submit("ben", room.handout("ben"))
    before = (course / "submitted" / "ben" / NAME / f"{NAME}.ipynb").read_bytes()
    files = {
        "one.ipynb": room.handout("ada"), "two.ipynb": other, "../../evil.ipynb": stranger, "x.ipynb": "[1]",
        "later.ipynb": {**room.handout("ben"), "cells": []}, "../fine.ipynb": room.handout("cho"),
    }  # fmt: skip
    assert cli.main(["collect", str(archive(tmp_path / "lms.zip", files)), "--course", str(course)]) == 1
    said = capsys.readouterr().out
    assert "1 put into place." in said and "5 not" in said
    assert "one.ipynb: one of several for ada/" in said and "another one lies in ben/" in said
    assert "evil.ipynb: names ../../etc" in said and "x.ipynb: names no student" in said
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


def test_a_class_without_a_roster_is_unpacked_by_hand(tmp_path, capsys):
    assert cli.main(["collect", "lms.zip", "--course", str(tmp_path)]) == 1
    assert "has no roster" in capsys.readouterr().err
