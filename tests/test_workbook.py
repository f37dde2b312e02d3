"""What the learner has changed survives every update of the course, file by file."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mialab._files import notebooks_folder
from mialab.workbook import RECORD, RENAMED, cleared, course_digest, find_workbook, sync


def notebook(*sources: str, outputs: bool = True) -> dict:
    """A notebook with a title and one executed code cell for each source."""
    output = [{"output_type": "stream", "name": "stdout", "text": ["7\n"]}] if outputs else []
    code = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"execution": {"iopub.execute_input": "2026-01-01"}, "tags": ["keep"]},
            "execution_count": number + 1 if outputs else None,
            "outputs": output,
            "source": source.splitlines(keepends=True),
        }
        for number, source in enumerate(sources)
    ]
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": ["# Iris — ε"]}
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "widgets": {"state": 1}}
    return {"cells": [title, *code], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def put(folder: Path, name: str, *sources: str, **more) -> bytes:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(notebook(*sources, **more)), encoding="utf-8")
    return (folder / name).read_bytes()


def change(path: Path, source: str) -> bytes:
    """Edit the last cell as JupyterLab would, keeping the notebook's metadata."""
    content = json.loads(path.read_text("utf-8"))
    content["cells"][-1]["source"] = [source]
    path.write_text(json.dumps(content), encoding="utf-8")
    return path.read_bytes()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != RECORD}


def told(steps) -> list[tuple[str, str]]:
    return [(step.notebook, step.what) for step in steps]


@pytest.fixture
def course(tmp_path):
    put(tmp_path / "course", "00_start.ipynb", "a = 1")
    put(tmp_path / "course", "01_flowers.ipynb", "b = 2", "c = 3")
    return tmp_path / "course"


@pytest.fixture
def book(tmp_path, course):
    sync(tmp_path / "book", course)
    return tmp_path / "book"


def test_copies_have_no_outputs_and_say_the_same(tmp_path, course):
    steps = sync(tmp_path / "book", course)
    assert told(steps) == [("00_start.ipynb", "copied"), ("01_flowers.ipynb", "copied")]
    for name in ("00_start.ipynb", "01_flowers.ipynb"):
        ours, theirs = (json.loads((tmp_path / f / name).read_text("utf-8")) for f in ("course", "book"))
        assert [cell["source"] for cell in ours["cells"]] == [cell["source"] for cell in theirs["cells"]]
        code = [cell for cell in theirs["cells"] if cell["cell_type"] == "code"]
        assert code
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
        assert all(cell["metadata"] == {"tags": ["keep"]} for cell in code)
        assert "widgets" not in theirs["metadata"]


def test_copies_are_valid_notebooks(book):
    nbformat = pytest.importorskip("nbformat")
    for path in book.glob("*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))


def test_a_second_sync_does_nothing(book, course):
    before = files(book)
    assert sync(book, course) == []
    assert files(book) == before


def test_a_notebook_with_another_number_moves_if_it_was_not_changed(tmp_path, monkeypatch):
    monkeypatch.setattr("mialab.workbook.RENAMED", {"05_attack": "06_attack", "06_box": "08_box", "07_gone": "09_gone"})
    for name in ("05_attack", "06_box", "07_gone"):
        put(tmp_path / "old", f"{name}.ipynb", "a = 1")
    book, new = tmp_path / "book", tmp_path / "new"
    sync(book, tmp_path / "old")
    changed = put(book, "06_box.ipynb", "a = 'mine'") or (book / "06_box.ipynb").read_bytes()
    (book / "07_gone.ipynb").unlink()
    put(new, "05_other.ipynb", "c = 3")
    for name in ("06_attack", "08_box", "09_gone"):
        put(new, f"{name}.ipynb", "a = 1", "b = 2")
    steps = sync(book, new)
    assert told(steps)[:2] == [("05_attack.ipynb", "renamed"), ("06_box.ipynb", "kept")]
    assert "05_attack.ipynb is 06_attack.ipynb now" in str(steps[0]) and "stays under its old name" in str(steps[1])
    assert {what for _, what in told(steps)[2:]} == {"copied"} and sync(book, new) == []
    assert sorted(files(book)) == [
        "05_other.ipynb",
        *(f"{n}.ipynb" for n in ("06_attack", "06_box", "08_box", "09_gone")),
    ]
    assert files(book)["06_box.ipynb"] == changed


def test_every_renamed_notebook_is_there_under_its_new_name():
    names = {path.stem for path in notebooks_folder().glob("*.ipynb")}
    assert set(RENAMED.values()) <= names and not set(RENAMED) & names


def test_an_update_leaves_everything_of_the_learner_as_it_was(book, course):
    """Edited, executed, foreign and progress files, while the course changes, drops and adds notebooks."""
    put(course, "02_train.ipynb", "d = 4")
    put(course, "03_ask.ipynb", "e = 5")
    sync(book, course)
    put(book, "01_flowers.ipynb", "b = 2", "c = 'my answer'", outputs=False)  # edited
    put(book, "02_train.ipynb", "d = 4")  # only run: its outputs are the learner's
    put(book, "03_ask.ipynb", "e = 'mine'")  # edited, then dropped from the course
    (book / "progress.json").write_text('{"version": 1, "exercises": {}}')
    (book / "my notes.txt").write_text("the net remembers")
    put(book, "scratch.ipynb", "x = 1")
    mine = files(book)

    put(course, "00_start.ipynb", "a = 10")
    put(course, "01_flowers.ipynb", "b = 20", "c = 30")
    put(course, "02_train.ipynb", "d = 40")
    (course / "03_ask.ipynb").unlink()
    put(course, "04_new.ipynb", "f = 6")
    steps = sync(book, course)

    assert told(steps) == [
        ("00_start.ipynb", "updated"),
        ("01_flowers.ipynb", "offered"),
        ("02_train.ipynb", "offered"),
        ("04_new.ipynb", "copied"),
    ]
    now = files(book)
    untouched = "00_start.ipynb"
    assert {name: now[name] for name in mine if name != untouched} == {
        name: content for name, content in mine.items() if name != untouched
    }
    assert b"a = 10" in now[untouched]
    for step in steps[1:3]:
        assert step.beside in str(step)
        assert course_digest(json.loads(now[step.beside]))[:6] in step.beside
    assert set(now) - set(mine) == {steps[1].beside, steps[2].beside, "04_new.ipynb"}


def test_a_new_version_is_offered_once_even_if_it_is_deleted(book, course):
    put(book, "00_start.ipynb", "a = 'mine'")
    put(course, "00_start.ipynb", "a = 10")
    (step,) = sync(book, course)
    assert sync(book, course) == []
    (book / step.beside).unlink()
    assert sync(book, course) == []
    put(course, "00_start.ipynb", "a = 100")
    (later,) = sync(book, course)
    assert later.what == "offered"
    assert later.beside != step.beside


def test_a_file_in_the_way_of_an_offer_is_kept(book, course):
    put(book, "00_start.ipynb", "a = 'mine'")
    put(course, "00_start.ipynb", "a = 10")
    (step,) = sync(book, course)
    (book / step.beside).write_text("the learner's own")
    (book / RECORD).unlink()
    assert sync(book, course) == []
    assert (book / step.beside).read_text() == "the learner's own"


def test_an_outputs_only_change_of_the_course_is_no_new_version(book, course):
    put(course, "00_start.ipynb", "a = 1", outputs=False)
    assert sync(book, course) == []


def fold(path: Path) -> None:
    """Fold the last cell of a notebook of the course."""
    content = json.loads(path.read_text("utf-8"))
    content["cells"][-1]["metadata"] |= {"tags": ["hide-input"], "jupyter": {"source_hidden": True}}
    path.write_text(json.dumps(content), encoding="utf-8")


def test_new_folds_and_tags_come_to_copies_that_nobody_edited_and_to_no_other(book, course):
    edited = change(book / "01_flowers.ipynb", "mine")
    for path in course.iterdir():
        fold(path)
    assert told(sync(book, course)) == [("00_start.ipynb", "updated")]
    assert json.loads((book / "00_start.ipynb").read_text("utf-8"))["cells"][-1]["metadata"]["tags"] == ["hide-input"]
    assert files(book)["01_flowers.ipynb"] == edited and len(files(book)) == 2
    assert sync(book, course) == []


def test_a_workbook_of_before_there_were_folds_gets_them_too(book, course):
    record = json.loads((book / RECORD).read_text("utf-8"))
    for known in record["notebooks"].values():
        del known["look"]
    (book / RECORD).write_text(json.dumps(record))
    assert sync(book, course) == []  # the copies are as the course has them
    fold(course / "00_start.ipynb")
    assert told(sync(book, course)) == [("00_start.ipynb", "updated")]


def test_opening_a_notebook_is_not_editing_it(book, course):
    path = book / "00_start.ipynb"
    opened = json.loads(path.read_text("utf-8"))
    opened["metadata"]["language_info"] = {"name": "python", "version": "3.12.1"}
    path.write_text(json.dumps(opened), encoding="utf-8")
    put(course, "00_start.ipynb", "a = 10")
    assert told(sync(book, course)) == [("00_start.ipynb", "updated")]


def test_a_deleted_notebook_is_copied_afresh(book, course):
    (book / "01_flowers.ipynb").unlink()
    assert told(sync(book, course)) == [("01_flowers.ipynb", "copied")]


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '{"notebooks": 3}', '{"notebooks": {"00.ipynb": {}}}', pytest.param("[" * 200_000, id="deep")],
)
def test_a_damaged_record_is_set_aside_and_named(book, course, damage):
    change(book / "00_start.ipynb", "a = 'mine'")
    (book / RECORD).write_text(damage)
    mine = files(book)
    (step,) = sync(book, course)
    assert step == (RECORD, "set aside", ".mialab.damaged.json")
    assert (book / step.beside).read_text() == damage
    assert step.beside in str(step)
    now = files(book)
    assert {name: now[name] for name in mine} == mine
    assert sync(book, course) == []


def test_a_record_that_is_no_file_is_set_aside(book, course):
    for number, make in enumerate((Path.mkdir, lambda path: link(path, book / "nowhere"))):
        (book / RECORD).unlink()
        make(book / RECORD)
        assert told(sync(book, course)) == [(RECORD, "set aside")], number
        assert (book / RECORD).is_file()
    assert (book / ".mialab.damaged.json").is_dir()
    assert os.readlink(book / ".mialab.damaged-2.json") == str(book / "nowhere")
    assert not (book / "nowhere").exists()


def test_a_byte_order_mark_is_no_damage(book, course):
    (book / RECORD).write_bytes(b"\xef\xbb\xbf" + (book / RECORD).read_bytes())
    put(course, "00_start.ipynb", "a = 10")
    assert told(sync(book, course)) == [("00_start.ipynb", "updated")], "what it remembers was read"


def test_a_notebook_of_brackets_without_end_is_left_alone(book, course):
    (book / "00_start.ipynb").write_text("[" * 200_000)
    put(course, "00_start.ipynb", "a = 10")
    (book / RECORD).unlink()
    assert told(sync(book, course)) == [("00_start.ipynb", "offered")]
    assert (book / "00_start.ipynb").read_text() == "[" * 200_000


def link(path: Path, target: Path) -> None:
    try:
        path.symlink_to(target)
    except OSError:
        pytest.skip("this machine makes no links")


def test_what_is_no_file_under_a_notebooks_name_is_left_alone_and_the_others_come(tmp_path, course):
    put(course, "02_train.ipynb", "d = 4")
    book = tmp_path / "book"
    (book / "00_start.ipynb").mkdir(parents=True)
    link(book / "01_flowers.ipynb", tmp_path / "nowhere")
    for _ in range(2):  # said as long as it is so
        folder, dangling, *others = sync(book, course)
        assert folder[:2] == ("00_start.ipynb", "in the way")
        assert "00_start.ipynb is a folder in your workbook and was left alone; rename it" in str(folder)
        assert "01_flowers.ipynb is a link that leads nowhere" in str(dangling)
        assert (book / "00_start.ipynb").is_dir()
        assert os.readlink(book / "01_flowers.ipynb") == str(tmp_path / "nowhere")
        assert (book / "02_train.ipynb").is_file()
    assert others == []
    (book / "00_start.ipynb").rename(book / "mine")
    assert told(sync(book, course))[0] == ("00_start.ipynb", "copied")
    assert not (tmp_path / "nowhere").exists()


def test_a_link_in_the_way_of_an_offer_is_kept(book, course):
    put(book, "00_start.ipynb", "a = 'mine'")
    put(course, "00_start.ipynb", "a = 10")
    digest = course_digest(json.loads((course / "00_start.ipynb").read_text()))
    beside = book / f"00_start.new-{digest[:6]}.ipynb"
    link(beside, book / "nowhere")
    assert sync(book, course) == []
    assert beside.is_symlink()


def test_a_lost_record_never_costs_an_edit(book, course):
    change(book / "00_start.ipynb", "a = 'mine'")
    mine = files(book)
    (book / RECORD).unlink()
    assert sync(book, course) == []
    (book / RECORD).unlink()
    put(course, "00_start.ipynb", "a = 10")
    put(course, "01_flowers.ipynb", "b = 20")
    sync(book, course)
    assert files(book)["00_start.ipynb"] == mine["00_start.ipynb"]


def test_an_interrupted_write_leaves_the_old_file(book, course, monkeypatch):
    before = files(book)
    put(course, "00_start.ipynb", "a = 10")

    def cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", cut)
        with pytest.raises(KeyboardInterrupt):
            sync(book, course)
    assert files(book) == before
    assert told(sync(book, course)) == [("00_start.ipynb", "updated")]


WHAT = ["course changes", "course drops", "learner edits", "learner deletes", "record lost"]
ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(WHAT),
        st.sampled_from(["00_a.ipynb", "01_b.ipynb", "02_c.ipynb"]),
        st.integers(0, 3),
    ),
    max_size=12,
)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(actions=ACTIONS)
def test_no_history_loses_the_learners_bytes(tmp_path_factory, actions):
    """Whatever happens in whatever order, an edited file keeps its bytes and a second sync is silent."""
    folder = tmp_path_factory.mktemp("history")
    course, book, edited = folder / "course", folder / "book", {}
    put(course, "keep.ipynb", "k = 0")
    for action, name, number in actions:
        if action == "course changes":
            put(course, name, f"x = {number}")
        elif action == "course drops":
            (course / name).unlink(missing_ok=True)
        elif action == "learner edits" and book.exists():
            edited[name] = put(book, name, f"mine = {number}")
        elif action == "learner deletes":
            (book / name).unlink(missing_ok=True)
            edited.pop(name, None)
        elif action == "record lost":
            (book / RECORD).unlink(missing_ok=True)
        sync(book, course)
        assert sync(book, course) == []
        now = files(book)
        assert {name: now[name] for name in edited} == edited
        assert set(files(course)) <= set(now)


@given(sources=st.lists(st.text(max_size=30), max_size=4))
def test_clearing_keeps_the_digest_and_is_idempotent(sources):
    one = cleared(notebook(*sources))
    assert course_digest(one) == course_digest(notebook(*sources))
    assert cleared(one) == one


def test_bad_folders_are_refused_by_name(tmp_path, course):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"workbook=.*file.* is a file; it must be a folder"):
        sync(tmp_path / "file", course)
    link(tmp_path / "dangling", tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"workbook=.*dangling' is a link that leads nowhere; it must be a folder"):
        sync(tmp_path / "dangling", course)
    link(tmp_path / "alias", course)
    for inside in (course, course / "sub", course / "sub" / "deep", tmp_path / "alias" / "sub"):
        with pytest.raises(ValueError, match=r"workbook=.* is in the course's own folder, .*; choose another"):
            sync(inside, course)
    assert not (course / "sub").exists()
    assert sync(tmp_path / "course-mine", course), "a name that begins alike is no folder inside"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"source=.* holds no notebooks"):
        sync(tmp_path / "book", tmp_path / "empty")
    (course / "00_start.ipynb").write_text("{")
    with pytest.raises(ValueError, match=r"source holds a damaged notebook, 00_start\.ipynb"):
        sync(tmp_path / "book", course)
    assert not (tmp_path / "book").exists()


def test_find_workbook(book, tmp_path, monkeypatch):
    monkeypatch.delenv("MIALAB_WORKBOOK", raising=False)
    (book / "deep" / "er").mkdir(parents=True)
    assert find_workbook(book / "deep" / "er") == book
    assert find_workbook(tmp_path) is None
    monkeypatch.chdir(book / "deep")
    assert find_workbook() == book
    monkeypatch.setenv("MIALAB_WORKBOOK", str(tmp_path / "other"))
    assert find_workbook(book) == tmp_path / "other"
