"""What a learner has done, in one JSON file beside their copies of the notebooks."""

from __future__ import annotations

import copy
import json
import os
import re
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mialab._files import free_name, write_whole
from mialab.workbook import find_workbook

FILE_NAME = "progress.json"
_in_memory: dict = {"version": 1, "exercises": {}}  # where there is no workbook, e.g. when the tests run a notebook
_unsaved: dict[str, dict] = {}  # entries that could not be written, so that they count in this session all the same


def progress_file() -> Path | None:
    """The learner's progress file, whether or not it exists yet; None outside a workbook."""
    workbook = find_workbook()
    # A link, in a synchronised folder for instance, is followed, so that what is written is the file itself.
    return None if workbook is None else (workbook / FILE_NAME).resolve()


def load() -> tuple[dict, str]:
    """All progress, and a sentence to show the learner ("" if all is well). Never raises."""
    path = progress_file()
    if path is None:
        return _in_memory, ""
    try:
        data, note = _read(path)
    except OSError as error:
        data, note = _empty(), f"Your progress file could not be opened ({error}). It is left as it is."
    data["exercises"].update(copy.deepcopy(_unsaved))
    return data, note


def update(exercise_id: str, change: Callable[[dict], None]) -> str:
    """Apply `change` to one exercise's entry and save; return a sentence to show the learner ("" if all is well).

    The file is written whole under another name, then put in place in one step, so an interruption never leaves half
    a file. Other kernels of the same course may write too, hence the lock. A file that cannot be read is not replaced.
    """
    path = progress_file()
    if path is None:
        change(_in_memory["exercises"].setdefault(exercise_id, {}))
        return ""
    try:
        with locked(path.with_suffix(".lock")):
            data, note = _read(path)
            data["exercises"].update(_unsaved)
            entry = data["exercises"].setdefault(exercise_id, {})
            change(entry)
            entry["when"] = datetime.now(UTC).isoformat(timespec="seconds")
            write_whole(path, json.dumps(data, indent=1))
        _unsaved.clear()
        return note
    except OSError as error:
        entry = load()[0]["exercises"].get(exercise_id, {})
        change(entry)
        _unsaved[exercise_id] = entry
        return f"Your progress could not be saved ({error}). It counts until this notebook's kernel stops."


def plain_id(id: str) -> str:
    """An exercise's name, of an id as earlier versions wrote it: "guess_members" of "06.guess_members"."""
    return re.sub(r"^\d\d\.", "", id)


def _empty() -> dict:
    return {"version": 1, "exercises": {}}


def _read(path: Path) -> tuple[dict, str]:
    """The file's content and a sentence ("" if all is well); OSError if the file is there but cannot be opened.

    A file that is not what we wrote is set aside under a new name, which the sentence gives. Entries that can still be
    read go into a new file.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return _empty(), ""
    data: Any = None
    with suppress(ValueError, RecursionError):
        data = json.loads(text.decode("utf-8-sig"))  # some editors on Windows put a mark at the start
    entries = data.get("exercises") if isinstance(data, dict) else None
    good = {k: e for k, e in entries.items() if _is_entry(e)} if isinstance(entries, dict) else {}
    whole = isinstance(entries, dict) and len(good) == len(entries)
    good = {plain_id(key): entry for key, entry in good.items()}
    if whole:
        return {**data, "exercises": good}, ""
    aside = free_name(path.with_name(f"{path.stem}.damaged{path.suffix}"))
    os.replace(path, aside)
    saved = _empty() | {"exercises": good}
    if good:
        write_whole(path, json.dumps(saved, indent=1))
    return saved, (
        f"Your progress file was damaged. It is kept as `{aside.name}`; {len(good)} of its entries could be read and "
        f"are counted."
    )


def _is_entry(entry: Any) -> bool:
    """True for an exercise's entry as `update` writes it."""
    if not isinstance(entry, dict):
        return False
    counts = [entry.get("attempts", 0), entry.get("hints", 0)]
    return all(type(n) is int and n >= 0 for n in counts) and isinstance(entry.get("outcome", ""), str)


@contextmanager
def locked(path: Path, patience: float = 3.0):
    """Hold a lock file; one left behind by a killed kernel is ignored after `patience` seconds."""
    end = time.monotonic() + patience
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            if time.monotonic() > end:
                break
            time.sleep(0.01)
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)
