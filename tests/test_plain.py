"""Values and calls through JSON: an answer is judged as in the notebook, and nothing else comes through."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mialab.exercises import chapters
from mialab.exercises._engine import _calls
from mialab.exercises._engine._calls import Call, Failure, Observed, observe
from mialab.exercises._engine._function import FunctionExercise
from mialab.exercises._engine._plain import (
    MOST_CHARACTERS,
    MOST_VALUES,
    Shown,
    from_json,
    observed_from_json,
    observed_to_json,
    to_json,
)

FUNCTIONS = [e for c in chapters() for e in c.exercises.values() if isinstance(e, FunctionExercise)]


def through(plain):
    return json.loads(json.dumps(plain))


@pytest.mark.long
@pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.id)
def test_every_answer_is_judged_from_json_as_in_the_notebook(exercise, monkeypatch):
    """Cases go out and calls come back as JSON, as they do in a grading sandbox; and it is all one where it is called.

    That is, in a process of its own or, as where the system cannot fork, in this one.
    """
    bench = exercise.bench(np.random.default_rng(1))
    cases = [tuple(from_json(through(to_json(value))) for value in case) for case in bench.cases]
    answers = {"correct": exercise.function} | {name: wrong.answer for name, wrong in exercise.wrong.items()}
    for name, answer in answers.items():
        seen = observed_from_json(through(observed_to_json(observe(answer, cases, 4.0))), len(cases))
        finding = bench.finding(seen)
        assert (finding.diagnosis or finding.outcome) == name
        with monkeypatch.context() as here:
            here.setattr(_calls, "apart", lambda work, seconds: None)
            assert finding == bench.finding(observe(answer, bench.cases, 4.0)), name
        assert finding.of == len(cases) and (finding.passed == finding.of) == (name in ("correct", "changed_input"))


numbers = st.one_of(st.booleans(), st.integers(-(2**62), 2**62), st.floats())
arrays = hnp.arrays(st.sampled_from([bool, np.int64, float, np.float32, np.uint8]), hnp.array_shapes(max_side=4))


@given(
    st.one_of(numbers, arrays, st.text(max_size=40), st.lists(st.text(max_size=5), min_size=1, max_size=3), st.none())
)
def test_a_value_comes_back(value):
    again = from_json(through(to_json(value)))
    if isinstance(value, str | list | None):
        assert again == value
    else:
        assert np.shape(again) == np.shape(value) and np.asarray(again).dtype.kind in "biuf"
        assert np.array_equal(np.asarray(again, float), np.asarray(value, float), equal_nan=True)
    assert type(again) is type(value) or isinstance(value, np.ndarray)


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                ["array", "dtype", "shape", "text", "list", "dict", "model", "of", "texts", "missing", "state"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(json_values)
def test_whatever_else_is_refused_with_a_value_error(plain):
    for read in (from_json, lambda p: observed_from_json(p, 3)):
        try:
            read(plain)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "plain",
    [
        {"array": [1.0, 2.0], "dtype": "f", "shape": [3]},
        {"array": ["a"], "dtype": "f", "shape": [1]},
        {"array": [10**400], "dtype": "i", "shape": [1]},
        {"array": [1], "dtype": "O", "shape": [1]},
        {"array": [], "dtype": "f", "shape": [0, 10**12]},
        {"array": [0.0] * (MOST_VALUES + 1), "dtype": "f", "shape": [MOST_VALUES + 1]},
        {"text": "x" * (MOST_CHARACTERS + 1)},
        {"texts": ["x" * (MOST_CHARACTERS + 1)], "shape": [1]},
        {"model": "os.system", "of": [{"text": "true"}]},
        {"dict": [[{"list": []}, {"text": "an unhashable key"}]]},
        {"dict": [[1]]},
        {"model": "ScriptedModel", "of": []},
        {},
        [],
        "text",
    ],
    ids=str,
)
def test_known_bad_values_are_refused(plain):
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ
        from_json(plain)


def test_what_is_no_plain_value_is_only_shown():
    shown = from_json(through(to_json(object())))
    assert isinstance(shown, Shown) and "object" in repr(shown)
    assert isinstance(from_json(through(to_json(np.zeros(MOST_VALUES + 1)))), Shown)
    assert from_json(through(to_json(...))) is ... and from_json(to_json(None)) is None


def test_what_a_student_could_write_as_seen_must_have_a_call_for_each_case():
    good = observed_to_json(
        Observed("function", calls=(Call(1.0), Call(None, Failure("ValueError", "ValueError: no"))))
    )
    assert observed_from_json(through(good), 2).calls[1].error.kind == "ValueError"
    for broken in (
        {**good, "calls": good["calls"][:1]},
        {**good, "calls": [[1], [2]]},
        {**good, "state": "correct"},
        {**good, "parameters": [1]},
        {k: v for k, v in good.items() if k != "signature"},
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - the words differ
            observed_from_json(through(broken), 2)
