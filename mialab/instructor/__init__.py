"""This room is for instructors: it makes assignments from the course's notebooks, and grades that can be trusted.

Students need none of this, and nbgrader is imported only where it is used (`make lab` installs it, or the extra
`instructor`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mialab.instructor.making._hidden import hidden_test

if TYPE_CHECKING:
    from mialab.instructor.grading._grading import grade
    from mialab.instructor.making._course import assign

__all__ = ["assign", "grade", "hidden_test"]


def __getattr__(name: str) -> Any:
    """Import what only an instructor calls when it is called for: a sandbox starts without it."""
    from importlib import import_module

    where = {"assign": "mialab.instructor.making._course", "grade": "mialab.instructor.grading._grading"}
    if name not in where:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(where[name]), name)
