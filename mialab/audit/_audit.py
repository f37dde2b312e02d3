"""An audit: every attack that the threat model allows, on one model, and what follows from it.

Notebook 19 audits a hospital's model. The auditor holds the members and comparable non-members, and asks what an
attacker could do who does not know which is which.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import __version__, _checks
from mialab._threads import one_thread
from mialab.attacks import RMIA, Attack, LabelOnlyAttack, LiRA, ShadowAttack, ThresholdAttack
from mialab.attacks import was_right as _was_right
from mialab.audit import _blind, _evidence, _inputs
from mialab.audit._evidence import FPR
from mialab.defences import LabelOnly, OutputDefence, Rounded, TopK, defend, training_defences
from mialab.exposure import exposure
from mialab.metrics import AttackResult, at_least, evaluate, precision
from mialab.shadows import Shadows, ShadowsInterrupted, even_members, train_shadows

if TYPE_CHECKING:
    import pandas as pd

RATES = (0.0, 0.001, FPR, 0.05)  # of false alarms, in the table of members caught
N_SHADOWS = 32
OUTSIDER, AUDITOR = "outsider", "auditor"


@dataclass(frozen=True, repr=False)
class Audit:
    """An `Audit` holds what an audit found; `str` is its answer in words, `save` writes the report.

    Attributes
    ----------
    name : what the report calls the model.
    outcome : "leaks", "no leak found", "too little evidence", or "cannot judge" where members and non-members differ of
        themselves and no attack is ahead of the blind baseline.
    attacks, threats : {name: AttackResult}, and {name: what its attacker must know}.
    who : {name: "outsider"}, of an attacker who only asks, or trains on other people's records, or {name: "auditor"},
        who trains on parts of the audited records.
    best : the name of the attack with the strongest evidence: the least likely by chance.
    evidence : DataFrame, one row for each attack and statistic (the AUC, and members caught at few false alarms):
        value, chance (the probability that guessing does as well, times the number of rows), blind (the value of the
        blind baseline), lead (ahead of it by), low and high (the lead's 95% interval), and leaks.
    blind : AttackResult of the blind baseline, which never asks the model.
    giveaways : DataFrame of the columns that tell members from non-members without the model.
    smallest_auc, smallest_count : the AUC that so many records would show with 80% probability; and how many members
        would be found that are scored above every non-member.
    accuracy : (on members, on non-members).
    base_rate : the share of members among those whom an attacker suspects.
    by_class, by_group : DataFrames, one row a class or group: records, and the best attack's AUC with its interval.
    members : DataFrame, one row a member, the most exposed first: row (in the members given), label, `as_high` (the
        share of non-members that the best attack scores as high) and `models` (how often models trained with this
        record are surer of it than models without it; NaN without shadows).
    defences : DataFrame, one row an output defence: accuracy, and the strongest attack that knows the defence with its
        AUC. The label-only attack, if it was run, counts as it is: no such defence keeps anything from it.
    recipes : names of training-time defences for this kind of model, not measured.
    notes : sentences about the two sets, about the shadows, and about attacks that were left out.
    settings : what it takes to repeat the audit, with versions, a hash of the data, and the seconds that it took.
    shadows : the shadow models, to save or to use again; None without.

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
    who: dict[str, str]
    best: str
    evidence: pd.DataFrame = field(repr=False)
    blind: AttackResult
    giveaways: pd.DataFrame = field(repr=False)
    smallest_auc: float
    smallest_count: int
    accuracy: tuple[float, float]
    base_rate: float
    by_class: pd.DataFrame = field(repr=False)
    by_group: pd.DataFrame | None = field(repr=False)
    members: pd.DataFrame = field(repr=False)
    defences: pd.DataFrame = field(repr=False)
    recipes: list[str]
    notes: list[str]
    settings: dict[str, Any]
    shadows: Shadows | None = field(repr=False, compare=False)

    @property
    def table(self) -> pd.DataFrame:
        """Return a table with one row an attack, in the order in which they were run.

        Its columns are auc, low, high, null_sd, chance (of the strongest evidence), advantage, tpr and fpr (members
        caught at 1% false alarms at most, and the rate that was reached), above (members above every non-member),
        precision and who. Where 1% allows no false alarm at all, the precision takes one in one more than the
        non-members for its rate.
        """
        import pandas as pd

        rows, chance = {}, self.evidence.groupby("attack")["chance"].min()
        for name, result in self.attacks.items():
            tpr = result.tpr_at(FPR)
            allowed = int(FPR * result.n_non_members) / result.n_non_members
            rows[name] = {
                "auc": result.auc,
                "low": result.interval[0],
                "high": result.interval[1],
                "null_sd": result.null_sd,
                "chance": chance[name],
                "advantage": result.advantage,
                "tpr": float(tpr),
                "fpr": tpr.fpr,
                "above": _evidence.caught(result, 0),
                "precision": precision(float(tpr), max(allowed, 1 / (result.n_non_members + 1)), self.base_rate),
                "who": self.who[name],
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def few_alarms(self) -> pd.DataFrame:
        """Return the members caught at 0, 0.1, 1 and 5% false alarms at most, one row an attack and rate.

        `tpr` has its 95% interval, low and high (Clopper-Pearson, for the threshold as it is), `fpr` is the rate that
        was reached. Where the strictest threshold there is accuses more than the rate allows, `next_fpr` and `next_tpr`
        say what it does.
        """
        import pandas as pd

        rows = []
        for name, result in self.attacks.items():
            strictest = result.roc()
            for rate in RATES:
                tpr = result.tpr_at(rate)
                n_caught = round(float(tpr) * result.n_members)
                low = at_least(n_caught, result.n_members, 0.025)
                high = 1 - at_least(result.n_members - n_caught, result.n_members, 0.025)
                row = {"attack": name, "rate": rate, "tpr": float(tpr), "low": low, "high": high, "fpr": tpr.fpr}
                none = n_caught == tpr.false_alarms == 0
                rows.append(row | {"next_fpr": float(strictest.fpr[1]) if none else np.nan,
                                   "next_tpr": float(strictest.tpr[1]) if none else np.nan})  # fmt: skip
        return pd.DataFrame(rows)

    @property
    def answer(self) -> str:
        """Say the outcome in two or three sentences, for a reader who runs no attacks."""
        from mialab.audit._report import answer

        return answer(self)

    def advice(self) -> list[str]:
        """Say what to do next, one sentence each."""
        from mialab.audit._report import advice

        return advice(self)

    def exceeds(self, limits: Mapping[str, float]) -> list[str]:
        """Say which attack passes which of the limits, one sentence each.

        `limits` has "auc", "tpr@RATE" (members caught at so many false alarms, "tpr@0.01" for 1%) and "above" (members
        above every non-member) for its keys. It raises ValueError for others.

        >>> from mialab import data, targets
        >>> flowers = data.load_iris()
        >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
        >>> model = targets.make("knn-lookup").fit(parts.X_in, parts.y_in)
        >>> found = audit(model, (parts.X_in, parts.y_in), (parts.X_out, parts.y_out), n_shadows=0)
        >>> found.exceeds({"auc": 0.75, "above": 3})[0]
        'largest confidence: auc is 0.8, above 0.75'
        """
        passed = []
        for name, result in self.attacks.items():
            for limit, allowed in limits.items():
                measured = _measured(result, limit)
                if measured > allowed:
                    passed.append(f"{name}: {limit} is {measured:.3g}, above {allowed:g}")
        return passed

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the figures, for JSON: numbers as they are, tables as lists of rows."""
        return {
            "schema": "mialab-audit-2",
            "model": self.name,
            "outcome": self.outcome,
            "answer": self.answer,
            "best_attack": self.best,
            "blind": {"auc": self.blind.auc, "low": self.blind.interval[0], "high": self.blind.interval[1]},
            "giveaways": _rows(self.giveaways),
            "evidence": _rows(self.evidence.drop(columns="log_chance")),
            "smallest_auc": self.smallest_auc,
            "smallest_count": self.smallest_count,
            "accuracy": {"members": self.accuracy[0], "non_members": self.accuracy[1]},
            "base_rate": self.base_rate,
            "attacks": [
                {"attack": name, "knows": self.threats[name]} | row
                for name, row in self.table.to_dict(orient="index").items()
            ],
            "few_alarms": _rows(self.few_alarms),
            "by_class": _rows(self.by_class),
            "by_group": None if self.by_group is None else _rows(self.by_group),
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


def _measured(result: AttackResult, limit: str) -> float:
    kind, _, rate = limit.partition("@")
    if kind == "tpr" and rate:
        try:
            return float(result.tpr_at(float(rate)))
        except ValueError:
            raise ValueError(f"the limit {limit!r} should name a rate from 0 to 1, as in 'tpr@0.01'") from None
    if limit not in ("auc", "above"):
        raise ValueError(f"there is no limit {limit!r}; it should be 'auc', 'above', or 'tpr@RATE' as in 'tpr@0.01'")
    return result.auc if limit == "auc" else _evidence.caught(result, 0)


def audit(
    model: Any,
    members: tuple[Any, Any],
    non_members: tuple[Any, Any],
    *,
    estimator: Any = None,
    n_shadows: int | None = None,
    n_members: int | None = None,
    shadows: Shadows | None = None,
    attacks: Any = None,
    n_questions: int = 100,
    groups: Any = None,
    base_rate: float = 0.01,
    allow_overlap: bool = False,
    fit_params: Mapping[str, Any] | None = None,
    name: str | None = None,
    random_state: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
) -> Audit:
    """Attack a model with all that the threat model allows, and say what was found.

    Parameters
    ----------
    model : fitted, anything with predict_proba and classes_: an estimator, a pipeline, a `RemoteModel`. It is asked
        about each record once, but for the label-only attack, which asks only a model in this process. Or answers that
        were recorded, and no model: a pair of tables of probabilities, for the members and for the non-members, one
        column a class (the columns' names in frames, else the labels in order).
    members, non_members : (X, y) each, the records that trained the model and comparable ones that did not, with
        recorded labels. Frames are brought into the order of columns that the model was trained on. With recorded
        answers X may be None.
    estimator : how to train such a model, for the attacks with shadow models: an unfitted one, or a function of
        random_state that returns one; by default a fresh copy of `model`, if it can be trained. Without one (a remote
        model) only the attacks on the answers are run.
    n_shadows : how many shadow models, on random parts of all the records given; 0 for none. 32, or those of `shadows`.
    n_members : how many records train each of them; by default as many as trained the model, but not so many or so few
        that a record is in, or out of, less than a quarter of the shadows. `notes` and `settings` say how many.
    shadows : shadow models to use again, of these records (`found.shadows`, `mialab.shadows.load_shadows`), extended to
        `n_shadows`; or of other records, as an outsider has who is not the auditor.
    attacks : the names of those to run, or a dict of names and attacks of your own in their place; None is all.
    n_questions : how often the label-only attack asks about each record, as far as 10,000,000 rows go; 0 leaves it out.
    groups : for a table by group, a column's name in both frames, or a pair of arrays. The model need not know it.
    base_rate : the share of members among those whom an attacker suspects, for the precision.
    allow_overlap : whether more than 5% of the non-members may be equal to a member; the report says so aloud.
    fit_params : handed to the `fit` of every shadow. What has one value for each record, the members' first, is cut.
    name : what the report calls the model; by default its type.
    random_state : an int of 0 or more.
    n_jobs, progress : of the training, as in `train_shadows`; `progress` names each step on the standard error.

    First a blind baseline, which never asks the model, tries to tell the two sets apart. Where it does better than
    chance, an attack must do better than it, by a paired interval on the same statistic; if none does, pairs of members
    and non-members that look alike are judged in their place, if such pairs are found. Interrupted while shadows are
    trained, the audit goes on with those that are trained, if they are four or more.

    It raises ValueError for sets that overlap, that are too small, that the model cannot read, or with labels that it
    does not know; and for shadows so large or so small that a record would be in or out of fewer than two.

    >>> from mialab import data, targets
    >>> flowers = data.load_iris()
    >>> parts = data.split(flowers.X, flowers.y, n_members=75, random_state=0)
    >>> model = targets.make("knn-lookup").fit(parts.X_in, parts.y_in)
    >>> found = audit(model, (parts.X_in, parts.y_in), (parts.X_out, parts.y_out), n_shadows=0)
    >>> found.outcome  # the model finds a member at distance nought, and answers with certainty
    'leaks'
    """
    began = time.perf_counter()
    if isinstance(model, tuple | list):
        model = _inputs.Recorded(model, (members[1], non_members[1]))
    settings = _settings(n_shadows, n_questions, base_rate, random_state, shadows)
    sets = [_inputs.read_set(*each, model) for each in (("members", members), ("non_members", non_members))]
    notes = _inputs.overlap(*sets[0], *sets[1], _checks.flag("allow_overlap", allow_overlap))
    case = _Case(*sets, random_state, _checks.flag("progress", progress))
    of_group = _inputs.read_groups(groups, members, non_members, len(sets[0][1]), len(sets[1][1]))
    how, why_not = _inputs.recipe(model, estimator)
    trained = _shadows(case, how, settings, n_members, shadows, n_jobs, dict(fit_params or {}), notes)
    chosen = _chosen(attacks, model, case, trained, settings, why_not or "n_shadows is 0", notes)
    found = _found(case, model, chosen, trained, of_group, notes)
    return Audit(
        name=name or type(getattr(model, "model_", model)).__name__,
        base_rate=settings["base_rate"],
        recipes=_recipes(how),
        notes=notes,
        settings=settings | _about(model, how, case) | {"seconds": round(time.perf_counter() - began, 1)},
        shadows=trained,
        **found,
    )


def _found(
    case: _Case, model: Any, chosen: dict[str, Attack], shadows: Shadows | None, of_group: Any, notes: list[str]
) -> dict[str, Any]:
    """What the attacks find, weighed against the blind baseline."""
    case.say("the blind baseline")
    target, blind = _inputs.Remembered(model, case.X), case.blind(slice(None))
    case.say(f"the attacks: {', '.join(chosen)}")
    scores = _scores(chosen, target, shadows, case, notes)
    run = {each: chosen[each] for each in scores}
    view = _judge(case, scores, blind, notes)
    return {
        "threats": {each: str(attack.threat_model) for each, attack in run.items()},
        "who": {each: _who(attack, shadows, case) for each, attack in run.items()},
        "blind": blind,
        "giveaways": _blind.giveaways(*case.table, case.is_member),
        "accuracy": _accuracy(target, case, view.rows),
        "defences": _defences(run, view, target, shadows, case),
    } | _findings(view, case, of_group, shadows)


def _settings(n_shadows: Any, n_questions: Any, base_rate: Any, random_state: Any, shadows: Any) -> dict[str, Any]:
    if shadows is not None and not isinstance(shadows, Shadows):
        raise ValueError(f"shadows is {type(shadows).__name__}; pass what train_shadows or load_shadows returns")
    n_shadows = (N_SHADOWS if shadows is None else len(shadows)) if n_shadows is None else n_shadows
    settings = {
        "n_shadows": _checks.whole_number("n_shadows", n_shadows, 0),
        "n_questions": _checks.whole_number("n_questions", n_questions, 0),
        "base_rate": _checks.fraction("base_rate", base_rate),
        "random_state": _checks.whole_number("random_state", random_state, 0),
    }
    if 0 < n_shadows < 4:
        raise ValueError(f"n_shadows is {n_shadows}; it should be 4 or more, or 0 for none")
    return settings


class _Case:
    """The audited records, members first, and what is read off them without the model."""

    def __init__(self, members: tuple, non_members: tuple, random_state: int, progress: bool):
        (X_in, y_in), (X_out, y_out) = members, non_members
        self.X, self.y, self.n_in = _inputs.stack(X_in, X_out), np.concatenate([y_in, y_out]), len(y_in)
        self.random_state, self.progress = random_state, progress
        self.is_member = np.arange(len(self.y)) < self.n_in
        self.table = _blind.plain_table(self.X, self.y)

    def blind(self, rows: np.ndarray | slice) -> AttackResult:
        """The blind baseline on these rows."""
        is_member = self.is_member[rows]
        with one_thread():
            scores = _blind.blind_scores(self.table[0][rows], is_member, self.random_state)
        return _evidence.widened(evaluate(scores, is_member))

    def say(self, step: str) -> None:
        if self.progress:
            print(step, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class _View:
    """What is judged: all records, or pairs of them that look alike."""

    rows: np.ndarray
    results: dict[str, AttackResult]
    blind: AttackResult
    evidence: pd.DataFrame

    @property
    def numbers(self) -> tuple[int, int]:
        return self.blind.n_members, self.blind.n_non_members


def _about(model: Any, how: Any, case: _Case) -> dict[str, Any]:
    from importlib.metadata import version

    sizes = {"members": case.n_in, "non_members": len(case.y) - case.n_in}
    libraries = {library: version(library) for library in ("numpy", "scipy", "scikit-learn", "pandas")}
    data = {"data (SHA-256)": _checks.fingerprint(case.X, case.y)}
    about = sizes | data | {"mialab": __version__, "python": platform.python_version()} | libraries
    return about | {"model": repr(model)[:300], "estimator": None if how is None else repr(how)[:300]}


# Shadows


def _shadows(
    case: _Case, how: Any, settings: dict[str, Any], n_members: int | None, given: Shadows | None, n_jobs: int | None,
    fit_params: dict[str, Any], notes: list[str],
) -> Shadows | None:  # fmt: skip
    """Shadow models: those given, and as many more as are wanted; `settings` and `notes` say what they are."""
    wanted = settings["n_shadows"]
    size = _inputs.shadow_size(n_members, case.n_in, len(case.y), wanted) if wanted and case.X.shape[1] else 0
    if given is not None and not _same_pool(given, case):
        notes.append(f"The shadow models are those of an outsider: {given}, and none of them is audited.")
        return given
    missing = wanted - (0 if given is None else len(given))
    if missing <= 0 or how is None or not size:
        settings["n_shadows"] = 0 if given is None else len(given)
        return given
    rng = np.random.default_rng(case.random_state if given is None else [case.random_state, len(given)])
    in_mask = even_members(case.y, missing, size, rng)
    case.say(f"{missing} shadow models, each on {size} of {len(case.y)} records")
    try:
        new = train_shadows(
            how, case.X, case.y, in_mask=in_mask, random_state=rng, n_jobs=n_jobs, progress=case.progress, **fit_params
        )
    except ShadowsInterrupted as stopped:
        new = stopped.shadows
        if len(new) < 4:
            raise
        notes.append(f"The training was interrupted: of {missing} shadow models {len(new)} were trained.")
    trained = new if given is None else given.joined(new)
    settings["n_shadows"] = len(trained)
    settings["records a shadow"] = size
    lacking = int((~trained.in_mask).sum(axis=0).min())
    if size != case.n_in:
        notes.append(
            f"Each shadow model was trained on {size} records, and the model on {case.n_in}, so that every record is "
            f"missing from some shadows ({lacking} of {len(trained)} or more)."
        )
    return trained


def _same_pool(shadows: Shadows, case: _Case) -> bool:
    return _checks.fingerprint(shadows.X, shadows.y) == _checks.fingerprint(case.X, case.y)


# The attacks


def _chosen(
    attacks: Any, model: Any, case: _Case, shadows: Shadows | None, settings: dict, why_not: str, notes: list[str]
) -> dict[str, Attack]:
    """The attacks to run; a note says of each that is left out why."""
    if isinstance(attacks, Mapping):
        settings["n_questions"] = 0
        return dict(attacks)
    chosen: dict[str, Attack] = {
        "largest confidence": ThresholdAttack("confidence"),
        "confidence in the label": ThresholdAttack("true_class"),
        "was it right": ThresholdAttack("correct"),
        "shadow attack": ShadowAttack(),
        "LiRA": LiRA(online=False),
        "RMIA": RMIA(online=False),
        "label only": LabelOnlyAttack(
            n_questions=settings["n_questions"] or 1, random_state=case.random_state, progress=case.progress
        ),
    }
    wanted = list(chosen) if attacks is None else [_checks.one_of("attacks", each, chosen) for each in attacks]
    chosen = {each: attack for each, attack in chosen.items() if each in wanted}
    if shadows is None:
        settings["n_questions"] = 0
        if any(each in chosen for each in ("shadow attack", "LiRA", "RMIA", "label only")):
            notes.append(f"No shadow models were trained, so the strongest attacks were not run: {why_not}.")
        return {each: attack for each, attack in chosen.items() if isinstance(attack, ThresholdAttack)}
    if "label only" in chosen:
        n_questions, why = _inputs.label_only(model, case.X, settings["n_questions"], shadows)
        settings["n_questions"] = chosen["label only"].n_questions = n_questions
        rows = n_questions * len(case.y) * (1 + min(16, len(shadows)))
        case.say(f"the label-only attack asks about {rows:,} noisy copies of records, shadows included")
        if n_questions and why:
            notes.append(f"The label-only attack {why}.")
        elif not n_questions:
            del chosen["label only"]
            notes.append(
                f"The label-only attack, which gets past an answer of labels alone, was not run: {why}. Do not take "
                "such answers for a defence on the strength of this audit."
            )
    else:
        settings["n_questions"] = 0
    return chosen


def _scores(
    attacks: dict[str, Attack], target: Any, shadows: Shadows | None, case: _Case, notes: list[str]
) -> dict[str, np.ndarray]:
    """What each attack makes of the target; one that cannot read these shadows is left out, with a note."""
    index = np.arange(len(case.y)) if shadows is None or _same_pool(shadows, case) else None
    scores = {}
    with one_thread():
        for name, attack in attacks.items():
            try:
                scores[name] = attack.fit(target, shadows).score_samples(case.X, case.y, index=index)
            except ValueError as error:
                if len(attacks) == 1:
                    raise
                notes.append(f"The attack {name} was not run: {error}.")
    return scores


def _who(attack: Attack, shadows: Shadows | None, case: _Case) -> str:
    """Whether an attack trains on parts of the audited records."""
    trains = attack.threat_model.other_records or attack.threat_model.training_procedure
    return AUDITOR if trains and shadows is not None and _same_pool(shadows, case) else OUTSIDER


# The judgement


def _judge(case: _Case, scores: dict[str, np.ndarray], blind: AttackResult, notes: list[str]) -> _View:
    """All records; or, where these cannot judge the model, pairs that the blind baseline cannot tell apart."""
    everyone = _view(case, scores, blind, np.arange(len(case.y)))
    if _evidence.outcome(everyone.evidence, blind) != "cannot judge":
        return everyone
    rows = _blind.matched(blind.scores, case.is_member, case.random_state)
    n_pairs = len(rows) // 2
    if n_pairs < _inputs.FEWEST_PAIRS:
        notes.append(f"No more than {n_pairs} pairs of a member and a non-member look alike.")
        return everyone
    of_pairs = case.blind(rows)
    if _evidence.beats_chance(of_pairs):
        notes.append(f"Of {n_pairs} pairs of members and non-members that look alike, a second look told them apart.")
        return everyone
    notes.append(
        f"Members and non-members differ of themselves, so that {n_pairs} pairs that look alike were judged in their "
        "place. All figures of the attacks are about these pairs; people without a like were not judged."
    )
    return _view(case, scores, of_pairs, rows)


def _view(case: _Case, scores: dict[str, np.ndarray], blind: AttackResult, rows: np.ndarray) -> _View:
    results = {name: evaluate(values[rows], case.is_member[rows]) for name, values in scores.items()}
    return _View(rows, results, blind, _evidence.weigh(results, blind, case.random_state))


def _strongest(view: _View) -> str:
    """The attack with the strongest evidence; of equals, that with the largest AUC."""
    rows = view.evidence.assign(auc=[view.results[attack].auc for attack in view.evidence["attack"]])
    order = rows.sort_values(["leaks", "log_chance", "auc"], ascending=[False, True, False], kind="stable")
    return order["attack"].iloc[0]


# What follows


def _findings(view: _View, case: _Case, of_group: np.ndarray | None, shadows: Shadows | None) -> dict[str, Any]:
    """What the evidence comes to, and whom it concerns."""
    best, n_tests = _strongest(view), len(view.evidence)
    return {
        "outcome": _evidence.outcome(view.evidence, view.blind),
        "attacks": view.results,
        "best": best,
        "evidence": view.evidence,
        "smallest_auc": _evidence.smallest_auc(*view.numbers, n_tests),
        "smallest_count": _evidence.smallest_count(*view.numbers, n_tests),
        "by_class": _by("class", case.y[view.rows], view.results[best]),
        "by_group": None if of_group is None else _by("group", of_group[view.rows], view.results[best]),
        "members": _members(view, best, case, shadows),
    }


def _accuracy(target: Any, case: _Case, rows: np.ndarray) -> tuple[float, float]:
    """The share of members, and of non-members, about whom the target is right."""
    right, is_member = _was_right(target, case.X, case.y)[rows], case.is_member[rows]
    return float(right[is_member].mean()), float(right[~is_member].mean())


def _by(kind: str, label: np.ndarray, result: AttackResult) -> pd.DataFrame:
    """The AUC of an attack within each class, or each group."""
    import pandas as pd

    rows = []
    for each in np.unique(label).tolist():
        own = label == each
        n_in, n_out = int((own & result.is_member).sum()), int((own & ~result.is_member).sum())
        row = {kind: each, "members": n_in, "non_members": n_out, "auc": np.nan, "low": np.nan, "high": np.nan}
        if min(n_in, n_out) >= _inputs.FEWEST:
            within = evaluate(result.scores[own], result.is_member[own])
            row |= {"auc": within.auc, "low": within.interval[0], "high": within.interval[1]}
        rows.append(row)
    return pd.DataFrame(rows)


def _members(view: _View, best: str, case: _Case, shadows: Shadows | None) -> pd.DataFrame:
    import pandas as pd

    result, rows = view.results[best], view.rows[case.is_member[view.rows]]
    outside = np.sort(result.scores[~result.is_member])
    as_high = 1 - np.searchsorted(outside, result.scores[result.is_member], side="left") / len(outside)
    models = np.full(len(rows), np.nan)
    if shadows is not None and _same_pool(shadows, case):
        n_in = shadows.in_mask.sum(axis=0)
        if min(n_in.min(), len(shadows) - n_in.max()) > 1:
            models = exposure(shadows).auc[rows]
    table = pd.DataFrame({"row": rows, "label": case.y[rows], "as_high": as_high, "models": models})
    return table.sort_values(["as_high", "models"], ascending=[True, False], kind="stable", ignore_index=True)


def _defences(
    attacks: dict[str, Attack], view: _View, target: Any, shadows: Shadows | None, case: _Case
) -> pd.DataFrame:
    """What each output defence would leave of the attacks, whose shadows carry it as well: the strongest counts.

    The label-only attack is not run again: no such defence changes what it reads.
    """
    import pandas as pd

    unchanged = {name: result for name, result in view.results.items() if name == "label only"}
    others = {name: attack for name, attack in attacks.items() if name not in unchanged}
    wrappers: dict[str, OutputDefence] = {
        "two digits": Rounded(target, 2),
        "one digit": Rounded(target, 1),
        "largest only": TopK(target, 1),
        "label only": LabelOnly(target),
    }
    rows = [_left("none", target, view.results, case, view.rows)]
    for name, wrapper in wrappers.items():
        case.say(f"the defence {name}")
        replicas = shadows if shadows is None else defend(shadows, wrapper)
        scores = _scores(others, wrapper, replicas, case, [])
        is_member = case.is_member[view.rows]
        found = {each: evaluate(values[view.rows], is_member) for each, values in scores.items()} | unchanged
        rows.append(_left(name, wrapper, found, case, view.rows))
    return pd.DataFrame(rows)


def _left(name: str, behind: Any, found: dict[str, AttackResult], case: _Case, rows: np.ndarray) -> dict[str, Any]:
    best = max(found, key=lambda each: found[each].auc)
    return {"defence": name, "accuracy": _accuracy(behind, case, rows)[1], "attack": best, "auc": found[best].auc}


def _recipes(how: Any) -> list[str]:
    """The training-time defences that there are for this kind of model."""
    try:
        return list(training_defences(how))
    except (AttributeError, TypeError, RuntimeError):  # what scikit-learn cannot copy
        return []


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain Python values, NaN as None."""
    return [
        {key: None if isinstance(value, float) and np.isnan(value) else value for key, value in row.items()}
        for row in table.to_dict(orient="records")
    ]
