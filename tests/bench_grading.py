"""Grade a class of 200 whose points are known beforehand: `python tests/bench_grading.py [n]`.

Right, partly right, every known mistake of the assignment, odd and hostile hand-ins in turn. Prints how many grades are
what was made, how long it took, and the largest memory of this process and of any submission's.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import test_grading
from classroom import Classroom

from mialab.exercises._engine._function import FunctionExercise
from mialab.instructor._class import grade_class

ODD = ["cell_deleted", "metadata_lost", "corrupt_json", "endless_function", "prints_a_gigabyte", "course_overwritten",
       "numpy_patched", "blanks_the_tests", "worked_answers_fetched", "forges_what_is_seen"]  # fmt: skip


def hand_in(room: Classroom, student: str, number: int, rng: np.random.Generator) -> tuple[float, str]:
    """Hand in one submission; the points that it deserves and its kind. Of 20: 8 right, 6 partly, 5 mistaken, 1 odd."""
    kind = number % 20
    if kind < 8:
        room.submit(student, room.answered(student))
        return 11, "right"
    points = room.made.questions
    if kind < 14:  # some questions left out
        left = [str(name) for name in rng.choice(list(points), rng.integers(1, 5), replace=False)]
        room.submit(student, room.answered(student, **dict.fromkeys(left)))
        return 11 - sum(points[name] for name in left), "partly right"
    if kind < 19:
        mistakes = [
            (e.name, wrong) for e in room.exercises.values() if isinstance(e, FunctionExercise) for wrong in e.wrong
        ]
        question, mistake = mistakes[(number // 20 * 5 + kind - 14) % len(mistakes)]
        room.submit(student, room.answered(student, **{question: room.wrong_source(question, mistake)}))
        return 11 - points[question], f"{question}: {mistake}"
    name = ODD[number // 20 % len(ODD)]
    make, deserved, *_ = test_grading.CASES[name]
    notebook = make(room, student)
    if notebook is not None:
        room.submit(student, notebook)
    return deserved, name


def main(n: int = 200) -> int:
    """Make the class, grade it, compare."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as base:
        began = time.monotonic()
        students = [f"s{i:03d}" for i in range(n)]
        room = Classroom(Path(base), students)
        deserved = {s: hand_in(room, s, i, rng) for i, s in enumerate(students)}
        made = time.monotonic()
        graded = grade_class(room.course / "submitted", room.base / "grades", key=room.key)
        seconds = time.monotonic() - made
        wrong = [
            (r.student, deserved[r.student], r.points) for r in graded.results if r.points != deserved[r.student][0]
        ]
        misnamed = [
            (r.student, kind)
            for r in graded.results
            if ": " in (kind := deserved[r.student][1])
            and kind.split(": ")[1] not in {m.diagnosis for m in r.marks if m.question == kind.split(": ")[0]}
        ]
        again = time.monotonic()
        grade_class(room.course / "submitted", room.base / "grades", key=room.key)
        print(f"class of {n} made in {made - began:.0f} s; graded in {seconds:.0f} s, {seconds / n:.2f} s each; "
              f"once more, nothing to do: {time.monotonic() - again:.0f} s")  # fmt: skip
        print(f"grades as made: {n - len(wrong)} of {n}; diagnoses as made: all but {len(misnamed)}")
        print("kinds:", dict(Counter(kind if ": " not in kind else "known mistake" for _, kind in deserved.values())))
        for who, kind in (("this process", resource.RUSAGE_SELF), ("the largest child", resource.RUSAGE_CHILDREN)):
            print(f"memory of {who}: {resource.getrusage(kind).ru_maxrss / 1024:.0f} MB")
        for line in (*wrong, *misnamed):
            print("NOT AS MADE:", line)
        return 1 if wrong or misnamed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
