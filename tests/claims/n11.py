"""The claims of notebook 11, what the attacker must know."""

from __future__ import annotations

import numpy as np
import pandas as pd

from claims import claim
from mialab import targets
from mialab.attacks import RMIA, ShadowAttack
from mialab.data import load_iris, split, wrong_labels
from mialab.metrics import balanced_accuracy, choose_threshold, mean_interval
from mialab.nets import NetClassifier
from mialab.shadows import synthetic_records, train_shadows
from mialab.trials import run_trials

FLOWERS = load_iris()
TYPES = {"look-up": targets.make("knn-lookup"), "tree": targets.make("tree"),
         "logistic": targets.make("logistic"), "net": NetClassifier(hidden=16, random_state=0)}  # fmt: skip
LOW, HIGH = np.array([4.0, 2.0, 1.0, 0.1]), np.array([8.0, 4.5, 7.0, 2.6])


def tables_again(seed, wrong=0.2):
    rows = []
    for i in range(6):
        y = wrong_labels(FLOWERS.y, wrong, 100 * seed + i)
        p = split(FLOWERS.X, y, n_members=50, random_state=100 * seed + i, n_strangers=50)
        rest = np.setdiff1d(np.arange(150), p.index)
        asked = {kind: model.fit(p.X_in, p.y_in).predict_proba(p.X) for kind, model in TYPES.items()}
        for own, model in TYPES.items():
            s = train_shadows(model, FLOWERS.X[rest], y[rest], n_shadows=6, random_state=0)
            of_label = choose_threshold(s.proba[:, np.arange(50), y[rest]].ravel(), s.in_mask.ravel())
            top = choose_threshold(s.proba.max(axis=2).ravel(), s.in_mask.ravel())
            for kind, proba in asked.items():
                with_label = balanced_accuracy(proba[np.arange(100), p.y], p.is_member, of_label)
                rows.append((own, kind, with_label, balanced_accuracy(proba.max(axis=1), p.is_member, top)))
    return {"table": pd.DataFrame(rows, columns=["shadows", "target", "with label", "without"])}


def mean_of(table, column):
    return table.groupby(["shadows", "target"])[column].mean()


@claim(
    cell="draws = [a_draw(seed)",
    says="Without the label only the look-up model still talks",
    again=tables_again,
    settings=({}, {"wrong": 0.3}),
)
def without_the_label_only_the_look_up_talks(table):
    without, with_label = mean_of(table, "without"), mean_of(table, "with label")
    assert without["look-up", "look-up"] > 0.7
    assert all(without[kind, kind] < 0.57 for kind in ("tree", "logistic", "net"))
    assert with_label["tree", "tree"] > 0.6 and with_label["net", "net"] > 0.53


@claim(
    cell="table.pivot_table(",
    says="On the look-up a tree's do as well as its own",
    again=tables_again,
)
def certain_types_do_for_each_other(table):
    table = mean_of(table, "with label")
    assert abs(table["tree", "look-up"] - table["look-up", "look-up"]) < 0.02
    assert abs(table["look-up", "tree"] - table["tree", "tree"]) < 0.02
    assert all(abs(table[own, "tree"] - table["tree", "tree"]) < 0.03 for own in TYPES)
    assert max(table["tree", "net"], table["look-up", "net"]) < 0.53 < table["net", "net"]  # which hardly ever reach 1
    assert table["logistic", "net"] > table["net", "net"]


def types_again(seed):
    attacks = {"model": ShadowAttack(), "RMIA": RMIA(online=False)}
    found = {}
    for own, target in (("look-up", "look-up"), ("tree", "look-up"), ("net", "net"), ("tree", "net")):

        def shadows(model, X, y, random_state, own=own):
            return train_shadows(TYPES[own], X, y, n_shadows=8, random_state=random_state)

        found[own, target] = run_trials(TYPES[target], FLOWERS.X, FLOWERS.y, attacks, n_members=40, n_others=70,
                                        n_trials=8, fraction_wrong=0.2, shadows=shadows, random_state=seed)  # fmt: skip
    return {"found_by_type": found}


def cost(found, target, attack):
    """What a tree's shadows cost an attack on this target."""
    return (found[target, target][f"auc_{attack}"] - found["tree", target][f"auc_{attack}"]).mean()


@claim(
    cell="def with_shadows_of(own, target)",
    says="On the net, a tree's shadows cost the attack model something; `RMIA` hardly minds them",
)
def the_type_matters_to_one_attack_and_not_to_the_other(with_shadows_of):
    found = types_again(3)["found_by_type"]
    assert cost(found, "net", "model") > 0.01 and abs(cost(found, "net", "RMIA")) < 0.04
    assert cost(found, "look-up", "RMIA") > 0.02 and abs(cost(found, "look-up", "model")) < 0.03


def pool_of(made_up, wrong):
    def shadows(target, X, y, random_state):
        rng = np.random.default_rng(random_state)
        if made_up:
            X, y, _ = synthetic_records(target, 70, LOW, HIGH, threshold=0.5, max_questions=30, random_state=rng)
        y = wrong_labels(target.predict(X), 0.2, rng) if wrong and made_up else y if wrong else target.predict(X)
        return train_shadows(TYPES["net"], X, y, n_shadows=6, random_state=rng)

    return shadows


def pools_again(seed):
    rmia = {"RMIA": RMIA(online=False)}
    found = {
        key: run_trials(TYPES["net"], FLOWERS.X, FLOWERS.y, rmia, n_members=40, n_others=70, n_trials=10,
                        fraction_wrong=0.2, shadows=pool_of(*key), random_state=seed)["auc_RMIA"]
        for key in ((False, True), (True, True), (False, False), (True, False))
    }  # fmt: skip
    return {"place": mean_interval(found[False, True] - found[True, True]),
            "labels": mean_interval(found[False, True] - found[False, False]),
            "found": found}  # fmt: skip


@claim(
    cell="place = mean_interval(",
    says="Neither costs much, nor do both",
    again=pools_again,
)
def neither_costs_much(place, labels, found):
    assert -0.03 < mean_interval(found[False, True] - found[True, False]).mean < 0.07
    assert -0.02 < place.mean < 0.08 and abs(labels.mean) < 0.05
