"""Questions that a grade hangs on: a point for each line of a rubric, options alike in length, time that is fair."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest

from mialab._files import notebooks_folder
from mialab.exercises import chapters
from mialab.exercises._engine._calls import PATIENCE, call_all
from mialab.exercises._engine._function import SECONDS
from mialab.exercises._engine._kinds import Choice, Written
from mialab.instructor.grading._grading import LONGER
from mialab.instructor.grading._sandbox import Limits
from mialab.instructor.making import _assignment

EXERCISES = [e for chapter in chapters() for e in chapter.exercises.values()]
WRITTEN = [e for e in EXERCISES if isinstance(e, Written)]
CHOICES = [e for e in EXERCISES if isinstance(e, Choice)]


def lesson(number):
    (path,) = notebooks_folder().glob(f"{number}_*.ipynb")
    return json.loads(path.read_text("utf-8"))["cells"]


@pytest.mark.parametrize("exercise", WRITTEN, ids=lambda e: e.id)
def test_a_rubric_has_a_line_for_each_point_and_the_prompt_says_so(exercise):
    assert len(exercise.rubric) == exercise.points
    text = exercise._prompt
    assert re.findall(r"^- (.*)$", text, re.MULTILINE) == exercise.rubric
    assert "a point for each line" in text and f"at least {exercise.words} words" in text.lower()


def test_the_examples_numbers_are_those_of_their_notebooks():
    """An example that earns every point gives a number; it must be one that a cell of the lesson computed."""
    shown = {number: json.dumps(lesson(number), ensure_ascii=False) for number in ("04", "15", "19")}
    example = {e.name: e.example for e in WRITTEN}
    gap = float(re.search(r"look-up +(0\.1\d+) \(95% interval", shown["04"])[1])
    assert f"by {gap:.2f}, the mean gap" in example["tell_a_colleague"]
    row = re.findall(r"<td>([^<]*)</td>", shown["15"])
    at = row.index("tree: depth 12 against 1, sepals")  # then the score, the AUC at either end, and the effect
    mean, low, high = row[at + 4 : at + 7]
    assert f"rose by {mean} in the notebook's table (95% interval {low} to {high}" in example["judge"]
    plain, outsider, auditor = (round(100 * float(n)) for n in re.findall(r"AUC (0\.\d+) \(", shown["19"])[:3])
    assert plain < outsider and f"about {auditor} of 100 pairs" in example["memo"]
    assert f"does so in about {outsider}" in example["memo"]
    few = re.search(r"10 strangers +0 +(\d+) +(\d+)", shown["19"])  # members at ten false alarms, of 1,000
    assert round(1000 / int(few[1])) == 6 and round(int(few[2]) / 100) == 3
    assert "by an outsider about one in six" in example["card"] and "About three in ten of you" in example["card"]


def test_the_rubric_of_the_report_does_not_answer_it():
    rubric = " ".join(next(e for e in WRITTEN if e.name == "report").rubric)
    assert not re.search(r"setosa|weights|candidates|training set", rubric)


def test_the_right_option_is_the_longest_in_at_most_half_of_the_choices():
    def is_longest(exercise):
        lengths = {letter: len(text) for letter, (text, _) in exercise.options.items()}
        right = lengths.pop(exercise.answer)
        return right > max(lengths.values())

    longest = [e.id for e in CHOICES if is_longest(e)]
    assert len(longest) <= len(CHOICES) / 2, longest


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.long
def test_waiting_for_a_busy_machine_costs_no_time():
    """Twice the limit by the clock, hardly any work: so looks a right answer where others have the processor."""

    def waits(x):
        time.sleep(1)
        return x

    assert [call.value.item() for call in call_all(waits, [(np.array(3.0),)], seconds=0.5)] == [3.0]


def test_a_cell_has_time_for_both_checks_of_an_endless_answer():
    """Else the cell would be interrupted first, and nobody told that the function was too slow."""
    assert Limits().cell > PATIENCE * 2 * SECONDS and 2 * Limits().cell > PATIENCE * (1 + LONGER) * SECONDS


@pytest.mark.long
@pytest.mark.parametrize("pause", ["pass", "time.sleep(1)"], ids=["works", "sleeps"])
def test_work_without_end_and_sleep_without_end_are_both_stopped(pause):
    space = {"time": time}
    exec(f"def endless(x):\n    while True:\n        {pause}", space)
    began = time.process_time()
    first, second = call_all(space["endless"], [(1,), (2,)], seconds=0.2)
    assert first.error.kind == second.error.kind == "TooSlow" and time.process_time() - began < 2


def test_an_assignment_says_that_points_are_all_or_nothing():
    chapter = _assignment.find_chapter("06")
    head = _assignment.cells(chapter, _assignment.choose(chapter, None), False, {})[0].source
    assert "all of a question's points or none" in head
    chapter = _assignment.find_chapter("19")
    assert "a point for each line" in _assignment.cells(chapter, _assignment.choose(chapter, None), False, {})[0].source
