"""The claims of notebook 10, the inference model."""

from __future__ import annotations

import numpy as np

from claims import claim
from mialab import targets
from mialab.attacks import ShadowAttack
from mialab.data import load_iris, split
from mialab.metrics import auc, mean_interval
from mialab.shadows import synthetic_records, train_shadows

FLOWERS = load_iris()
LOW, HIGH = np.array([4.0, 2.0, 1.0, 0.1]), np.array([8.0, 4.5, 7.0, 2.6])
SPECIES = {"setosa": [0], "versicolor": [1], "virginica": [2], "all": [0, 1, 2]}


@claim(cell="assert np.allclose(score, ShadowAttack()", says="It beats the plain confidence here")
def it_beats_the_plain_confidence(score, answers, parts):
    assert auc(score, parts.is_member) > auc(answers.max(axis=1), parts.is_member) + 0.03


def areas_again(seed, n_members=75):
    values = {}
    for i in range(5):
        p = split(FLOWERS.X, FLOWERS.y, n_members=n_members, random_state=100 * seed + i)
        t = targets.make("knn-lookup").fit(p.X_in, p.y_in)
        s = train_shadows(targets.make("knn-lookup"), FLOWERS.X, FLOWERS.y, n_shadows=4, random_state=seed)
        both = {"attack model": ShadowAttack().fit(t, s).score_samples(p.X, p.y),
                "confidence": t.predict_proba(p.X).max(axis=1)}  # fmt: skip
        for how, scores in both.items():
            for group, species in SPECIES.items():
                rows = np.isin(p.y, species)
                values.setdefault(f"{group}: {how}", []).append(auc(scores[rows], p.is_member[rows]))
    return {"areas": values}


@claim(
    cell="# Draws the AUC of both scores",
    says="Within a species both scores do alike",
    again=areas_again,
    settings=({}, {"n_members": 60}),
)
def all_of_the_gain_is_between_the_species(areas):
    mean = {name: np.mean(value) for name, value in areas.items()}
    gain = {group: mean[f"{group}: attack model"] - mean[f"{group}: confidence"] for group in SPECIES}
    assert max(abs(gain[name]) for name in list(SPECIES)[:3]) < 0.03 and gain["all"] > 0.05
    assert mean["setosa: attack model"] < 0.65 and mean["versicolor: attack model"] > 0.8


@claim(cell="ex.predict_chain.reveal", says="You have built the whole attack, and it works")
def your_attack_works(result, remote):
    assert result.auc > 0.7 and result.z > 4 and 1500 - remote.queries_left > 5 * 150 / 2


WAYS = {"as you gathered": (75, 0.5), "150 sure flowers": (150, 0.95)}


def areas_of_chains(seed):
    areas = {"plain confidence": []} | {f"chain, {way}": [] for way in WAYS}
    for i in range(8):
        owner = targets.sealed("knn-lookup", FLOWERS.X, FLOWERS.y, n_members=75, random_state=100 * seed + i)
        plain = owner.model.predict_proba(FLOWERS.X).max(axis=1)
        areas["plain confidence"].append(auc(plain, owner.reveal()))
        for way, (gathered, sure) in WAYS.items():
            X, y, _ = synthetic_records(
                owner.model, gathered, LOW, HIGH, threshold=sure, max_questions=60, random_state=i)  # fmt: skip
            copies = train_shadows(targets.make("knn-lookup"), X, y, n_shadows=6, random_state=i)
            chain = ShadowAttack().fit(owner.model, copies).score_samples(FLOWERS.X, FLOWERS.y)
            areas[f"chain, {way}"].append(auc(chain, owner.reveal()))
    return {"areas": areas}


@claim(
    cell="# Draws the AUC of the chain on eight other envelopes",
    says="your way is not shown to do better than the plain question; the other does worse",
    again=areas_of_chains,
)
def the_gain_hangs_on_what_was_gathered(areas):
    plain, yours, sure = map(np.array, areas.values())
    assert mean_interval(yours - plain).low < 0.03 and yours.mean() > 0.7
    assert mean_interval(sure - plain).high < 0


@claim(cell="# Draws the AUC of the chain on eight other envelopes", says="Your envelope was a lucky one")
def your_envelope_was_kind(areas, result):
    assert result.auc > np.mean(areas["chain, as you gathered"]) + 0.03
