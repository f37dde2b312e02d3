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


def gains_again(seed):
    gains = {}
    for gathered in (90, 150):
        for sure in (0.5, 0.95):
            each = []
            for i in range(4):
                owner = targets.sealed("knn-lookup", FLOWERS.X, FLOWERS.y, n_members=75, random_state=100 * seed + i)
                X, y, _ = synthetic_records(
                    owner.model, gathered, LOW, HIGH, threshold=sure, max_questions=60, random_state=i)  # fmt: skip
                copies = train_shadows(targets.make("knn-lookup"), X, y, n_shadows=4, random_state=i)
                chain = ShadowAttack().fit(owner.model, copies).score_samples(FLOWERS.X, FLOWERS.y)
                plain = owner.model.predict_proba(FLOWERS.X).max(axis=1)
                each.append(auc(chain, owner.reveal()) - auc(plain, owner.reveal()))
            gains.setdefault(gathered, []).append(mean_interval(each))
    return {"gains": gains}


@claim(
    cell="# Draws the chain's gain over the plain question",
    says="at some settings it gains, at others it loses",
    again=gains_again,
)
def the_gain_hangs_on_what_was_gathered(gains):
    means = [value.mean for line in gains.values() for value in line]
    assert max(means) > 0.03 and min(means) < -0.01
