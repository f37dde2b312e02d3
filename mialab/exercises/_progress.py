"""What a learner has done, in one JSON file beside their copies of the notebooks."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from mialab.workbook import find_workbook

FILE_NAME = "progress.json"
_EMPTY = {"version": 1, "exercises": {}}
_in_memory: dict = json.loads(json.dumps(_EMPTY))  # where no workbook is found, e.g. when the tests run a notebook


def progress_file() -> Path | None:
    """The learner's progress file, whether or not it exists yet; None outside a workbook."""
    workbook = find_workbook()
    return None if workbook is None else workbook / FILE_NAME


def load() -> tuple[dict, str]:
    """All progress, and a sentence to show the learner ("" if all is well).

    A file that cannot be read as progress is set aside under a new name, which the sentence gives; nothing is deleted.
    """
    path = progress_file()
    if path is None:
        return _in_memory, ""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(data, dict) or not all(isinstance(e, dict) for e in data["exercises"].values()):
            raise ValueError("not a progress file")
        return data, ""
    except FileNotFoundError:
        return json.loads(json.dumps(_EMPTY)), ""
    except OSError as error:
        return json.loads(json.dumps(_EMPTY)), f"Your progress file could not be opened ({error})."
    except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError):
        aside = _free_name(path)
        os.replace(path, aside)
        return json.loads(json.dumps(_EMPTY)), (
            f"Your progress file was damaged. It is kept as `{aside.name}`; counting starts afresh in `{path.name}`."
        )


def update(exercise_id: str, change: Callable[[dict], None]) -> str:
    """Apply `change` to one exercise's entry and save; return a sentence to show the learner ("" if all is well).

    The file is written whole under another name, then put in place in one step, so an interruption never leaves half
    a file. Other kernels of the same course may write too, hence the lock.
    """
    path = progress_file()
    if path is None:
        change(_in_memory["exercises"].setdefault(exercise_id, {}))
        return ""
    try:
        with _lock(path.with_suffix(".lock")):
            data, note = load()
            entry = data["exercises"].setdefault(exercise_id, {})
            change(entry)
            entry["when"] = datetime.now(UTC).isoformat(timespec="seconds")
            draft = path.with_name(f".{path.name}.{os.getpid()}")
            with open(draft, "w", encoding="utf-8") as file:
                json.dump(data, file, indent=1, ensure_ascii=False)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        return note
    except OSError as error:
        return f"Your progress could not be saved ({error}). Your answer still counts in this session."


@contextmanager
def _lock(path: Path, patience: float = 3.0):
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


def _free_name(path: Path) -> Path:
    n = 1
    while (aside := path.with_name(f"{path.stem}.damaged-{n}{path.suffix}")).exists():
        n += 1
    return aside
