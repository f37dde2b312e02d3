"""What a class is drawn from: the instructor's key and the roster. The same key and roster give the same class."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mialab.instructor.making import _tables

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_LEAST_BYTES = 16


class Student(NamedTuple):
    """One line of the roster; `id` names the student's folder, the rest is for whoever reads the grades."""

    id: str
    name: str = ""
    email: str = ""
    lms_id: str = ""


def make_key(path: Path | str) -> bytes:
    """Write 32 random bytes, as hexadecimal text that only its owner may read; ValueError if the file is there."""
    path = Path(path)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ValueError(f"key={str(path)!r} is there already; a class drawn from it would change with it") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
    return read_key(path)


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


def read_roster(path: Path | str) -> list[Student]:
    """The students of a CSV file with a column `student`, and perhaps `name`, `email` and `lms_id`.

    Raises
    ------
    ValueError : the file, or a line of it, is not so; an id is no safe folder name, or stands twice
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
    students = []
    for number, line in enumerate(lines, start=2):
        id = (line["student"] or "").strip()
        if not _ID.fullmatch(id) or ".." in id:
            raise ValueError(
                f"roster={str(path)!r}, line {number}: {id!r} cannot name a folder; use letters, digits and . _ @ + -"
            )
        students.append(Student(id, *((line.get(more) or "").strip() for more in Student._fields[1:])))
    twice = {s.id.lower() for s in students if sum(s.id.lower() == o.id.lower() for o in students) > 1}
    if twice:
        raise ValueError(f"roster={str(path)!r} has {', '.join(sorted(twice))} more than once")
    return students
