"""What the shared checks let through, and what they refuse where NumPy would convert in silence."""

import os
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mialab._checks import labels, numbers


@settings(deadline=None)
@given(st.lists(st.integers(-(2**53), 2**53) | st.floats(allow_nan=True) | st.booleans() | st.fractions(-9, 9)))
def test_plain_numbers_pass_unchanged_and_copied(values):
    array = np.array(values, dtype=object)
    result = numbers("x", array, "wanted")
    np.testing.assert_array_equal(result, [float(value) for value in values])
    assert not np.shares_memory(result, numbers("x", result, "wanted"))


@pytest.mark.parametrize(
    "values",
    [
        [Fraction(1, 2), Decimal("0.25"), np.float32(3), np.bool_(True)],
        pd.Series([0.5, 0.25, 3, 1], dtype="Float64"),
        np.array([0.5, 0.25, 3, 1], dtype="float16"),
        np.ma.array([0.5, 0.25, 3, 1]),  # a mask that hides nothing
        (0.5, 0.25, 3, True),
    ],
    ids=["kinds", "nullable", "half", "unmasked", "tuple"],
)
def test_numbers_of_many_kinds_are_numbers(values):
    assert numbers("x", values, "wanted").tolist() == [0.5, 0.25, 3.0, 1.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2"], "x holds str values such as '1', which are not plain numbers; wanted"),
        (np.array([1, "2"], dtype=object), "x holds str values such as '2'"),
        (pd.Series(["1", "2"]), "x holds str values"),
        (np.array([b"1", b"2"]), "x holds bytes values"),
        ([1, None], "x holds NoneType values"),
        (pd.array([True, pd.NA]), "x holds NAType values"),
        ([1, 2j], "x holds complex values"),
        (np.array([1, 2], "datetime64[D]"), "x holds date values"),
        (np.array([1, 2], "datetime64[ns]"), r"x holds datetime64\[ns\] values"),
        (np.array([1, 2], "timedelta64[ns]"), r"x holds timedelta64\[ns\] values"),
        (pd.Series(pd.to_datetime(["2020", None])), r"x holds .* which are not plain numbers"),
        (np.ma.masked_equal([1, 2], 2), "x holds masked values"),
        ([0, -(2**53) - 1], r"x holds integers beyond 2\*\*53"),
        (np.array([0, 2**64 - 1], "uint64"), r"x holds integers beyond 2\*\*53"),
        (np.array([0, -(2**63)]), r"x holds integers beyond 2\*\*53"),
        ([0, 10**400], r"x holds integers beyond 2\*\*53"),
        ([[1], [1, 2]], "x holds rows of unequal length"),
        ((value for value in [1, 2]), "x holds generator values"),
    ],
)
def test_what_numpy_would_convert_in_silence_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        numbers("x", values, "wanted")


@pytest.mark.parametrize(
    "y",
    [[0, 1], [0.5, 1], ["a", "b"], [True, False], np.array(["a", "b"], dtype=object), pd.Series(["a", "b"])],
    ids=str,
)
def test_good_labels_come_back_as_numpy_has_them(y):
    np.testing.assert_array_equal(labels("y", y, 2), np.asarray(y))
    assert labels("y", y).dtype == np.asarray(y).dtype


LATE = """
import numpy
from threadpoolctl import threadpool_info
from mialab._threads import one_thread
def threads():
    return {library["num_threads"] for library in threadpool_info()}
with one_thread():
    assert threads() == {1}, threads()
import sklearn.ensemble  # which brings OpenMP
with one_thread():
    with one_thread():
        pass
    assert threads() == {1}, threads()
assert max(threads()) > 1, "as it was"
"""


@pytest.mark.long
def test_one_thread_holds_libraries_that_were_loaded_since_and_lets_them_go():
    two = {f"{library}_NUM_THREADS": "2" for library in ("OMP", "OPENBLAS", "MKL")}
    done = subprocess.run(
        [sys.executable, "-c", LATE], env=os.environ | two, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
