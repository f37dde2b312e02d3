"""Who sent a file, as far as the name tells that a learning-management system gave it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from mialab.instructor.making._keys import Student

# What comes before a file's own name: Moodle's `Ada Lovelace_4711_assignsubmission_file_`, Canvas's
# `lovelaceada_LATE_12345_67890_`. Canvas's first number is the person's, Moodle's the participant's.
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<late>(?!))?(?P<rest>.*)", re.DOTALL)
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?:(?P<late>LATE)_)?(?P<number>\d+)_\d+_(?P<rest>.+)", re.DOTALL)


class Sent(NamedTuple):
    """What a file's name tells of whoever sent it."""

    student: str | None  # on the roster
    hand_in: str  # the same for all files that were sent together
    leaf: str  # the file's own name
    late: bool  # Canvas's mark


class Senders:
    """The roster, by what a system may call a student."""

    def __init__(self, students: Iterable[Student], assignments: Sequence[str]):
        self._assignments, self._words, self._numbers = tuple(assignments), {}, {}
        for student in students:
            words = re.split(r"[\s,]+", student.name.strip())
            names = {" ".join(words[i:] + words[:i]) for i in range(len(words))}  # first name first, or last
            names |= {student.id, student.email, student.lms_id, f"participant {student.lms_id}"}
            for key in {_squeeze(name) for name in names} - {"", "participant"}:
                self._words.setdefault(key, set()).add(student.id)
            self._numbers.setdefault(student.lms_id, set()).add(student.id)

    def tell(self, parts: tuple[str, ...]) -> Sent:
        """Who sent a file; only the outermost name is believed, for what is in a hand-in the student has named."""
        first, alone = parts[0], len(parts) == 1
        system = _MOODLE.fullmatch(first) or _CANVAS.fullmatch(first)
        if not system:
            return Sent(self._by_name(first), first, parts[-1], False)
        name, number = system["name"], system["number"]
        student = self._one(self._numbers.get(number)) if system.re is _CANVAS else None
        for words in (f"{name} {number}", name):
            student = student or self._one(self._words.get(_squeeze(words)))
        return Sent(student, f"{name}_{number}", system["rest"] if alone else parts[-1], bool(system["late"]))

    def wrapper(self, every: Sequence[tuple[str, ...]]) -> int:
        """How many folders lie around a whole archive that are nobody's: 1 or 0."""
        first = {parts[0] for parts in every}
        if len(first) != 1 or any(len(parts) == 1 for parts in every):
            return 0
        (name,) = first
        return 0 if self.tell((name, "")).student or _MOODLE.fullmatch(name) or name.lower().endswith(".zip") else 1

    def _by_name(self, first: str) -> str | None:
        """The student with whose id, name or address a file's or folder's name begins, up to a `_`."""
        if first.startswith(self._assignments):
            return None
        for name in (first, Path(first).stem):
            words = name.split("_")[:20]
            for n in range(len(words), 0, -1):
                if students := self._words.get(_squeeze(" ".join(words[:n]))):
                    return self._one(students)
        return None

    @staticmethod
    def _one(students: set[str] | None) -> str | None:
        return next(iter(students)) if students and len(students) == 1 else None


def _squeeze(text: str) -> str:
    """Letters and digits alone, without accents and capitals."""
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())
