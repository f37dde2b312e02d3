"""The file of precomputed runs is whole, is what its script computes, and says what notebook 14 says of it."""

import numpy as np
import pytest
from refresh_on_trial import FILE, plan, table

from mialab.data import load_on_trial
from mialab.metrics import mean_interval
from mialab.trials import verdict

RUNS = load_on_trial()
SETTING = ["lab", "model", "data", "classes", "of_each", "seed"]
ATTACKS = ["recorded label", "RMIA"]


def differences(first, second, attack="rmia"):
    """Seed by seed, how much higher the AUC is in the rows of the first query than in those of the second."""
    a, b = (RUNS.query(rows).set_index("seed")[attack] for rows in (first, second))
    assert len(a) == len(b) >= 20
    return mean_interval(a - b)


def test_the_file_holds_every_planned_run_once_and_in_order():
    assert len(RUNS) == len(plan())
    assert not RUNS.duplicated(SETTING).any()
    assert list(RUNS) == [*SETTING, "train_accuracy", "test_accuracy", *ATTACKS]
    for (lab, *arguments), row in zip(plan(), RUNS.itertuples(), strict=True):
        assert lab.__name__ == f"{row.lab}_lab"
        assert arguments[-1] == row.seed
        assert {row.data, row.classes} <= set(arguments)
    assert ((0 <= RUNS[ATTACKS]) & (RUNS[ATTACKS] <= 1)).all(axis=None)
    assert FILE.stat().st_size < 200_000
    assert b"\r" not in FILE.read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("seed", [0, 19])
def test_a_few_rows_computed_afresh_are_those_of_the_file(seed):
    """Nets end elsewhere in the last digits on another processor, so a run may differ a little, its ranks too."""
    some = [run for run in plan() if run[-1] == seed and 100 not in run]
    afresh = table(some).set_index(SETTING)
    stored = RUNS.set_index(SETTING).loc[afresh.index]
    assert len(afresh) == len(some) > 20
    np.testing.assert_allclose(afresh, stored, atol=0.02)
    assert abs(afresh - stored).mean(axis=None) < 0.002


def test_a_stale_file_would_be_noticed():
    """Another seed is further off than the comparison above forgives."""
    one, other = (RUNS.query("seed == @seed").drop(columns="seed").set_index(SETTING[:-1]) for seed in (0, 1))
    assert abs(one - other).mean(axis=None) > 0.01


@pytest.mark.parametrize("attack", ATTACKS)
def test_more_classes_leak_more(attack):
    """Also with another number of classes than the notebook compares, and by the attack that it does not print."""
    for data, few, many in (
        ("digits", (2, 30), (10, 30)),
        ("digits", (2, 60), (10, 12)),
        ("digits", (4, 30), (10, 30)),
        ("synthetic", (2, 20), (10, 20)),
        ("synthetic", (2, 20), (100, 20)),
    ):
        rows = "lab == 'classes' and data == '{}' and classes == {} and of_each == {}"
        assert differences(rows.format(data, *many), rows.format(data, *few), attack).low > 0.02


def test_images_are_no_harder_to_attack_than_tables():
    """Where number of classes, records of each and model are equal: never by the plain attack, hardly by RMIA."""
    rows = "lab == 'images' and model == '{}' and classes == {} and data == '{}'"
    settings = RUNS.query("lab == 'images' and data != 'digits'")[["model", "classes", "data"]].drop_duplicates()
    for attack, expected in (("recorded label", "contradicted"), ("RMIA", "partly")):
        easier = {
            (model, n, data): differences(rows.format(model, n, data), rows.format(model, n, "digits"), attack)
            for model, n, data in settings.itertuples(index=False)
        }
        assert len(easier) == 10
        assert verdict(easier.values()) == expected
        assert max(value.mean for value in easier.values()) < 0.04
