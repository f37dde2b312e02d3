"""The shadow attack: an attack model trained on what shadows answer about members and non-members."""

from __future__ import annotations

from typing import Any

import numpy as np

from mialab import _checks
from mialab.attacks._contract import Attack, ThreatModel, replicas
from mialab.attacks._signals import columns, log_odds
from mialab.targets import fresh


class ShadowAttack(Attack):
    """The shadow attack learns from shadow models what members' answers look like, and judges the target by it.

    It trains an attack model, a classifier of "in" against "out", on the shadows' answers about every record of their
    pool: the attacker knows who was a member of each shadow. What it reads of an answer is the log-odds of every class,
    and the recorded label. The score is the probability of "in" that it gives to the target's answer.

    Parameters
    ----------
    attack_model : an unfitted classifier, or a function of random_state that returns one; by default a net with 16
        hidden units.
    per_class : True trains one attack model for each recorded label (as published), False one for all, which is told
        the label.
    random_state : an int or None, for attack models that take one, and for the draw of rows.
    n_rows : on how many of the shadows' answers each attack model is trained at most. Of more, so many are drawn: how a
        member's answer looks is learnt from some thousands, and 64 shadows of 100,000 records have millions.

    `fit` asks the target nothing; `score_samples` asks it each candidate once.

    >>> from mialab import shadows, targets
    >>> X, y = np.arange(12.0)[:, None], np.arange(12) % 3  # neighbours differ, so that only memory is right
    >>> trained = shadows.train_shadows(targets.make("one-nn"), X, y, n_shadows=8, random_state=0)
    >>> attack = ShadowAttack(targets.make("tree")).fit(trained.models[0], trained.besides(0))
    >>> scores, is_member = attack.score_samples(X, y), trained.in_mask[0]
    >>> bool(scores[is_member].min() > scores[~is_member].max())
    True

    References
    ----------
    Shokri, Stronati, Song, Shmatikov, "Membership Inference Attacks Against Machine Learning Models", IEEE S&P 2017,
    sections V-B (shadow models) and V-D (attack model).
    """

    threat_model = ThreatModel(true_label=True, model_type=True, other_records=True, training_procedure=True)

    def __init__(
        self, attack_model: Any = None, per_class: bool = True, random_state: int | None = 0, n_rows: int = 20_000
    ):
        if isinstance(attack_model, type) or not (
            attack_model is None or hasattr(attack_model, "fit") or callable(attack_model)
        ):
            raise ValueError(
                f"attack_model is {attack_model!r}; it should be an unfitted classifier, "
                "a function of random_state that returns one, or None"
            )
        self.attack_model = attack_model
        self.per_class = _checks.flag("per_class", per_class)
        self.random_state = None if random_state is None else _checks.whole_number("random_state", random_state, 0)
        self.n_rows = _checks.whole_number("n_rows", n_rows, 2)

    def fit(self, target: Any, shadows: Any = None) -> ShadowAttack:
        """Train the attack models on `shadows`, as `mialab.shadows.train_shadows` makes them.

        It raises ValueError for shadows that are no replicas of the target, and for a class of which they had only
        members.
        """
        from mialab.nets import NetClassifier

        shadows = replicas("a ShadowAttack", target, shadows)
        known, asked = shadows.classes_.tolist(), np.asarray(target.classes_).tolist()
        label = np.tile(np.searchsorted(shadows.classes_, shadows.y), len(shadows))
        answers, rng = shadows.proba.reshape(-1, len(known)), np.random.default_rng(self.random_state)
        is_member = shadows.in_mask.ravel()
        model = NetClassifier(hidden=16, epochs=200) if self.attack_model is None else self.attack_model
        attack_models = {}
        for group in np.unique(self._groups(label)).tolist():
            rows = np.flatnonzero(self._groups(label) == group)
            if len(rows) > self.n_rows:
                rows = rng.choice(rows, self.n_rows, replace=False)
            if len(np.unique(is_member[rows])) < 2:
                kind = "members" if is_member[rows][0] else "non-members"
                raise ValueError(f"shadows have only {kind} of class {known[group]!r}; train more, or per_class=False")
            attack_models[group] = fresh(model, self.random_state)
            attack_models[group].fit(self._features(answers[rows], label[rows]), is_member[rows])
            _checks.fitted("attack_model", attack_models[group])
        self.classes_, self.column_ = shadows.classes_, np.array([asked.index(label) for label in known])
        self.attack_models_ = attack_models
        return super().fit(target)

    def score_samples(self, X: Any, y: Any, index: Any = None) -> np.ndarray:
        """Return the probability of "in" that the attack model gives to the target's answer on each record, (n,).

        `index` is ignored. It raises ValueError for a label of which the shadows' pool had no record.
        """
        target = self._fitted_target()
        proba = _checks.answers(target, X)
        label = np.argsort(self.column_)[columns(target, y, len(proba))]
        features, groups = self._features(proba[:, self.column_], label), self._groups(label)
        scores = np.empty(len(proba))
        for group in np.unique(groups).tolist():
            if group not in self.attack_models_:
                label = self.classes_.tolist()[group]
                raise ValueError(f"y holds {label!r}, a class of which the shadows' pool had no record")
            rows, model = groups == group, self.attack_models_[group]
            # Each different answer once: equal ones must tie, and a matrix product may round by a row's place.
            different, which = np.unique(features[rows], axis=0, return_inverse=True)
            scores[rows] = model.predict_proba(different)[which.ravel(), model.classes_.tolist().index(True)]
        return scores

    def _groups(self, label: np.ndarray) -> np.ndarray:
        """Which attack model a record belongs to, (n,)."""
        return label if self.per_class else np.zeros_like(label)

    def _features(self, proba: np.ndarray, label: np.ndarray) -> np.ndarray:
        """The log-odds of every class; and, where one attack model serves all labels, the label as zeros and a one."""
        odds = log_odds(proba)
        return odds if self.per_class else np.hstack([odds, np.eye(odds.shape[1])[label]])
