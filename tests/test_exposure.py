"""Exposure of single records, what surrounds them, and rank correlations, each against an independent count."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import NearestNeighbors

from mialab.data import load_iris, wrong_labels
from mialab.exposure import exposure, rank_correlation, stream_exposure, surroundings
from mialab.metrics import auc
from mialab.nets import NetClassifier
from mialab.shadows import Shadows, shadow_members, train_shadows
from mialab.targets import make

FLOWERS = load_iris()
X, Y = FLOWERS.X, FLOWERS.y
NET = NetClassifier(hidden=8, epochs=100)


def made_up(rng, n=12, n_classes=3, n_shadows=10, levels=None):
    y = np.arange(n) % n_classes
    in_mask = shadow_members(y, n_shadows, n // 2, rng)
    proba = rng.dirichlet(np.ones(n_classes), (n_shadows, n))
    if levels:
        proba = np.round(proba * levels) / levels
    return Shadows(np.arange(float(n))[:, None], y, in_mask, proba, np.arange(n_classes), [None] * n_shadows)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, 3, 10]))
def test_the_exposure_of_a_record_is_the_auc_of_its_models(seed, levels):
    shadows = made_up(np.random.default_rng(seed), levels=levels)
    found = exposure(shadows)
    for i, label in enumerate(shadows.y):
        sure = shadows.proba[:, i, label]
        inside, outside = sure[shadows.in_mask[:, i]], sure[~shadows.in_mask[:, i]]
        assert found.auc[i] == pytest.approx(auc(sure, shadows.in_mask[:, i]))
        assert found.confidence_in[i] == pytest.approx(inside.mean())
        assert found.confidence_out[i] == pytest.approx(outside.mean())
        story = found.story(i)
        assert sorted(story[0]) == sorted(inside)
        assert sorted(story[1]) == sorted(outside)
        # DeLong by hand: the variance of each side's share of wins
        wins = np.array([[1.0 if a > b else 0.5 if a == b else 0.0 for b in outside] for a in inside])
        variance = wins.mean(axis=1).var(ddof=1) / len(inside) + wins.mean(axis=0).var(ddof=1) / len(outside)
        assert found.se[i] == pytest.approx(np.sqrt(variance))


@pytest.mark.long
def test_the_standard_error_is_what_repetition_shows():
    """40 batches of 64 nets: the spread of each flower's exposure over batches is about its standard error."""
    batches = [exposure(train_shadows(NET, X, Y, n_shadows=64, random_state=seed)) for seed in range(40)]
    spread = np.std([batch.auc for batch in batches], axis=0, ddof=1)
    claimed = np.sqrt(np.mean([batch.se**2 for batch in batches], axis=0))
    middling = np.mean([batch.auc for batch in batches], axis=0) < 0.9
    assert 0.85 < np.median((spread / claimed)[middling]) < 1.15


@pytest.mark.long
def test_a_few_flowers_are_exposed_and_the_average_hides_them():
    found = exposure(train_shadows(NetClassifier(hidden=16), X, Y, n_shadows=512, random_state=0))
    assert found.auc.mean() < 0.57
    assert 3 <= (found.auc > 0.9).sum() <= 8
    assert {41, 83} <= set(np.argsort(found.auc)[-6:])
    assert "most exposed record" in repr(found)
    assert list(found.frame.columns) == ["auc", "se", "confidence_in", "confidence_out"]


def test_any_estimator_and_a_wrong_label():
    recorded = wrong_labels(Y, 0.1, random_state=0)
    found = exposure(train_shadows(make("one-nn"), X, recorded, n_shadows=40, random_state=0))
    assert found.auc[recorded != Y].mean() > found.auc[recorded == Y].mean() + 0.2


def test_where_nothing_can_be_learnt_exposure_is_a_coin():
    found = exposure(train_shadows(DummyClassifier(strategy="uniform", random_state=0), X, Y, 10, random_state=0))
    assert (found.auc == 0.5).all()
    shadows = train_shadows(NET, X, Y, n_shadows=200, random_state=0)
    drawn_after = shadow_members(Y, 200, 75, 1)  # declared members that trained nothing
    control = Shadows(X, Y, drawn_after, shadows.proba, shadows.classes_, shadows.models)
    values = exposure(control).auc
    assert abs(values.mean() - 0.5) < 0.01
    assert np.mean(np.abs(values - 0.5) > 2 * exposure(control).se) < 0.12


def test_what_exposure_refuses():
    with pytest.raises(ValueError, match=r"shadows is str.*train_shadows"):
        exposure("shadows")
    shadows = made_up(np.random.default_rng(0))
    shadows.in_mask[:, 4] = [True] + [False] * 9
    with pytest.raises(ValueError, match="record 4 was a member of 1 of the 10 shadows"):
        exposure(shadows)
    found = exposure(made_up(np.random.default_rng(0)))
    for i in (-1, 12, 1.5):
        with pytest.raises(ValueError, match="i is"):
            found.story(i)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_surroundings_are_those_of_a_plain_loop(seed, n_neighbours):
    rng = np.random.default_rng(seed)
    records, labels = rng.normal(size=(15, 3)) * [1, 10, 0.1], np.arange(15) % 3
    found = surroundings(records, labels, n_neighbours)
    scaled = records / records.std(axis=0)
    for i in range(15):
        distance = {j: np.sqrt(((scaled[i] - scaled[j]) ** 2).sum()) for j in range(15) if j != i}
        near = sorted(distance, key=distance.get)[:n_neighbours]
        assert found["others_near"][i] == pytest.approx(np.mean([labels[j] != labels[i] for j in near]))
        assert found["rarity"][i] == pytest.approx(np.mean([distance[j] for j in near]))
        assert found["to_own"][i] == pytest.approx(min(d for j, d in distance.items() if labels[j] == labels[i]))
        assert found["to_other"][i] == pytest.approx(min(d for j, d in distance.items() if labels[j] != labels[i]))


def test_surroundings_of_the_flowers_agree_with_scikit_learn():
    found = surroundings(X, Y, 10)
    scaled = X / X.std(axis=0)
    distance, _ = NearestNeighbors(n_neighbors=10).fit(scaled).kneighbors()  # without the record itself
    assert found["rarity"].to_numpy() == pytest.approx(distance.mean(axis=1))
    assert found["to_own"][101] == 0  # its twin


@pytest.mark.parametrize(
    ("records", "labels", "n_neighbours", "message"),
    [
        (X, Y, 150, "n_neighbours is 150"),
        (X, Y, 0, "n_neighbours is 0"),
        (X, np.zeros(150), 10, "y holds"),
        (X, np.r_[np.zeros(149), 1], 10, "y holds"),
        (np.c_[X, np.ones(150)], Y, 10, "column 4 of X never varies"),
        (np.where(X == X[0, 0], np.nan, X), Y, 10, "NaN"),
    ],
)
def test_what_surroundings_refuse(records, labels, n_neighbours, message):
    with pytest.raises(ValueError, match=message):
        surroundings(records, labels, n_neighbours)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(4, 40), st.booleans())
@example(6949296, 4, False)  # exactly opposite orders
def test_rank_correlation_is_spearmans(seed, n, ties):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.normal(size=n)
    if ties:
        a, b = np.r_[a[:2], a[2:].round()], np.r_[b[:2], b[2:].round()]
    found = rank_correlation(a, b)
    assert found.rho == pytest.approx(spearmanr(a, b).statistic)
    assert -1 <= found.low <= found.rho <= found.high <= 1
    turned = rank_correlation(a, -b)
    assert (turned.rho, turned.low, turned.high) == pytest.approx((-found.rho, -found.high, -found.low))


def test_its_interval_holds_the_truth_about_as_often_as_it_says():
    """Normal pairs with correlation 0.6: Spearman's is (6 / pi) asin(0.3) = .5822."""
    rng = np.random.default_rng(0)
    truth, held = 6 / np.pi * np.arcsin(0.3), 0
    for _ in range(1000):
        a = rng.normal(size=60)
        found = rank_correlation(a, 0.6 * a + 0.8 * rng.normal(size=60))
        held += found.low <= truth <= found.high
    assert 0.93 < held / 1000 < 0.975


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1, 2, 3], [1, 2, 3], "a should be"),
        ([1, 2, 3, 4], [1, 1, 1, 1], "b should be"),
        ([1, 2, 3, np.nan], [1, 2, 3, 4], "a should be"),
        ([1, 2, 3, 4], [1, 2, 3, 4, 5], "a holds 4 numbers and b 5"),
    ],
)
def test_what_rank_correlation_refuses(a, b, message):
    with pytest.raises(ValueError, match=message):
        rank_correlation(a, b)


def test_shadows_that_are_not_kept_are_measured_as_if_they_were():
    rng = np.random.default_rng(0)
    parts = [train_shadows(NET, X, Y, n, random_state=rng) for n in (8, 8, 4)]
    whole = Shadows(
        X, Y, *(np.concatenate([getattr(p, a) for p in parts]) for a in ("in_mask", "proba")), [0, 1, 2], []
    )
    streamed = stream_exposure(NET, X, Y, 20, batch=8, random_state=0)
    assert (streamed.auc == exposure(whole).auc).all() and streamed.confidence.shape == (20, 150)
    for n_shadows, batch, message in ((3, 8, "n_shadows is 3"), (8, 0, "batch is 0")):
        with pytest.raises(ValueError, match=message):
            stream_exposure(NET, X, Y, n_shadows, batch=batch)
