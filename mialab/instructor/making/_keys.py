"""What a class is drawn from: the instructor's key and the roster. The same key and roster give the same class."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mialab.instructor.making import _tables

MOST_FAULTS = 10  # named at once
_LEAST_BYTES = 16


class Student(NamedTuple):
    """One line of the roster; `id` names the student's folder, the rest is for whoever reads the grades."""

    id: str
    name: str = ""
    email: str = ""
    lms_id: str = ""
    extra_days: str = ""  # after the date on which an assignment is due


_MORE = Student._fields[1:]


def make_key(path: Path | str) -> None:
    """Write 32 random bytes, as hexadecimal text that only its owner may read; ValueError if the file is there."""
    path = Path(path)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ValueError(f"key={str(path)!r} is there already; a class drawn from it would change with it") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")


def read_key(path: Path | str) -> bytes:
    """The bytes of a key file; ValueError if there is none, or it is no key."""
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"key={str(path)!r} is no file; `mialab assign --new-key {path}` makes one")
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        raise ValueError(f"key={str(path)!r} is no key: it should hold hexadecimal digits and nothing else") from None
    if len(key) < _LEAST_BYTES:
        raise ValueError(f"key={str(path)!r} is too short to be secret; it should have at least 32 hexadecimal digits")
    return key


def derive(key: bytes, *words: str) -> bytes:
    """32 bytes that belong to these words under this key: HMAC-SHA256 (RFC 2104) of the words, each with its length.

    Without the key nothing about them can be told, not even from any number of other students' bytes.
    """
    message = b"".join(len(word.encode()).to_bytes(4, "big") + word.encode() for word in words)
    return hmac.new(key, message, hashlib.sha256).digest()


def fingerprint(key: bytes) -> str:
    """What tells one key from another and gives neither away."""
    return derive(key, "fingerprint").hex()[:16]


def generator(key: bytes, *words: str) -> np.random.Generator:
    """The random generator of these words, from all 256 bits: a seed of 32 bits could be found by trying them all."""
    return np.random.default_rng(int.from_bytes(derive(key, "generator", *words), "big"))


def secret(key: bytes, *words: str) -> str:
    """A password of 32 characters that may stand in an address or a header."""
    return derive(key, "secret", *words).hex()[:32]


def seal(key: bytes, assignment: str, student: str, release: int) -> str:
    """What shows that nobody has changed by hand whose a notebook is, and of which release."""
    return secret(key, "tag", assignment, student, *([str(release)] if release > 1 else []))


def read_roster(path: Path | str) -> list[Student]:
    """The students of a CSV file with a column `student`, and perhaps `name`, `email`, `lms_id` and `extra_days`.

    Raises
    ------
    ValueError : the file is not so; the message names every line that is wrong: a cell too many (a comma in a name that
        stands in no quotation marks), an id that is no safe folder name or stands twice, days that are no number
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"roster={str(path)!r} is no file; it should be a CSV file with a column `student`")
    columns, lines = _tables.read_table(path)
    if "student" not in columns:
        found = ", ".join(columns) or "none"
        raise ValueError(f"roster={str(path)!r} has no column `student`; its columns are: {found}")
    if not lines:
        raise ValueError(f"roster={str(path)!r} has nobody in it")
    students, faults, first = [], [], {}
    for number, line in enumerate(lines, start=2):
        student = Student(*(unicodedata.normalize("NFC", line.get(c, "").strip()) for c in ("student", *_MORE)))
        before = first.setdefault(student.id.casefold(), number)
        if fault := _fault(student, line) or (f"{student.id!r} is on line {before} already" if before < number else ""):
            faults.append(f"line {number}: {fault}")
        students.append(student)
    if faults:
        more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
        raise ValueError(f"roster={str(path)!r}, {'; '.join(faults[:MOST_FAULTS])}{more}")
    return students


def kept_roster(course: Path) -> list[Student]:
    """The roster that is kept with a class; nobody where it has none."""
    path = course / "instructor" / "roster.csv"
    return read_roster(path) if path.exists() else []


def _names_a_folder(id: str) -> bool:
    """Letters of any script with their marks, digits, and a few signs that no system and no shell reads as more."""
    kinds = [unicodedata.category(sign)[0] for sign in id]
    plain = all(kind in "LMN" or sign in "._@+-" for kind, sign in zip(kinds, id, strict=True))
    return bool(id) and plain and kinds[0] in "LN" and ".." not in id and len(id) <= 64 and len(id.encode()) <= 200


def _fault(student: Student, line: dict[str, str]) -> str:
    """What is wrong with a line of the roster; empty if nothing is."""
    if line[_tables.TOO_MANY]:
        return f"{line[_tables.TOO_MANY]!r} is a cell too many; a name with a comma goes in quotation marks"
    if not _names_a_folder(student.id):
        return f"{student.id!r} cannot name a folder; use letters, digits and . _ @ + -"
    if student.extra_days and not re.fullmatch(r"\d+(\.\d+)?", student.extra_days):
        return f"extra_days is {student.extra_days!r}; it should be a number of days"
    return ""
