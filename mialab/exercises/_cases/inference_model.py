"""The data on which the answers of notebook 10 are tried, and the oracles that they are compared with."""

from __future__ import annotations

import numpy as np

from mialab.exercises._engine._scripted import ScriptedAttackModel


def shadows_answers(rng):
    yield np.array([[[0.75, 0.25], [0.5, 0.5]]]), np.array([[True, False]]), np.array([1, 0])
    off_grid = np.array([[0.12345, 0.87655], [0.70049, 0.29951], [1.0, 0.0]])
    mask = np.array([[True, False, False], [False, True, False]])
    yield np.stack([off_grid, off_grid[::-1]]), mask, np.array([1, 0, 0])
    yield np.array([[[0.2, 0.3, 0.5]]]), np.array([[True]]), np.array([2])
    for n_shadows, n, n_classes in ((2, 3, 3), (3, 2, 3), (4, 4, 3), (5, 7, 2), (3, 12, 3), (1, 6, 4)):
        proba = rng.dirichlet(np.ones(n_classes), (n_shadows, n)).round(3)
        in_mask = np.stack([rng.permutation(n) < max(1, n // 2) for _ in range(n_shadows)])
        y = rng.permutation(np.arange(n) % n_classes)
        in_mask[0], y[:2] = np.arange(n) % 2 == 0, (1, 0)
        yield proba, in_mask, y


def table_by_loops(proba, in_mask, y):
    rows = []
    for answers, members in zip(proba.tolist(), in_mask.tolist(), strict=True):
        for answer, member, label in zip(answers, members, y.tolist(), strict=True):
            rows.append([*answer, float(label), 1.0 if member else 0.0])
    return np.array(rows)


def target_answers(rng):
    """Attack models that disagree, and records in no order of label whose label is not always the likeliest."""
    models = {
        label: ScriptedAttackModel(weights, first)
        for label, weights, first in ((3, (-3, 1, 4), False), (5, (1.5, -2.25, 0.5), True), (9, (0.1, 4, -1), False))
    }
    proba = np.array([[0.12345, 0.70049, 0.17606], [0.3, 0.3, 0.4], [1, 0, 0], [0, 0.00049, 0.99951], [0, 1, 0]])
    for rows, y in (([0, 1, 2, 3, 4], [9, 3, 5, 3, 5]), ([3], [5]), ([1, 0], [3, 3])):
        yield models, proba[rows], np.array(y)
    for labels, n, member_first in (
        ((0, 1, 2), 4, (False, False, False)),
        ((0, 1, 2), 9, (False, True, False)),
        ((0, 1, 2), 20, (True, True, True)),
        ((0, 1, 2), 1, (True, False, True)),
        ((3, 5, 9), 15, (False, True, True)),
    ):
        models = {
            label: ScriptedAttackModel(rng.permutation([-3, 1, 4]) + rng.normal(scale=0.2, size=3), first)
            for label, first in zip(labels, member_first, strict=True)
        }
        proba = rng.dirichlet([0.7, 0.7, 0.7], n).round(3)
        column = (proba.argmax(axis=1) + rng.permutation(n) % 2) % 3  # every second label contradicts the answer
        if n > 3:
            column[:3] = (2, 0, 2)
        yield models, proba, np.array(labels)[column]


def scores_by_loops(attack_models, proba, y):
    scores = []
    for answer, label in zip(proba, y.tolist(), strict=True):
        model = attack_models[label]
        says = dict(zip(model.classes_.tolist(), model.predict_proba([answer])[0].tolist(), strict=True))
        scores.append(says[True])
    return np.array(scores)
