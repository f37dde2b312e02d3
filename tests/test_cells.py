"""What a cell reads and binds, and so which cells an answer touches."""

from __future__ import annotations

import pytest
from cells import names, stands_on, touched_by


@pytest.mark.parametrize(
    ("source", "reads", "binds"),
    [
        ("a = b", {"b"}, {"a"}),
        ("a = 1; c = a", set(), {"a", "c"}),  # its own
        ("a += 1", {"a"}, {"a"}),
        ("a |= {1: b}", {"a", "b"}, {"a"}),
        ("a[0] = b", {"a", "b"}, set()),
        ("import numpy as np\nfrom x import y, z as w", set(), {"np", "y", "w"}),
        ("def f(x, k=d):\n    y = x\n    return y + g", {"d", "g"}, {"f"}),
        ("class C:\n    a = b", {"b"}, {"C"}),
        ("for i in rows:\n    print(i)", {"rows", "print", "i"}, {"i"}),  # too much rather than too little
        ("with a as b:\n    c = b", {"a", "b"}, {"b", "c"}),
        ("(n := 3)", set(), {"n"}),
    ],
)
def test_the_names_of_a_cell(source, reads, binds):
    assert names(source) == (reads, binds)


CELLS = ["import m", "data = m.load()", "def mine(x): ...", "found = mine(data)", "b = 7", "print(found)", "mine = 0"]


def test_a_cell_stands_on_who_bound_its_names_last_before_it():
    assert stands_on(CELLS, 3) == [0, 1, 2]
    assert stands_on(CELLS, 5) == [0, 1, 2, 3]
    assert stands_on(CELLS, 6) == []


def test_an_answer_touches_who_reads_it_and_runs_with_what_these_stand_on():
    assert touched_by(CELLS, {2}) == [0, 1, 2, 3, 5]
    assert touched_by(CELLS, {4}) == [4]
    assert touched_by(["a = 1", "a = 2", "b = a"], {0}) == [0]  # bound anew before it was read


def test_what_runs_the_learners_function_is_touched_by_their_answer():
    sources = ["def f(x):\n    ...\nex.f.check(f)", "g = ex.g.yours()", "f = ex.f.yours()\ny = f(1)", "print(y)"]
    assert touched_by(sources, {0}) == [0, 2, 3]
