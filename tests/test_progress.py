"""Progress: one file, never lost, never silently reset."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mialab.exercises import first_attack as ex
from mialab.exercises import members_and_strangers as ms
from mialab.exercises import progress_table, start_here
from mialab.exercises._engine import _progress


@pytest.fixture
def workbook(tmp_path, monkeypatch):
    """A learner's folder, with the kernel running in it."""
    (tmp_path / ".mialab.json").write_text("{}")
    monkeypatch.setenv("MIALAB_WORKBOOK", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_progress, "_unsaved", {})
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
    entry = stored(workbook)["guess_members"]
    assert entry["outcome"] == "correct"
    assert entry["attempts"] == 2
    assert entry["diagnosis"] == "swapped"


def test_an_unattempted_check_leaves_no_trace(workbook):
    ex.guess_members.check(...)
    ex.predict_auc.check(...)
    assert not (workbook / "progress.json").exists()


def test_guesses_and_written_answers_are_kept_word_for_word_and_code_is_not(workbook):
    start_here.first_guess.check(64)
    ms.tell_a_colleague.check(ms.tell_a_colleague.example)
    ex.guess_members.check(ex.guess_members.right_answer)
    assert stored(workbook)["first_guess"]["answer"] == 64
    assert stored(workbook)["tell_a_colleague"]["answer"] == ms.tell_a_colleague.example
    assert stored(workbook)["guess_members"]["answer"] is None


def test_the_recap_plays_a_guess_back_in_a_new_kernel(workbook):
    start_here.first_guess.check(64)
    code = "from mialab.exercises import start_here as s; s.first_guess.reveal(51); print(s.recap())"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=workbook).stdout
    assert "You guessed 64." in " ".join(out.split())
    assert "Measured: 51." in " ".join(out.split())


DAMAGES = ["", "{", "[]", "null", '{"version": 1}', '{"exercises": [1]}', '{"exercises": {"05.x": 3}}', "\x00\x01",
           '{"exercises": null}', "[" * 200_000, '{"exercises": ' + "[" * 200_000]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=range(len(DAMAGES)))
def test_a_damaged_file_is_set_aside_and_named(workbook, damage):
    (workbook / "progress.json").write_text(damage)
    (workbook / "progress.damaged.json").write_text("an older one")
    verdict = ex.guess_members.check(ex.guess_members.right_answer)
    assert "progress.damaged-2.json" in repr(verdict)
    assert (workbook / "progress.damaged-2.json").read_text() == damage
    assert (workbook / "progress.damaged.json").read_text() == "an older one"
    assert stored(workbook)["guess_members"]["outcome"] == "correct"


def test_a_damaged_file_is_named_by_the_table_too(workbook):
    (workbook / "progress.json").write_bytes(b"\xff\xfe{")
    assert "progress.damaged.json" in progress_table().attrs["note"]


def test_entries_that_this_version_does_not_know_survive(workbook):
    later = {"version": 2, "exercises": {"later": {"outcome": "correct", "extra": [1]}}, "more": True}
    (workbook / "progress.json").write_text(json.dumps(later))
    ex.guess_members.check(ex.guess_members.right_answer)
    data = json.loads((workbook / "progress.json").read_text())
    assert data["exercises"]["later"] == later["exercises"]["later"]
    assert data["more"] is True


def test_two_kernels_at_once_lose_nothing(workbook):
    code = (
        "import sys; from mialab.exercises._engine import _progress\n"
        "for i in range(40): _progress.update(f'{sys.argv[1]}.{i}', lambda e: e.update(outcome='correct'))"
    )
    workers = [subprocess.Popen([sys.executable, "-c", code, name], cwd=workbook) for name in "ab"]
    assert [w.wait() for w in workers] == [0, 0]
    assert len(stored(workbook)) == 80
    assert sorted(p.name for p in workbook.iterdir()) == [".mialab.json", "progress.json"]  # no drafts, no locks


def disk_full(*args):
    raise OSError(28, "No space left on device")


def test_a_write_that_is_cut_short_leaves_the_old_file(workbook, monkeypatch):
    ex.guess_members.check(ex.guess_members.right_answer)
    before = (workbook / "progress.json").read_bytes()
    monkeypatch.setattr("mialab._files.os.fsync", disk_full)
    verdict = ex.always_member.check("b")
    assert verdict.outcome == "correct"
    assert "could not be saved" in repr(verdict)
    assert (workbook / "progress.json").read_bytes() == before


def test_a_lock_left_behind_does_not_stop_anyone(workbook):
    (workbook / "progress.lock").touch()
    with _progress.locked(workbook / "progress.lock", patience=0.05):
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


# --- what hostile and unlucky files taught us -------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_not_replaced(workbook, monkeypatch):
    ex.guess_members.check(ex.guess_members.right_answer)
    before = (workbook / "progress.json").read_bytes()
    real = Path.read_bytes

    def refused(path):
        if path.name == "progress.json":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    verdict = ex.always_member.check("b")
    assert "could not be saved" in repr(verdict)
    assert "3 of" not in ex.chapter.progress().title
    assert "always_member" not in ex.chapter.progress().body[0]  # it counts in this session
    assert ex.always_member.hint().title == "Hint 1 of 3"
    assert ex.always_member.hint().title == "Hint 2 of 3"
    monkeypatch.undo()
    assert (workbook / "progress.json").read_bytes() == before


def test_what_could_not_be_saved_is_saved_with_the_next_answer(workbook, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr(_progress.os, "replace", disk_full)
        ex.always_member.check("b")
    ex.guess_members.check(ex.guess_members.right_answer)
    assert {"always_member", "guess_members"} <= stored(workbook).keys()
    assert sorted(p.name for p in workbook.iterdir()) == [".mialab.json", "progress.json"]


def test_good_entries_of_a_damaged_file_still_count(workbook):
    good = {"outcome": "correct", "attempts": 2}
    bad = [{"attempts": "3"}, {"hints": -5}, {"hints": None}, {"outcome": 7}, "x", {"attempts": True}]
    entries = {"guess_members": good} | {f"05.bad{i}": entry for i, entry in enumerate(bad)}
    (workbook / "progress.json").write_text(json.dumps({"version": 1, "exercises": entries}))
    verdict = ex.always_member.check("b")
    assert "progress.damaged.json" in repr(verdict)
    assert stored(workbook).keys() == {"guess_members", "always_member"}


def test_a_byte_order_mark_is_no_damage(workbook):
    ex.guess_members.check(ex.guess_members.right_answer)
    path = workbook / "progress.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert "damaged" not in repr(ex.always_member.check("b"))
    assert len(stored(workbook)) == 2


def test_a_link_to_a_synchronised_folder_is_followed(workbook, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("synchronised") / "mine.json"
    elsewhere.write_text('{"version": 1, "exercises": {}}')
    (workbook / "progress.json").symlink_to(elsewhere)
    ex.guess_members.check(ex.guess_members.right_answer)
    assert (workbook / "progress.json").is_symlink()
    assert "guess_members" in json.loads(elsewhere.read_text())["exercises"]


def test_any_text_can_be_kept(workbook):
    text = ms.tell_a_colleague.example + " \ud800 ä 🌸"
    assert ms.tell_a_colleague.check(text).outcome == "correct"
    assert stored(workbook)["tell_a_colleague"]["answer"] == text


def test_ids_of_an_earlier_version_are_read_and_written_as_names(workbook):
    old = {"05.guess_members": {"outcome": "correct", "attempts": 3}, "04.gone": {"outcome": "not yet"}}
    (workbook / "progress.json").write_text(json.dumps({"version": 1, "exercises": old}))
    row = progress_table().set_index("exercise").loc["guess_members"]
    assert (row.outcome, row.attempts) == ("correct", 3)
    ex.always_member.check("b")
    assert stored(workbook).keys() == {"guess_members", "gone", "always_member"}
