"""A class that is made up: assignments answered in known ways, honest and not, for tests and benchmarks."""

from __future__ import annotations

import copy
import csv
import functools
import json
from pathlib import Path

import nbgrader.api

from mialab.exercises.handout import FILE, own_from
from mialab.instructor.making import _assignment, _course, _keys, _personal

NAME = "06_the_first_attack"
# nbgrader starts a Python to ask this for every gradebook that it makes: seconds each, and always the same answer.
nbgrader.api.get_alembic_version = functools.cache(nbgrader.api.get_alembic_version)
Notebook = dict


def drawn_from(folder: Path, *students: str) -> dict[str, Path]:
    """A roster of these students and a key, as `assign` takes them."""
    (folder / "r.csv").write_text("\n".join(["student", *students]), "utf-8")
    (folder / "k").write_text("11" * 32, "ascii")
    return {"roster": folder / "r.csv", "key": folder / "k"}


def table(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


class Classroom:
    """A course folder with one assignment, 06 if no other, handed out to `students`, each with flowers of their own."""

    def __init__(self, base: Path, students: list[str], number: str = "06"):
        self.base, self.course, self.students = base, base / "course", students
        self.key, roster = base / "instructor.key", base / "roster.csv"
        if not self.key.exists():
            self.key.write_text("11" * 32, "ascii")
        lines = "".join(f"{s},Name of {s},{s}@example.org,{1000 + i}\n" for i, s in enumerate(students))
        roster.write_text("student,name,email,lms_id\n" + lines, "utf-8")
        self.made = _course.assign(number, self.course, roster=roster, key=self.key)
        chapter = _assignment.find_chapter(number)
        self.number, self.name, self.exercises = int(number), chapter.notebook, chapter.exercises
        self.secret = _keys.read_key(self.key)

    def handout(self, student: str) -> Notebook:
        """The notebook as the student has it."""
        return json.loads((self.course / "handout" / student / self.name / f"{self.name}.ipynb").read_text("utf-8"))

    def right_answers(self, student: str) -> dict[str, str]:
        """The source of a right answer to every question, for this student."""
        own = own_from(json.loads((self.course / "handout" / student / self.name / FILE).read_text("utf-8"))["own"])
        numbers = {q.name: f"{q.name} = {q.answer(own)!r}" for q in _personal.questions(self.number)}
        answers = {name: self.exercises[name].right_code for name in self.made.questions if name in self.exercises}
        for exercise in (self.exercises[name] for name in answers if hasattr(self.exercises[name], "options")):
            order = _course.option_orders([exercise], self.secret, self.name, student)[exercise.name]
            answers[exercise.name] = f'{exercise.name} = "{order[exercise.answer]}"'
        return answers | numbers

    def answered(self, student: str, **changed: str | None) -> Notebook:
        """The student's notebook with right answers, but for those that are given; None leaves the stub."""
        notebook, answers = self.handout(student), self.right_answers(student) | changed
        for cell in notebook["cells"]:
            about = cell["metadata"].get("nbgrader", {})
            if about.get("solution") and answers[about["grade_id"]] is not None:
                cell["source"] = answers[about["grade_id"]]
        return notebook

    def folder(self, student: str) -> Path:
        """Where the student's submission belongs."""
        folder = self.course / "submitted" / student / NAME
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def submit(self, student: str, notebook: Notebook | str | bytes, name: str = f"{NAME}.ipynb") -> None:
        """Hand in a notebook, or whatever stands in its place."""
        content = json.dumps(notebook) if isinstance(notebook, dict) else notebook
        path = self.folder(student) / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def wrong_source(self, question: str, mistake: str) -> str:
        """The source of a known mistake, under the question's own name."""
        from mialab.exercises._engine._function import _plain_source

        source = _plain_source(self.exercises[question].wrong[mistake].answer)
        imports = "from mialab.metrics import accuracy_at, balanced_accuracy, choose_threshold\n"
        return imports + source.replace(f"def _{mistake}(", f"def {question}(", 1)


def solution_cell(notebook: Notebook, question: str) -> dict:
    """The cell in which a question is answered."""
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == question)


def with_first_cell(notebook: Notebook, source: str) -> Notebook:
    """The notebook with a cell of the student's own put first."""
    cell = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source, "id": "mine"}
    return {**notebook, "cells": [cell, *copy.deepcopy(notebook["cells"])]}
