"""The learner's own copies of the notebooks, and how an update of the course treats them.

A workbook is a folder with a `.mialab.json`, which remembers for each notebook the version of the course it
came from, how its cells are tagged and folded, and the bytes as they were copied. What the learner has changed is
never written to.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from mialab._files import free_name, notebooks_folder, write_whole

RECORD = ".mialab.json"
# The numbers changed once, when notebooks were divided: earlier name -> name. Hand-outs of before are graded by it too.
RENAMED = {
    "05_the_first_attack": "06_the_first_attack",
    "06_probing_the_black_box": "08_probing_the_black_box",
    "07_shadow_models": "09_shadow_models",
    "08_the_inference_model": "10_the_inference_model",
    "09_who_is_exposed": "12_who_is_exposed",
    "10_why_some_models_leak": "14_why_some_models_leak",
    "11_defences": "16_defences",
    "12_differential_privacy": "17_differential_privacy",
    "13_audit_a_hospital_model": "19_audit_a_hospital_model",
    "14_when_flowers_are_people": "20_when_flowers_are_people",
}
# What reading JSON of a certain shape raises where it is none: RecursionError for brackets without end.
_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Step(NamedTuple):
    """A `Step` is one thing that `sync` did: to which notebook, what, and the other file it concerns, if any.

    >>> print(Step("06_the_first_attack.ipynb", "copied"))
    06_the_first_attack.ipynb is new in your workbook.
    """

    notebook: str
    what: str  # "copied", "updated", "offered", "renamed", "kept", "in the way" or "set aside"
    beside: str = ""  # for "in the way": what is there instead

    def __str__(self) -> str:
        return {
            "copied": f"{self.notebook} is new in your workbook.",
            "updated": f"{self.notebook} has a new version; you had not changed yours, so it was replaced.",
            "offered": f"{self.notebook} has a new version; you have changed yours, so the new one is beside "
            f"it as {self.beside}.",
            "renamed": f"{self.notebook} is {self.beside} now; you had not changed yours, so it was replaced.",
            "kept": f"{self.notebook} is {self.beside} now; you have changed yours, so it stays under its old name.",
            "in the way": f"{self.notebook} is {self.beside} in your workbook and was left alone; rename it and try "
            f"again to get the notebook of that name.",
            "set aside": f"{self.notebook} could not be read and is set aside as {self.beside}; your "
            f"notebooks are as you left them.",
        }[self.what]


def sync(workbook: Path | str, source: Path | str | None = None) -> list[Step]:
    """Copy the course's notebooks into the workbook without touching what the learner has changed.

    A missing notebook is copied, without outputs, so that guesses come before figures. Where the course has a new
    version, a copy without a change or an output is replaced; any other stays, and the new version is put beside it,
    once. Where only tags and folds are new, a copy without a change gets them and any other stays. A copy of before the
    notebooks had these numbers goes if it was not changed; any other stays under its old name.

    Parameters
    ----------
    workbook : the learner's folder; it is made if it is missing.
    source : the folder of the course's notebooks; the course's own if None.

    Returns
    -------
    What was done, one `Step` each, in the order of the notebooks; it is empty if there was nothing to do.

    Raises
    ------
    ValueError : `workbook` is no folder, is `source` or lies in it; `source` has no notebooks or a damaged one.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as workbook:
    ...     print(sync(workbook)[0], sync(workbook))  # the second time there is nothing to do
    00_start_here.ipynb is new in your workbook. []
    """
    workbook = Path(workbook).absolute()
    source = Path(source) if source is not None else notebooks_folder()
    if os.path.lexists(workbook) and not workbook.is_dir():
        raise ValueError(f"workbook={str(workbook)!r} is {_kind(workbook)}; it must be a folder or not exist yet")
    if workbook.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"workbook={str(workbook)!r} is in the course's own folder, {source}; choose another")
    paths = sorted(source.glob("*.ipynb"))
    if not paths:
        raise ValueError(f"source={str(source)!r} holds no notebooks (*.ipynb)")
    lessons = {path.name: _read_notebook(path) for path in paths}

    workbook.mkdir(parents=True, exist_ok=True)
    record, steps = _read_record(workbook)
    steps += [step for old in RENAMED if (step := _renamed(workbook, old, record, lessons))]
    for name, lesson in lessons.items():
        target = workbook / name
        if os.path.lexists(target) and not target.is_file():
            steps.append(Step(name, "in the way", _kind(target)))
            continue
        record[name], step = _sync_one(target, lesson, record.get(name))
        steps += [step] if step else []
    write_whole(workbook / RECORD, _as_bytes({"format": 1, "notebooks": record}))
    return steps


def find_workbook(start: Path | str | None = None) -> Path | None:
    """Return the learner's workbook: the folder MIALAB_WORKBOOK, else the nearest one upwards of `start`.

    `start` is the current folder if None. None is returned where no folder upwards holds a `.mialab.json`.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     before, _, after = find_workbook(folder), sync(folder), find_workbook(folder)
    >>> before is None, str(after) == folder
    (True, True)
    """
    named = os.environ.get("MIALAB_WORKBOOK")
    if named:
        return Path(named).absolute()
    here = Path(start if start is not None else Path.cwd()).absolute()
    return next((folder for folder in (here, *here.parents) if (folder / RECORD).is_file()), None)


def course_digest(notebook: dict[str, Any]) -> str:
    """Return the digest of what a notebook says: of its cells' types and sources, not of outputs or metadata.

    >>> cell = {"cell_type": "code", "source": "1 + 1", "metadata": {}, "execution_count": 3, "outputs": ["2"]}
    >>> notebook = {"metadata": {}, "cells": [cell]}
    >>> course_digest(notebook) == course_digest(cleared(notebook)), len(course_digest(notebook))
    (True, 64)
    """
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    return _digest(json.dumps(cells).encode())


def _look(notebook: dict[str, Any]) -> str:
    """Return the digest of how a notebook's cells are tagged and folded."""
    looks = [[cell["metadata"].get(key) for key in ("tags", "jupyter")] for cell in notebook["cells"]]
    return _digest(json.dumps(looks, sort_keys=True).encode())


def cleared(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a notebook without outputs, execution counts, timings and widget states.

    Its metadata names the course version that it is, so that a lost `.mialab.json` does not matter.

    >>> cell = {"cell_type": "code", "source": "1 + 1", "metadata": {}, "execution_count": 3, "outputs": ["2"]}
    >>> notebook = {"metadata": {}, "cells": [cell]}
    >>> cleared(notebook)["cells"][0]["outputs"], notebook["cells"][0]["outputs"]
    ([], ['2'])
    """
    cells = []
    for cell in notebook["cells"]:
        cell = {**cell, "metadata": {k: v for k, v in cell["metadata"].items() if k != "execution"}}
        if cell["cell_type"] == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.append(cell)
    metadata = {key: value for key, value in notebook["metadata"].items() if key != "widgets"}
    metadata["mialab"] = {"course": course_digest(notebook)}
    return {**notebook, "cells": cells, "metadata": metadata}


def _renamed(workbook: Path, old: str, record: dict[str, dict], lessons: dict[str, Any]) -> Step | None:
    """Take away the copy of a notebook that has another name now, unless it was changed; what was done, if anything."""
    path, name, new = workbook / f"{old}.ipynb", f"{old}.ipynb", f"{RENAMED[old]}.ipynb"
    if name not in record or name in lessons or new not in lessons:
        return None
    known = record.pop(name)
    if not path.is_file():
        return None
    if not _unchanged(path.read_bytes(), known):
        return Step(name, "kept", new)
    path.unlink()
    return Step(name, "renamed", new)


def _unchanged(content: bytes, known: dict[str, Any]) -> bool:
    return _digest(content) == known["copy"] or _merely_opened(content, known["course"])


def _sync_one(target: Path, lesson: dict[str, Any], known: dict | None) -> tuple[dict, Step | None]:
    """Bring one notebook of the workbook up to date: (what to remember of it, what was done)."""
    name, course, new = target.name, course_digest(lesson), _as_bytes(cleared(lesson))
    fresh = {"course": course, "look": _look(lesson), "copy": _digest(new), "offered": []}
    if not target.exists():
        write_whole(target, new)
        return fresh, Step(name, "copied")
    now = target.read_bytes()
    if now == new:
        return fresh, None
    if known is None:  # the record was lost: the copy itself says where it came from, and counts as changed
        known = {"course": _origin(now), "copy": "", "offered": []}
    same = course == known["course"]
    if (same and known.get("look") == fresh["look"]) or course in known["offered"]:
        return known, None
    if _unchanged(now, known):
        write_whole(target, new)
        return fresh, Step(name, "updated")
    if same:
        return known, None
    beside = target.with_name(f"{target.stem}.new-{course[:6]}.ipynb")
    known = {**known, "offered": [*known["offered"], course]}
    if os.path.lexists(beside):
        return known, None
    write_whole(beside, new)
    return known, Step(name, "offered", beside.name)


def _merely_opened(content: bytes, course: str) -> bool:
    """Tell whether a copy has the course's words and no outputs: JupyterLab saves what it merely opened."""
    try:
        notebook = json.loads(content)
        added = any(cell.get("outputs") or cell.get("attachments") for cell in notebook["cells"])
        return course_digest(notebook) == course and not added
    except _UNREADABLE:
        return False


def _origin(content: bytes) -> str:
    """Return the course version that a copy says it came from, or "" if it does not say."""
    try:
        return str(json.loads(content)["metadata"]["mialab"]["course"])
    except _UNREADABLE:
        return ""


def _read_notebook(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_bytes())
        course_digest(notebook)
    except _UNREADABLE as error:
        raise ValueError(f"source holds a damaged notebook, {path.name} ({error}): get it again") from error
    return notebook


def _read_record(workbook: Path) -> tuple[dict[str, dict], list[Step]]:
    """Return what the workbook remembers; a damaged record is set aside under another name, and said so."""
    path = workbook / RECORD
    if not os.path.lexists(path):
        return {}, []
    try:
        record = json.loads(path.read_bytes())["notebooks"]
        for known in record.values():
            if not (isinstance(known["course"], str) and isinstance(known["copy"], str)):
                raise TypeError("a digest is no text")
            list.__iter__(known["offered"])
    except (*_UNREADABLE, FileNotFoundError, IsADirectoryError):  # the last two: a link to nowhere, a folder
        aside = free_name(workbook / ".mialab.damaged.json")
        os.replace(path, aside)
        return {}, [Step(RECORD, "set aside", aside.name)]
    return record, []


def _kind(path: Path) -> str:
    """Return what is at a path, in words."""
    if path.is_dir():
        return "a folder"
    if path.is_file():
        return "a file"
    return "a link that leads nowhere" if path.is_symlink() else "something that is neither file nor folder"


def _as_bytes(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
