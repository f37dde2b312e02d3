"""The file of experiments is whole, is what its script computes, and says what notebook 15 says of it."""

import numpy as np
import pandas as pd
import pytest
from refresh_on_trial import ATTACKS, CLAIMS, FILE, SEEDS, experiments, plan, table

from mialab.data import load_on_trial
from mialab.metrics import mean_interval

RUNS = load_on_trial()
NAMES = ["claim", "experiment", "score"]


def test_the_file_holds_every_claim_and_each_draw_of_an_experiment_once():
    assert list(RUNS) == [*NAMES, "seed", "more", "less"]
    assert list(RUNS["claim"].unique()) == CLAIMS
    assert not RUNS.duplicated([*NAMES, "seed"]).any() and np.isfinite(RUNS[["more", "less"]]).all(axis=None)
    draws = RUNS.groupby(NAMES)["seed"].agg(["min", "max", "count"])
    some = draws[~draws.index.get_level_values("experiment").str.contains("mistakes")]
    assert (some == [min(SEEDS), max(SEEDS), len(SEEDS)]).all(axis=None) and draws["count"].min() > 3
    assert FILE.stat().st_size < 250_000
    assert b"\r" not in FILE.read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("lab", ["depth", "rounds", "measurements", "fakes"])
def test_a_few_rows_computed_afresh_are_those_of_the_file(lab):
    """Nets end elsewhere in the last digits on another processor, so a run may differ a little, its ranks too."""
    runs = [run for run in plan() if run[0] == lab and run[-1] == 3 and run[1] in ("tree", "net", "logistic")]
    afresh = experiments(table(runs)).set_index([*NAMES, "seed"])
    afresh = afresh[~afresh.index.get_level_values("experiment").str.contains("mistakes")]
    stored = RUNS.set_index([*NAMES, "seed"]).loc[afresh.index]
    assert len(afresh) >= 4
    share = afresh.index.get_level_values("score") != "questions a record"
    np.testing.assert_allclose(afresh[share], stored[share], atol=0.02)
    np.testing.assert_allclose(afresh[~share], stored[~share], rtol=0.2)


def test_a_stale_file_would_be_noticed():
    """Another seed is further off than the comparison above forgives."""
    tried = RUNS[RUNS["score"].isin(ATTACKS) & RUNS["claim"].isin(CLAIMS[:2] + CLAIMS[4:7])]
    one, other = (tried[tried["seed"] == seed].set_index(NAMES)["more"] for seed in (0, 1))
    assert abs(one - other).mean() > 0.005


def test_experiments_keep_the_sign_that_the_claim_predicts():
    """Of runs made up so that each claim holds, every experiment comes out above zero."""
    runs = pd.DataFrame(
        [(lab, "tree", "four", n, seed) for lab, high, low in (("depth", 12, 1), ("members", 10, 75), ("noise", 0, 60))
         for n in (high, low) for seed in (0, 1)], columns=["lab", "model", "data", "setting", "seed"],
    )  # fmt: skip
    larger = runs["setting"].isin([12, 10, 0])
    for attack in ATTACKS:
        runs[attack] = np.where(larger, 0.7, 0.6) + runs["seed"] / 100
    fields = ("gap", "surer", "agreement", "botanist", "mistakes", "queries", "advantage")
    found = experiments(runs.assign(**dict.fromkeys(fields, np.nan)))
    assert len(found) == 3 * 2 * 2 and np.allclose(found["more"] - found["less"], 0.1)


def means(claim):
    """{(experiment, score): mean and interval} of one claim."""
    return {
        name: mean_interval(rows["more"] - rows["less"])
        for name, rows in RUNS[RUNS["claim"] == claim].groupby(["experiment", "score"])
    }


def test_more_classes_leak_more_in_every_family():
    """Ten classes of as many digits each: for no model and by neither attack do two classes leak more."""
    digits = {name: effect for name, effect in means("few classes leak more").items() if "30 of each" in name[0]}
    assert len(digits) == 10 and max(effect.mean for effect in digits.values()) < 0
