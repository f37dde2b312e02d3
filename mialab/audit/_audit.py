"""An audit: every attack that the threat model allows, on one model, and what follows from it.

Notebook 19 audits a hospital's model. The auditor holds the members and comparable non-members, and asks what an
attacker could do who does not know which is which.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import __version__, _checks
from mialab._threads import one_thread
from mialab.attacks import RMIA, Attack, LabelOnlyAttack, LiRA, ShadowAttack, ThresholdAttack
from mialab.attacks import was_right as _was_right
from mialab.audit._inputs import FEWEST, Remembered, overlap, read_set, recipe, stack, why_no_label_only
from mialab.defences import LabelOnly, OutputDefence, Rounded, TopK, defend, training_defences
from mialab.exposure import exposure
from mialab.metrics import AttackResult, evaluate, precision
from mialab.shadows import Shadows, train_shadows

if TYPE_CHECKING:
    import pandas as pd

WORTH_FINDING = 0.6  # an audit that could not have found this AUC says so
RISK = 0.05
POWER = 0.8
FPR = 0.01


@dataclass(frozen=True, repr=False)
class Audit:
    """An `Audit` holds what an audit found; `str` is its answer in words, `save` writes the report.

    Attributes
    ----------
    name : what the report calls the model.
    outcome : "leaks", "no leak found" or "too little evidence".
    attacks, threats : {name: AttackResult}, and {name: what its attacker must know}.
    best : the name of the attack with the largest AUC.
    chance : {name: the probability that pure guessing does as well}, corrected for the number of attacks (Bonferroni).
    smallest_auc : the AUC that so many records would show with 80% probability.
    accuracy : (on members, on non-members).
    base_rate : the share of members among those whom an attacker suspects.
    by_class : DataFrame, one row a class: records, and the AUC of the best attack with its interval.
    members : DataFrame, one row a member, the most exposed first: row (in the members given), label, `as_high` (the
        share of non-members that the best attack scores as high) and `models` (how often models trained with this
        record are surer of it than models without it; NaN without shadows).
    defences : DataFrame, one row an output defence: accuracy, and the strongest attack that knows the defence with its
        AUC. The label-only attack, if it was run, counts as it is: no such defence keeps anything from it.
    recipes : names of training-time defences for this kind of model, not measured.
    notes : sentences about twins in the two sets, and about attacks that were left out.
    settings : what it takes to repeat the audit.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("knn-lookup").fit(parts.X_in, parts.y_in)
    >>> found = audit(model, (parts.X_in, parts.y_in), (parts.X_out, parts.y_out), n_shadows=0)
    >>> found.best, list(found.table.columns[:3])
    ('largest confidence', ['auc', 'low', 'high'])
    """

    name: str
    outcome: str
    attacks: dict[str, AttackResult]
    threats: dict[str, str]
    best: str
    chance: dict[str, float]
    smallest_auc: float
    accuracy: tuple[float, float]
    base_rate: float
    by_class: pd.DataFrame = field(repr=False)
    members: pd.DataFrame = field(repr=False)
    defences: pd.DataFrame = field(repr=False)
    recipes: list[str]
    notes: list[str]
    settings: dict[str, Any]

    @property
    def table(self) -> pd.DataFrame:
        """Return a table with one row an attack, in the order in which they were run.

        Its columns are auc, low, high, null_sd, chance, advantage, tpr (at 1% false alarms) and precision. Where 1%
        allows no false alarm at all, the precision takes one in one more than the non-members for its rate.
        """
        import pandas as pd

        rows = {}
        for name, result in self.attacks.items():
            tpr = result.tpr_at(FPR)
            allowed = int(FPR * result.n_non_members) / result.n_non_members
            rows[name] = {
                "auc": result.auc,
                "low": result.interval[0],
                "high": result.interval[1],
                "null_sd": result.null_sd,
                "chance": self.chance[name],
                "advantage": result.advantage,
                "tpr": float(tpr),
                "precision": precision(float(tpr), max(allowed, 1 / (result.n_non_members + 1)), self.base_rate),
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def answer(self) -> str:
        """Say the outcome in two or three sentences, for a reader who runs no attacks."""
        found = self.attacks[self.best]
        numbers = f"{found.n_members} members and {found.n_non_members} non-members"
        pair = f"a member looks more like a member than a non-member does in {found.auc:.0%} of pairs (half is chance)"
        if self.outcome == "leaks":
            row = self.table.loc[self.best]
            worth = "it catches none of the members, so that a single accusation is worth little."
            if row["tpr"] > 0:
                worth = (
                    f"it catches {row['tpr']:.1%} of the members; if {100 * self.base_rate:g}% of those suspected were "
                    f"members, {row['precision']:.0%} of its accusations would be right."
                )
            return (
                f"The model gives away who was in its training data. For its strongest attack, {self.best}, {pair}, "
                f"on {numbers}; guessing does so well with a probability of {_small(self.chance[self.best])}. At 1% "
                f"false alarms {worth}"
            )
        if self.outcome == "no leak found":
            return (
                f"None of {len(self.attacks)} attacks told members from non-members better than guessing might, on "
                f"{numbers}. A leak of AUC {self.smallest_auc:.2f} or more would most likely have been found. That is "
                "no proof that there is none: a smaller one, or a better attack, may exist, and single people may be "
                "exposed where the average is not."
            )
        return (
            f"There is too little evidence to say. On {numbers} only an AUC of {self.smallest_auc:.2f} or more would "
            "most likely show, and a serious leak can be smaller than that. Audit with more records."
        )

    def advice(self) -> list[str]:
        """Say what to do next, one sentence each."""
        from mialab.audit._report import advice

        return advice(self)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the figures, for JSON: numbers as they are, tables as lists of rows."""
        return {
            "schema": "mialab-audit-1",
            "model": self.name,
            "outcome": self.outcome,
            "answer": self.answer,
            "best_attack": self.best,
            "smallest_auc": self.smallest_auc,
            "accuracy": {"members": self.accuracy[0], "non_members": self.accuracy[1]},
            "base_rate": self.base_rate,
            "attacks": [
                {"attack": name, "knows": self.threats[name]} | row
                for name, row in self.table.to_dict(orient="index").items()
            ],
            "by_class": _rows(self.by_class),
            "members": _rows(self.members.drop(columns="label")),
            "defences": _rows(self.defences),
            "recipes": self.recipes,
            "advice": self.advice(),
            "notes": self.notes,
            "settings": self.settings,
        }

    def to_html(self) -> str:
        """Return the report: one self-contained page of HTML."""
        from mialab.audit._report import report

        return report(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> tuple[Path, Path]:
        """Write the report to `path` and its numbers beside it as .json; return both paths.

        It raises ValueError for a path that does not end in .html, and where a file is there already.
        """
        page = Path(path).expanduser()
        if page.suffix.lower() not in (".html", ".htm"):
            raise ValueError(f"path is {str(path)!r}; it should end in .html (the numbers go beside it as .json)")
        numbers = page.with_suffix(".json")
        for file in (page, numbers):
            if file.exists() and not overwrite:
                raise ValueError(f"{file} is there already; choose another path, or pass overwrite=True")
        text = self.to_html()
        page.write_text(text, encoding="utf-8")
        numbers.write_text(json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
        return page, numbers

    def __str__(self) -> str:
        return self.answer

    __repr__ = __str__


def audit(
    model: Any,
    members: tuple[Any, Any],
    non_members: tuple[Any, Any],
    *,
    estimator: Any = None,
    n_shadows: int = 32,
    n_questions: int = 100,
    base_rate: float = 0.01,
    name: str | None = None,
    random_state: int = 0,
) -> Audit:
    """Attack a model with all that the threat model allows, and say what was found.

    Parameters
    ----------
    model : fitted, anything with predict_proba and classes_: an estimator, a pipeline, a `RemoteModel`. It is asked
        about each record once, but for the label-only attack, which asks only a model in this process.
    members, non_members : (X, y) each, the records that trained the model and comparable ones that did not, with
        recorded labels. Frames are brought into the order of columns that the model was trained on.
    estimator : how to train such a model, unfitted, for the attacks with shadow models; a fresh copy of `model` if it
        can be trained. Without one (a remote model) only the attacks on the answers are run.
    n_shadows : how many shadow models, on random parts of all the records given; 0 for none.
    n_questions : how often the label-only attack asks about each record; 0 leaves it out.
    base_rate : the share of members among those whom an attacker suspects, for the precision.
    name : what the report calls the model; by default its type.
    random_state : an int of 0 or more.

    It raises ValueError for sets that overlap, that are too small, that the model cannot read, or with labels that it
    does not know.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("knn-lookup").fit(parts.X_in, parts.y_in)
    >>> found = audit(model, (parts.X_in, parts.y_in), (parts.X_out, parts.y_out), n_shadows=0)
    >>> found.outcome  # the model finds a member at distance nought, and answers with certainty
    'leaks'
    """
    _checks.fitted("model", model)
    settings = _settings(n_shadows, n_questions, base_rate, random_state)
    (X_in, y_in), (X_out, y_out) = read_set("members", members, model), read_set("non_members", non_members, model)
    notes = overlap(X_in, y_in, X_out, y_out)
    X, y = stack(X_in, X_out), np.concatenate([y_in, y_out])
    is_member = np.arange(len(y)) < len(y_in)
    how = recipe(model, estimator)
    settings, left_out = _possible(settings, model, X, how)
    target, shadows = Remembered(model, X), None
    if settings["n_shadows"]:
        shadows = train_shadows(how, X, y, settings["n_shadows"], n_members=len(y_in), random_state=random_state)
    attacks = _attacks(shadows, settings["n_questions"], random_state)
    results = _results(attacks, target, shadows, X, y, is_member)
    best = max(results, key=lambda each: results[each].auc)
    return Audit(
        name=name or type(getattr(model, "model_", model)).__name__,
        attacks=results,
        threats={each: str(attack.threat_model) for each, attack in attacks.items()},
        best=best,
        accuracy=_accuracy(target, X, y, is_member),
        base_rate=settings["base_rate"],
        by_class=_by_class(results[best], y),
        members=_members(results[best], y_in, shadows),
        defences=_defences(attacks, results, target, shadows, X, y, is_member),
        recipes=list(training_defences(how)) if how is not None else [],
        notes=notes + left_out,
        settings=_about(model, how) | {"members": len(y_in), "non_members": len(y_out)} | settings,
        **_verdict(results, best),
    )


def _settings(n_shadows: int, n_questions: int, base_rate: float, random_state: int) -> dict[str, Any]:
    settings = {
        "n_shadows": _checks.whole_number("n_shadows", n_shadows, 0),
        "n_questions": _checks.whole_number("n_questions", n_questions, 0),
        "base_rate": _checks.fraction("base_rate", base_rate),
        "random_state": _checks.whole_number("random_state", random_state, 0),
    }
    if 0 < n_shadows < 4:
        raise ValueError(f"n_shadows is {n_shadows}; it should be 4 or more, or 0 for none")
    return settings


def _accuracy(target: Any, X: Any, y: np.ndarray, is_member: np.ndarray) -> tuple[float, float]:
    """The share of members, and of non-members, about whom the target is right."""
    right = _was_right(target, X, y)
    return float(right[is_member].mean()), float(right[~is_member].mean())


def _possible(settings: dict[str, Any], model: Any, X: Any, how: Any) -> tuple[dict[str, Any], list[str]]:
    """The settings without what cannot be run on this model, and a note on each attack that is left out."""
    if how is None or not settings["n_shadows"]:
        why = "n_shadows is 0" if how is not None else "the model cannot be trained here, and no estimator was given"
        note = f"No shadow models were trained, so the strongest attacks were not run: {why}."
        return settings | {"n_shadows": 0, "n_questions": 0}, [note]
    reason = why_no_label_only(model, X, settings["n_questions"])
    if not reason:
        return settings, []
    note = (
        f"The label-only attack, which gets past an answer of labels alone, was not run: {reason}. Do not take "
        "such answers for a defence on the strength of this audit."
    )
    return settings | {"n_questions": 0}, [note]


def _about(model: Any, how: Any) -> dict[str, Any]:
    return {
        "mialab": __version__,
        "model": repr(model)[:300],
        "estimator": None if how is None else repr(how)[:300],
    }


# The attacks


def _attacks(shadows: Shadows | None, n_questions: int, random_state: int) -> dict[str, Attack]:
    """Those that the auditor's attackers may run."""
    attacks: dict[str, Attack] = {
        "largest confidence": ThresholdAttack("confidence"),
        "confidence in the label": ThresholdAttack("true_class"),
        "was it right": ThresholdAttack("correct"),
    }
    if shadows is not None:
        attacks |= {"shadow attack": ShadowAttack(), "LiRA": LiRA(online=False), "RMIA": RMIA(online=False)}
        if n_questions:
            attacks["label only"] = LabelOnlyAttack(n_questions=n_questions, random_state=random_state)
    return attacks


def _results(
    attacks: dict[str, Attack], target: Any, shadows: Shadows | None, X: Any, y: np.ndarray, is_member: np.ndarray
) -> dict[str, AttackResult]:
    """What each attack makes of the target."""
    rows = np.arange(len(y))
    with one_thread():
        return {
            name: evaluate(attack.fit(target, shadows).score_samples(X, y, index=rows), is_member)
            for name, attack in attacks.items()
        }


def _tail(z: float) -> float:
    """The probability that a normal number is above z."""
    from scipy.stats import norm

    return float(norm.sf(z))


def _smallest_auc(m: int, n: int, n_attacks: int) -> float:
    """The AUC that one of so many attacks would show on m and n records with 80% probability (normal approximation)."""
    from scipy.stats import norm

    spread = np.sqrt((m + n + 1) / (12 * m * n))
    return float(min(1.0, 0.5 + (norm.isf(RISK / n_attacks) + norm.ppf(POWER)) * spread))


def _verdict(results: dict[str, AttackResult], best: str) -> dict[str, Any]:
    """The outcome, and the two numbers that it rests on."""
    chance = {each: min(1.0, len(results) * _tail(result.z)) for each, result in results.items()}
    smallest = _smallest_auc(results[best].n_members, results[best].n_non_members, len(results))
    outcome = "no leak found" if smallest <= WORTH_FINDING else "too little evidence"
    return {"outcome": "leaks" if chance[best] < RISK else outcome, "chance": chance, "smallest_auc": smallest}


# What follows


def _by_class(result: AttackResult, y: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for label in np.unique(y).tolist():
        of_class = y == label
        n_in, n_out = int((of_class & result.is_member).sum()), int((of_class & ~result.is_member).sum())
        row = {"class": label, "members": n_in, "non_members": n_out, "auc": np.nan, "low": np.nan, "high": np.nan}
        if min(n_in, n_out) >= FEWEST:
            own = evaluate(result.scores[of_class], result.is_member[of_class])
            row |= {"auc": own.auc, "low": own.interval[0], "high": own.interval[1]}
        rows.append(row)
    return pd.DataFrame(rows)


def _members(result: AttackResult, y_in: np.ndarray, shadows: Shadows | None) -> pd.DataFrame:
    import pandas as pd

    outside = np.sort(result.scores[~result.is_member])
    as_high = 1 - np.searchsorted(outside, result.scores[result.is_member], side="left") / len(outside)
    models = np.full(len(y_in), np.nan)
    if shadows is not None and shadows.in_mask.sum(axis=0).min() > 1 and (~shadows.in_mask).sum(axis=0).min() > 1:
        models = exposure(shadows).auc[: len(y_in)]
    table = pd.DataFrame({"row": np.arange(len(y_in)), "label": y_in, "as_high": as_high, "models": models})
    return table.sort_values(["as_high", "models"], ascending=[True, False], kind="stable", ignore_index=True)


def _defences(
    attacks: dict[str, Attack],
    results: dict[str, AttackResult],
    target: Any,
    shadows: Shadows | None,
    X: Any,
    y: np.ndarray,
    is_member: np.ndarray,
) -> pd.DataFrame:
    """What each output defence would leave of the attacks, whose shadows carry it as well: the strongest counts.

    The label-only attack is not run again: no such defence changes what it reads.
    """
    import pandas as pd

    unchanged = {name: results[name] for name in results if name == "label only"}
    attacks = {name: attack for name, attack in attacks.items() if name not in unchanged}
    wrappers: dict[str, OutputDefence | None] = {
        "none": None,
        "two digits": Rounded(target, 2),
        "one digit": Rounded(target, 1),
        "largest only": TopK(target, 1),
        "label only": LabelOnly(target),
    }
    rows = []
    for name, wrapper in wrappers.items():
        behind = target if wrapper is None else wrapper
        replicas = shadows if shadows is None or wrapper is None else defend(shadows, wrapper)
        found = _results(attacks, behind, replicas, X, y, is_member) | unchanged
        best = max(found, key=lambda each: found[each].auc)
        right = float(_was_right(behind, X, y)[~is_member].mean())
        rows.append({"defence": name, "accuracy": right, "attack": best, "auc": found[best].auc})
    return pd.DataFrame(rows)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain Python values, NaN as None."""
    return [
        {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
        for row in table.to_dict(orient="records")
    ]


def _small(probability: float) -> str:
    return "less than one in a thousand" if probability < 0.001 else f"about {probability:.2g}"
