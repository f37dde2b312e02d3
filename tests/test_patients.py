"""The patients: the file is the one that the card describes, and nothing in it tells the outcome by construction."""

from __future__ import annotations

import csv
import hashlib
import re

import numpy as np
import pytest

import mialab.data
from mialab._files import data_folder
from mialab.data import CLINIC_SHA256, load_clinic

CLINIC = load_clinic()
ROWS = list(csv.DictReader((data_folder() / "patients.csv").read_text("utf-8").splitlines()))
CARD = (data_folder() / "README.md").read_text("utf-8")


def test_the_loader_reads_the_file():
    assert CLINIC.X.shape == (7874, 6) and len(ROWS) == 7874
    assert list(ROWS[0]) == [*CLINIC.feature_names, "outcome"]
    for i in (0, 1, 4000, 7873):
        assert [float(ROWS[i][name]) for name in CLINIC.feature_names] == CLINIC.X[i].tolist()
        assert ROWS[i]["outcome"] == CLINIC.class_names[CLINIC.y[i]]
    frame = CLINIC.frame
    assert list(frame.columns) == list(ROWS[0]) and (frame["outcome"] == [row["outcome"] for row in ROWS]).all()
    assert repr(CLINIC) == "7874 patients, 6 measurements each, 28% died"


def test_known_figures_of_the_source():
    """As R's summary(flchain) has them: 2169 deaths, 4350 women, kappa up to 20.5, lambda up to 26.6, 115 with MGUS."""
    columns = dict(zip(CLINIC.feature_names, CLINIC.X.T, strict=True))
    assert (CLINIC.y == 1).sum() == 2169 and CLINIC.class_names == ("alive", "died")
    assert columns["kappa"].max() == 20.5 and columns["lambda"].max() == 26.6
    assert columns["age"].min() == 50 and columns["age"].max() == 101
    assert columns["mgus"].sum() == 115 and set(np.unique(columns["year"])) == set(range(1995, 2004))
    assert columns["female"].sum() == 4350
    assert np.isfinite(CLINIC.X).all()


def test_the_card_tells_the_truth():
    digest = hashlib.sha256((data_folder() / "patients.csv").read_bytes().replace(b"\r\n", b"\n")).hexdigest()
    assert digest == CLINIC_SHA256 and digest in CARD
    keys = [tuple(row.values()) for row in ROWS]
    assert len(keys) - len(set(keys)) == 4 and "Four rows are equal" in CARD
    assert "2,169 died" in CARD and f"{1 - CLINIC.y.mean():.0%} were alive" in CARD
    for name in (*CLINIC.feature_names, "outcome"):
        assert f"`{name}`" in CARD
    assert "version 2.1" in CARD and "GNU LESSER GENERAL PUBLIC LICENSE" in (data_folder() / "LGPL-2.1.txt").read_text()
    assert not re.search(r"chapter|futime|creatinine", ",".join(ROWS[0]))


def test_no_single_column_gives_the_outcome_away():
    from sklearn.tree import DecisionTreeClassifier

    for column in CLINIC.X.T:
        stump = DecisionTreeClassifier(max_depth=3).fit(column[:, None], CLINIC.y)
        assert stump.score(column[:, None], CLINIC.y) < 0.85


def test_public_ranges_hold_nearly_everyone():
    assert CLINIC.ranges.shape == (6, 2) and (CLINIC.ranges[:, 0] < CLINIC.ranges[:, 1]).all()
    assert (np.abs(CLINIC.scaled) <= 1).mean() > 0.99
    np.testing.assert_allclose(CLINIC.scaled[0, 0], (97 - 75) / 25)


def test_another_file_is_refused(tmp_path, monkeypatch):
    original = (data_folder() / "patients.csv").read_bytes()
    monkeypatch.setattr(mialab.data, "data_folder", lambda: tmp_path)
    (tmp_path / "patients.csv").write_bytes(original.replace(b"\n", b"\r\n"))
    assert load_clinic().X.shape == (7874, 6)
    (tmp_path / "patients.csv").write_bytes(original.replace(b"5.7", b"5.8", 1))
    with pytest.raises(ValueError, match=r"patients\.csv is not the file that the course ships"):
        load_clinic()
