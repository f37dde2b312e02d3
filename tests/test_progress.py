"""Progress: one file, never lost, never silently reset."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from mialab.exercises import _progress, progress_table, start_here
from mialab.exercises import first_attack as ex


@pytest.fixture
def workbook(tmp_path, monkeypatch):
    """A learner's folder, with the kernel running in it."""
    (tmp_path / ".mialab.json").write_text("{}")
    monkeypatch.setenv("MIALAB_WORKBOOK", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stored(workbook):
    return json.loads((workbook / "progress.json").read_text())["exercises"]


def test_outside_a_workbook_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MIALAB_WORKBOOK", raising=False)
    monkeypatch.setattr(_progress, "_in_memory", {"version": 1, "exercises": {}})
    assert _progress.progress_file() is None
    ex.guess_members.check(ex.guess_members.right_answer)
    assert list(tmp_path.iterdir()) == []
    assert "1 of" in ex.chapter.progress().title


def test_what_was_correct_stays_correct(workbook):
    ex.guess_members.check(ex.guess_members.right_answer)
    ex.guess_members.check(ex.guess_members.wrong["swapped"].answer)
    entry = stored(workbook)["05.guess_members"]
    assert entry["outcome"] == "correct"
    assert entry["attempts"] == 2
    assert entry["diagnosis"] == "swapped"


def test_an_unattempted_check_leaves_no_trace(workbook):
    ex.guess_members.check(...)
    ex.predict_auc.check(...)
    assert not (workbook / "progress.json").exists()


def test_guesses_and_written_answers_are_kept_word_for_word_and_code_is_not(workbook):
    from mialab.exercises import members_and_strangers as ms

    start_here.first_guess.check(64)
    ms.tell_a_colleague.check(ms.tell_a_colleague.example)
    ex.guess_members.check(ex.guess_members.right_answer)
    assert stored(workbook)["00.first_guess"]["answer"] == 64
    assert stored(workbook)["04.tell_a_colleague"]["answer"] == ms.tell_a_colleague.example
    assert stored(workbook)["05.guess_members"]["answer"] is None


def test_the_recap_plays_a_guess_back_in_a_new_kernel(workbook):
    start_here.first_guess.check(64)
    code = "from mialab.exercises import start_here as s; s.first_guess.reveal(51); print(s.recap())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=workbook).stdout
    assert "You guessed 64." in " ".join(out.split())
    assert "Measured: 51." in " ".join(out.split())


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 1}',
        '{"exercises": [1]}',
        '{"exercises": {"05.x": 3}}',
        "\x00\x01",
        '{"exercises": null}',
    ],
)
def test_a_damaged_file_is_set_aside_and_named(workbook, damage):
    (workbook / "progress.json").write_text(damage)
    (workbook / "progress.damaged-1.json").write_text("an older one")
    verdict = ex.guess_members.check(ex.guess_members.right_answer)
    assert "progress.damaged-2.json" in repr(verdict)
    assert (workbook / "progress.damaged-2.json").read_text() == damage
    assert (workbook / "progress.damaged-1.json").read_text() == "an older one"
    assert stored(workbook)["05.guess_members"]["outcome"] == "correct"


def test_a_damaged_file_is_named_by_the_table_too(workbook):
    (workbook / "progress.json").write_bytes(b"\xff\xfe{")
    assert "progress.damaged-1.json" in progress_table().attrs["note"]


def test_entries_that_this_version_does_not_know_survive(workbook):
    later = {"version": 2, "exercises": {"99.later": {"outcome": "correct", "extra": [1]}}, "more": True}
    (workbook / "progress.json").write_text(json.dumps(later))
    ex.guess_members.check(ex.guess_members.right_answer)
    data = json.loads((workbook / "progress.json").read_text())
    assert data["exercises"]["99.later"] == later["exercises"]["99.later"]
    assert data["more"] is True


def test_two_kernels_at_once_lose_nothing(workbook):
    code = (
        "import sys; from mialab.exercises import _progress\n"
        "for i in range(40): _progress.update(f'{sys.argv[1]}.{i}', lambda e: e.update(outcome='correct'))"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, name], cwd=workbook) for name in "ab"]
    assert [w.wait() for w in workers] == [0, 0]
    assert len(stored(workbook)) == 80
    assert sorted(p.name for p in workbook.iterdir()) == [
        ".mialab.json",
        "progress.json",
    ]  # no drafts, no locks


def test_a_write_that_is_cut_short_leaves_the_old_file(workbook, monkeypatch):
    ex.guess_members.check(ex.guess_members.right_answer)
    before = (workbook / "progress.json").read_bytes()

    def cut_short(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_progress.json, "dump", cut_short)
    verdict = ex.always_member.check("b")
    assert verdict.outcome == "correct"
    assert "could not be saved" in repr(verdict)
    assert (workbook / "progress.json").read_bytes() == before


def test_a_lock_left_behind_does_not_stop_anyone(workbook, monkeypatch):
    (workbook / "progress.lock").touch()
    monkeypatch.setattr(_progress._lock, "__wrapped__", _progress._lock.__wrapped__)
    with _progress._lock(workbook / "progress.lock", patience=0.05):
        pass
    assert not (workbook / "progress.lock").exists()


def test_the_bar_counts_what_is_done(workbook):
    assert "0 of 3" in start_here.chapter.progress().title
    start_here.is_member.check(start_here.is_member.right_answer)
    start_here.what_the_attacker_has.check("a")
    panel = start_here.chapter.progress()
    assert "1 of 3 exercises done  ■□□" in panel.title
    assert "`is_member`" not in panel.body[0]
    assert "`what_the_attacker_has`" in panel.body[0]
    start_here.what_the_attacker_has.check("c")
    start_here.first_guess.check(50)
    assert "All done." in start_here.chapter.progress().body
