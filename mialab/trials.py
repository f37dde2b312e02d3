"""This module runs many trials: the same experiment on many random splits, because one split proves nothing.

Notebook 02 writes the loop by hand, then uses `run_trials`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import signature
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mialab import _checks
from mialab._threads import one_thread
from mialab.attacks import Attack, ThresholdAttack, confidence, was_right
from mialab.attacks._contract import listed
from mialab.data import split, wrong_labels
from mialab.metrics import IN_TURN, MeanInterval, auc, mean_interval, tpr_at
from mialab.targets import fresh

if TYPE_CHECKING:
    import pandas as pd

    from mialab.shadows import Shadows


def run_trials(
    model: Any,
    X: Any,
    y: Any,
    attacks: Mapping[str, Attack] | Sequence[str] | None = None,
    *,
    n_members: int = 75,
    n_trials: int = 50,
    random_state: int | np.random.Generator | None = 0,
    fraction_wrong: float = 0.0,
    null: bool = False,
    n_others: int = 0,
    shadows: int | Callable[..., Shadows] | None = None,
    fpr: float | None = None,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Split, train and attack `n_trials` times; the table has one row a trial.

    Parameters
    ----------
    model : an unfitted estimator, of which each trial trains a fresh copy with a random_state of its own (if it takes
        one), or a function `model(random_state)` that returns one.
    X, y : (n, n_features) measurements and (n,) clean labels of at least two classes, matched by position. A DataFrame
        stays one, so that a pipeline may pick its columns by name.
    attacks : {name: attack}, or a list of signals for `ThresholdAttack`; by default "true_class" alone.
    n_members : how many records train the model; all others are strangers, less `n_others`.
    random_state : an int, a numpy Generator, or None.
    n_others : how many records are set aside in each trial for the attacker, who is asked about none of them. An attack
        that learns from strangers (`QuantileAttack`) learns from these.
    fraction_wrong : share of all records whose recorded label is made wrong, drawn afresh in each trial before
        training. Members train with the recorded label and the attacker holds it, for members and strangers alike.
    null : the negative control. The model trains on one random choice of members and another, independent one is
        declared; no attack may do better or worse than 0.50 on average.
    shadows : how many shadow models the attacks get, fresh copies of `model`; or a function `shadows(target, X_pool,
        y_pool, random_state)` that returns them. The pool is the records set aside, with their recorded labels; if
        there are none it is all records, as an auditor has who owns the data.
    fpr : adds, for each attack, the share of members caught at this false-positive rate (see `mialab.metrics.tpr_at`).
    n_jobs : as in joblib; the table does not depend on it.

    Returns
    -------
    DataFrame with train_accuracy and test_accuracy (on members and strangers, by their *recorded* labels, so that their
    difference is what a "was it right?" attack gains), confidence_in and confidence_out (mean largest probability), and
    `auc_<name>` for each attack, and `tpr_<name>` if `fpr` is given; with wrong labels, clean_test_accuracy too (on
    strangers, by the labels before any was made wrong).

    It raises ValueError for bad data, numbers out of range, a model that cannot be trained, and unknown signals.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> trials = run_trials(targets.make("one-nn"), flowers.X, flowers.y, ["confidence"], n_trials=3)
    >>> trials[["train_accuracy", "auc_confidence"]].iloc[0].tolist()  # right by heart, and always sure
    [1.0, 0.5]
    """
    import pandas as pd
    from joblib import Parallel, delayed

    if isinstance(model, type) or not (hasattr(model, "fit") or callable(model)):
        raise ValueError(f"model is {model!r}; it should be an estimator, or a function of random_state")
    attacks = _named_attacks(attacks)
    X = _checks.candidates("X", X)
    y = _checks.labels("y", y, len(X))
    classes = np.unique(y).tolist()
    if len(classes) < 2:
        raise ValueError(f"y holds one class only, {classes[0]!r}; at least 2 are needed to train a classifier")
    null = _checks.flag("null", null)
    n_trials = _checks.whole_number("n_trials", n_trials, 1)
    fraction_wrong = _checks.fraction("fraction_wrong", fraction_wrong)
    if shadows is not None and not callable(shadows):
        shadows = partial(_replicas, model, _checks.whole_number("shadows", shadows, 1))
    n_members = _checks.whole_number("n_members", n_members, 1, len(y) - 1)
    n_others = _checks.whole_number("n_others", n_others, 0, len(y) - n_members - 1)  # one stranger at least
    n_strangers = len(y) - n_members - n_others
    plan = _Plan(n_members, n_strangers, fraction_wrong, null, shadows, _rate(fpr))
    streams = _checks.generator(random_state).spawn(n_trials)
    with one_thread():
        rows = Parallel(n_jobs=n_jobs)(delayed(_one_trial)(model, X, y, attacks, plan, rng) for rng in streams)
    return pd.DataFrame(rows)


class _Plan(NamedTuple):
    """What every trial does alike; see `run_trials`."""

    n_members: int
    n_strangers: int
    fraction_wrong: float
    null: bool
    shadows: Callable[..., Shadows] | None
    fpr: float | None


def _one_trial(
    model: Any,
    X: np.ndarray | pd.DataFrame,
    y: np.ndarray,
    attacks: Mapping[str, Attack],
    plan: _Plan,
    rng: np.random.Generator,
) -> dict[str, float]:
    """One row of the table."""
    rows = np.arange(len(y))[:, None]  # split row numbers, so that a frame of records stays a frame
    declared = split(rows, y, plan.n_members, rng, plan.n_strangers)
    trained_on = split(rows, y, plan.n_members, rng) if plan.null else declared
    recorded = wrong_labels(y, plan.fraction_wrong, rng)
    training, judged = trained_on.index_in, declared.index
    target = fresh(model, int(rng.integers(2**31)))
    with _checks.reading(X):
        target.fit(_checks.take(X, training), recorded[training])

    members, candidates, labels = declared.is_member, _checks.take(X, judged), recorded[judged]
    row = _answered(target, candidates, labels, members)
    if plan.fraction_wrong > 0:
        row["clean_test_accuracy"] = was_right(target, candidates, y[judged])[~members].mean()
    replicas, others = None, np.setdiff1d(rows, judged)
    strangers = (_checks.take(X, others), recorded[others]) if len(others) else None
    if plan.shadows is not None:
        pool = others if len(others) else rows[:, 0]
        replicas = plan.shadows(target, _checks.take(X, pool), recorded[pool], int(rng.integers(2**31)))
    rows_in_pool = judged if plan.shadows is not None and not len(others) else None
    scores = {
        name: _scores(attack, target, replicas, candidates, labels, rows_in_pool, strangers)
        for name, attack in attacks.items()
    }
    return row | _judged(scores, members, plan.fpr)


def _rate(fpr: float | None) -> float | None:
    return None if fpr is None else _checks.fraction("fpr", fpr)


def _judged(scores: Mapping[str, np.ndarray], members: np.ndarray, fpr: float | None) -> dict[str, float]:
    """How well each attack's scores tell members, in all and at a false-positive rate."""
    row = {f"auc_{name}": auc(each, members) for name, each in scores.items()}
    if fpr is not None:
        row |= {f"tpr_{name}": float(tpr_at(each, members, fpr)) for name, each in scores.items()}
    return row


def _answered(target: Any, X: Any, y: np.ndarray, members: np.ndarray) -> dict[str, float]:
    """How the target answers members and strangers, on average."""
    right, sure = was_right(target, X, y), confidence(target, X)
    return {
        "train_accuracy": right[members].mean(),
        "test_accuracy": right[~members].mean(),
        "confidence_in": sure[members].mean(),
        "confidence_out": sure[~members].mean(),
    }


def _scores(
    attack: Attack, target: Any, replicas: Any, X: Any, y: np.ndarray, rows: np.ndarray | None, strangers: Any = None
) -> np.ndarray:
    """The scores of a copy of the attack; `rows` are the candidates' in the pool of the replicas, if they are in it.

    An attack that learns from strangers gets those that were set aside.
    """
    attack = copy.copy(attack)
    more = {"strangers": strangers} if "strangers" in signature(attack.fit).parameters else {}
    attack.fit(target, replicas, **more)
    return attack.score_samples(X, y, index=rows)


def attack_each(
    shadows: Shadows,
    attacks: Mapping[str, Attack] | Sequence[str] | None = None,
    *,
    n_targets: int | None = None,
    targets: Shadows | None = None,
    fpr: float | None = None,
) -> pd.DataFrame:
    """Take each shadow in turn as the target and attack it with the others; the table has one row a shadow.

    The others are all but the target's partner (see `Shadows.besides`), and the candidates are the whole pool: this is
    an auditor's view, at the price of one set of models (Carlini et al. 2022, section V-A).

    The rows are no independent draws. Targets 2j and 2j + 1 had opposite members, so `summarise` and `mean_interval`,
    which know the table by its index, "target in turn", take each such pair for one draw. Attacks that read shadows
    share them, too, which `each_interval` allows for. All speak of this pool.

    `attacks`, `fpr` and the columns are those of `run_trials`. `n_targets` says how many are attacked, from the first;
    all are by default. `targets` are the same models behind a defence that the attacker's shadows do not have (see
    `mialab.defences.defend`); by default they are the shadows themselves. It raises ValueError as `run_trials` does,
    and where `targets` had other members than `shadows`.

    >>> from mialab import data, shadows, targets
    >>> flowers = data.load_iris()
    >>> trained = shadows.train_shadows(targets.make("one-nn"), flowers.X, flowers.y, n_shadows=4, random_state=0)
    >>> found = attack_each(trained, ["confidence"], n_targets=2)
    >>> found.shape, found["auc_confidence"].tolist()
    ((2, 5), [0.5, 0.5])
    """
    import pandas as pd

    scores = {
        name: score_each(shadows, attack, n_targets=n_targets, targets=targets)
        for name, attack in _named_attacks(attacks).items()
    }
    rows = []
    for k in _targets(shadows, n_targets):
        members = shadows.in_mask[k]
        row = _answered((targets or shadows).models[k], shadows.X, shadows.y, members)
        rows.append(row | _judged({name: each[k] for name, each in scores.items()}, members, _rate(fpr)))
    return pd.DataFrame(rows).rename_axis(IN_TURN)


def score_each(
    shadows: Shadows, attack: Attack, *, n_targets: int | None = None, targets: Shadows | None = None
) -> np.ndarray:
    """Return the scores behind `attack_each`, of every record of the pool for each target in turn, (n_targets, n).

    `shadows.in_mask[:n_targets]` says who was a member. Pooled over targets there are strangers enough to speak of a
    false-positive rate of 1 in 1,000, if scores of different targets mean the same. `targets` are as in `attack_each`.

    It raises ValueError where `targets` had other members than `shadows`.

    >>> from mialab import attacks, data, shadows, targets
    >>> flowers = data.load_iris()
    >>> trained = shadows.train_shadows(targets.make("one-nn"), flowers.X, flowers.y, n_shadows=4, random_state=0)
    >>> score_each(trained, attacks.ThresholdAttack(), n_targets=2).shape
    (2, 150)
    """
    rows = np.arange(len(shadows.y))
    targets = shadows if targets is None else targets
    if not np.array_equal(targets.in_mask, shadows.in_mask):
        raise ValueError("targets had other members than shadows; they should be the same models behind a defence")
    with one_thread():
        return np.stack(
            [
                _scores(attack, targets.models[k], shadows.besides(k), shadows.X, shadows.y, rows)
                for k in _targets(shadows, n_targets)
            ]
        )


def each_interval(
    shadows: Shadows,
    attacks: Mapping[str, Attack] | Sequence[str] | None = None,
    *,
    targets: Shadows | None = None,
    fpr: float | None = None,
    less: str | None = None,
    n_halvings: int = 12,
    random_state: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Return the means of `attack_each` with 95% intervals that allow for all that its rows share: mean, low, high.

    The draw is that of all the shadows, anew, on this pool. Its spread is seen by halving: the pairs are parted at
    random into two halves, each of which is attacked by itself. The two have no model in common, and so half their
    difference varies as the mean over all does (half-samples: McCarthy, "Pseudo-Replication: Half Samples",
    Review of the ISI, 1969). That is done `n_halvings` times, each at the price of one `attack_each`.

    `attacks`, `targets` and `fpr` are those of `attack_each`, with one row a column. `less` names one of the attacks,
    whose figures are taken off those of every other. It raises ValueError as `attack_each` does, and for fewer than 12
    shadows, of which halves can be attacked.

    >>> from mialab import data, shadows, targets
    >>> flowers = data.load_iris()
    >>> trained = shadows.train_shadows(targets.make("one-nn"), flowers.X, flowers.y, n_shadows=12, random_state=0)
    >>> each_interval(trained, ["true_class", "confidence"]).round(2).loc["auc_true_class"].tolist()
    [0.53, 0.52, 0.54]
    """
    import pandas as pd
    from scipy.special import stdtrit

    if len(shadows) < 12:
        raise ValueError(f"there are {len(shadows)} shadows; at least 12 are needed, so that halves can be attacked")
    pair, rng = np.arange(len(shadows)) // 2, _checks.generator(random_state)
    n_halvings = _checks.whole_number("n_halvings", n_halvings, 2)

    def means(keep: np.ndarray) -> pd.Series:
        behind = None if targets is None else targets.subset(keep)
        found = attack_each(shadows.subset(keep), attacks, targets=behind, fpr=fpr).mean().filter(regex="^(auc|tpr)_")
        return found if less is None else _less(found, less)

    halves = [np.isin(pair, rng.permutation(pair[-1] + 1)[: (pair[-1] + 1) // 2]) for _ in range(n_halvings)]
    squares = sum(((means(half) - means(~half)) / 2) ** 2 for half in halves) / n_halvings
    freedom = 1 / (1 / n_halvings + 1 / pair[-1])  # few halvings and few pairs both leave the spread uncertain
    mean, reach = means(np.ones(len(pair), dtype=bool)), stdtrit(freedom, 0.975) * squares**0.5
    return pd.DataFrame({"mean": mean, "low": mean - reach, "high": mean + reach})


def _less(found: pd.Series, name: str) -> pd.Series:
    """Each attack's figures less those of the attack called `name`."""
    _checks.one_of("less", f"auc_{name}", found.index)
    base = {measure: found[f"{measure}_{name}"] for measure in ("auc", "tpr") if f"{measure}_{name}" in found}
    return (found - found.index.str[:3].map(base)).drop([f"{measure}_{name}" for measure in base])


def _targets(shadows: Shadows, n_targets: int | None) -> range:
    """The numbers of the shadows that are targets."""
    return range(_checks.whole_number("n_targets", len(shadows) if n_targets is None else n_targets, 1, len(shadows)))


def _replicas(model: Any, n_shadows: int, target: Any, X: Any, y: np.ndarray, random_state: int) -> Shadows:
    """Shadows of the target's own kind."""
    from mialab.shadows import train_shadows

    return train_shadows(model, X, y, n_shadows, random_state=random_state)


def _named_attacks(attacks: Mapping[str, Attack] | Sequence[str] | None) -> dict[str, Attack]:
    """The attacks by name."""
    if attacks is None:
        attacks = ["true_class"]
    if isinstance(attacks, Mapping):
        for name, attack in attacks.items():
            if isinstance(attack, type) or not (hasattr(attack, "fit") and hasattr(attack, "score_samples")):
                raise ValueError(
                    f"attacks[{name!r}] is {attack!r}; it should be an attack (an object with fit and score_samples)"
                )
            if "index" not in signature(attack.score_samples).parameters:
                raise ValueError(
                    f"attacks[{name!r}] takes no index; its score_samples should be score_samples(X, y, index=None), "
                    "and may ignore the index"
                )
        return dict(attacks)
    signals = list(attacks) if isinstance(attacks, Iterable) and not isinstance(attacks, str) else [None]
    if not all(isinstance(signal, str) for signal in signals):
        raise ValueError(f"attacks is {attacks!r}; it should be a dict of name: attack, or a list of signals")
    return {signal: ThresholdAttack(signal) for signal in signals}


def summarise(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each column over the trials with its 95% interval: one row a column; mean, low, high.

    Of a table of `attack_each` the draws are pairs of targets, as `mialab.metrics.mean_interval` says. It raises
    ValueError for fewer than 2 trials, and for numbers that are not finite.

    >>> import pandas as pd
    >>> summarise(pd.DataFrame({"auc_loss": [0.6, 0.7, 0.8]})).round(2).loc["auc_loss"].tolist()
    [0.7, 0.45, 0.95]
    """
    import pandas as pd

    rows = {name: mean_interval(column)[:3] for name, column in trials.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high"])


def with_strongest(
    trials: pd.DataFrame,
    measure: str = "auc",
    *,
    n_halvings: int = 20,
    random_state: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Return the table with one more column, `<measure>_strongest`: the strongest attack, at the price of choosing.

    The trials (of a table of `attack_each`, the pairs of targets) are halved at random; the attack with the largest
    mean of `<measure>_<name>` on one half counts on the other, and the other way round; and that `n_halvings` times, of
    which each row holds its mean. So no trial judges an attack that it chose, which the maximum of each row, or of the
    means, would do. Of several settings choose in each apart, as with a groupby.

    It raises ValueError for a table without such columns, and for fewer than 2 trials.

    >>> import pandas as pd
    >>> trials = pd.DataFrame({"auc_loss": [0.6, 0.7, 0.8], "auc_confidence": [0.5, 0.9, 0.5]})
    >>> bool(with_strongest(trials)["auc_strongest"].mean() < trials.max(axis=1).mean())
    True
    """
    names = [name for name in trials.columns if name.startswith(f"{measure}_") and name != f"{measure}_strongest"]
    draw = trials.index.to_numpy() // 2 if trials.index.name == IN_TURN else np.arange(len(trials))
    draws = np.unique(draw)
    if not names or len(draws) < 2:
        raise ValueError(
            f"trials has {len(draws)} draws and {len(names)} columns {measure}_<attack>; it should have at least 2 "
            "draws, of which one half chooses and the other judges, and a column for each attack"
        )
    values, rng = trials[names].to_numpy(), _checks.generator(random_state)
    held_out = np.zeros(len(trials))
    n_halvings = _checks.whole_number("n_halvings", n_halvings, 1)
    for _ in range(n_halvings):
        chooses = np.isin(draw, rng.permutation(draws)[: len(draws) // 2])
        for half in (chooses, ~chooses):
            held_out[~half] += values[~half, values[half].mean(axis=0).argmax()] / n_halvings
    return trials.assign(**{f"{measure}_strongest": held_out})


def verdict(effects: Any, smallest: float = 0.01) -> str:
    """Say what experiments show of a claim: "supported", "partly", "contradicted" or "not shown".

    `effects` (m, 3) holds the mean, low and high of each experiment's effect (as `mean_interval` gives them), signed so
    that the claim predicts a positive one. An experiment is for the claim if its interval lies above 0 and its mean is
    at least `smallest`; it is against it if the interval lies below 0 and the mean is at most -`smallest`. If all are
    for it, the claim is supported; if some are, partly. If none is for it and some are against it, it is contradicted.
    Otherwise nothing is shown.

    It raises ValueError for effects of another shape, and for numbers that are no mean within its interval.

    >>> verdict([(0.10, 0.05, 0.15)]), verdict([(0.10, 0.05, 0.15), (0.02, -0.01, 0.05)])
    ('supported', 'partly')
    """
    wanted = "it should be (m, 3) for at least one experiment: mean, low and high of each"
    try:
        rows = [effect[:3] if isinstance(effect, MeanInterval) else tuple(effect) for effect in effects]
    except TypeError:
        raise ValueError(f"effects is {effects!r}; {wanted}") from None
    effects = _checks.numbers("effects", rows, wanted)
    if effects.ndim != 2 or effects.shape[1] != 3:
        raise ValueError(f"effects has shape {effects.shape}; {wanted}")
    mean, low, high = effects.T
    if not ((low <= mean) & (mean <= high)).all():  # false for NaN too
        raise ValueError("effects holds NaN, or a mean outside its interval; each row should be mean, low, high")
    smallest = _checks.number("smallest", smallest)
    is_for, is_against = (low > 0) & (mean >= smallest), (high < 0) & (mean <= -smallest)
    if is_for.all():
        return "supported"
    if is_for.any():
        return "partly"
    return "contradicted" if is_against.any() else "not shown"


@dataclass(frozen=True)
class Verdicts:
    """A `Verdicts` holds what experiments show of a claim at each of several settings; `str` reads as a sentence.

    `at` is {setting: verdict}, in the order given.

    >>> print(Verdicts({0.6: "supported", 0.7: "supported", 0.9: "contradicted"}))
    It turns with the setting: supported at 0.6 and 0.7; contradicted at 0.9.
    """

    at: dict[Any, str]

    @property
    def overall(self) -> str | None:
        """Return the verdict, if it is the same at every setting."""
        found = set(self.at.values())
        return found.pop() if len(found) == 1 else None

    def holding(self, verdict: str) -> list[Any]:
        """Return the settings at which this is the verdict."""
        return [setting for setting, found in self.at.items() if found == verdict]

    def __str__(self) -> str:
        parts = [
            f"{found} at {listed(map(str, self.holding(found)), 'and')}" for found in dict.fromkeys(self.at.values())
        ]
        return ("" if self.overall else "It turns with the setting: ") + "; ".join(parts) + "."


def verdicts(effects: Mapping[Any, Any], smallest: float = 0.01) -> Verdicts:
    """Say at which settings a claim is supported: `effects` is {setting: the experiments at it, as `verdict` has them}.

    A claim that hangs on a constant (a cutoff, a k, a family of models) is measured along it, and holds where it holds.
    It raises ValueError for no settings, and as `verdict` does.

    >>> print(verdicts({"k = 3": [(0.10, 0.05, 0.15)], "k = 5": [(0.02, -0.01, 0.05)]}))
    It turns with the setting: supported at k = 3; not shown at k = 5.
    """
    if not isinstance(effects, Mapping) or not effects:
        raise ValueError(f"effects is a {type(effects).__name__}; it should be a dict of setting: effects, not empty")
    return Verdicts({setting: verdict(each, smallest) for setting, each in effects.items()})
