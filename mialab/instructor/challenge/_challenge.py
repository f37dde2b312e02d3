"""Capture the members: every student attacks targets of their own behind a service, and hands in scores.

The targets, their members and wrong labels are drawn from the instructor's key; a student's side holds the flowers,
the labels as recorded, and a key to the service. There are several targets a student, for one draw is largely luck.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mialab._files import write_whole
from mialab.blackbox._app import Account, Service
from mialab.blackbox._server import running
from mialab.data import load_iris, wrong_labels
from mialab.instructor.challenge._ledger import Ledger
from mialab.instructor.making import _course, _keys
from mialab.targets import make

NAME = "challenge"
TARGET, WRONG, N_MEMBERS, N_CANDIDATES = "forest", 0.2, 75, 150
FORMAT = 2  # of what is kept of a challenge; 1 had one target a student
N_TARGETS = 8  # of each student
BUDGET = 600  # records that a student may ask about, of each target
OTHERS = 30  # targets on which the published baseline is measured
POINTS = {"scores_file": 2, "scores_auc": 8}
NONE, ALL = 0.60, 0.90  # the AUC that earns no points, and the one that earns all
ALLOWED = 0.5  # the share of the targets' easiness, as the baseline shows it, that is taken off


class Target(NamedTuple):
    """One of a student's targets: the candidates as handed out, the secret, and the model."""

    X: np.ndarray
    y: np.ndarray
    is_member: np.ndarray
    model: Any


def target_of(key: bytes, student: str, number: int) -> Target:
    """A target of a student: the same from the same key, whenever and in whatever order it is drawn."""
    flowers, y = load_iris(), labels_of(key, student, number)
    chosen = _keys.generator(key, NAME, "members", student, str(number)).permutation(N_CANDIDATES)[:N_MEMBERS]
    is_member = np.isin(np.arange(N_CANDIDATES), chosen)
    seed = int(_keys.generator(key, NAME, "training", student, str(number)).integers(2**31))
    model = make(TARGET, random_state=seed).fit(flowers.X[is_member], y[is_member])
    return Target(flowers.X, y, is_member, model)


def labels_of(key: bytes, student: str, number: int) -> np.ndarray:
    """The labels as recorded for one target, of which some are wrong."""
    return wrong_labels(load_iris().y, WRONG, random_state=_keys.generator(key, NAME, "labels", student, str(number)))


def access_key(key: bytes, student: str) -> str:
    """A student's key to the service."""
    return _keys.secret(key, NAME, "access", student)


def target_key(access: str, number: int) -> str:
    """What opens one target for whoever has an access key."""
    return f"{access}-{number}"


# --- handing out -----------------------------------------------------------------------------------------------------


def assign_challenge(
    out: Path | str, *, roster: Path | str, key: Path | str, url: str = "http://127.0.0.1:8000", budget: int = BUDGET
) -> list[Path]:
    """Make the challenge for everyone on the roster: a folder each to hand out, and what serving and grading need.

    Raises
    ------
    ValueError : no roster or key, a budget below the number of candidates, or there is a challenge in `out` already
    """
    if budget < N_CANDIDATES:
        raise ValueError(f"budget={budget} should be at least {N_CANDIDATES}: one question for each candidate")
    out, secret, students = Path(out).absolute(), _keys.read_key(key), _keys.read_roster(roster)
    about = _course.settings_file(out, NAME)
    if about.exists():  # who joins later gets targets too; what others were told stays as it is
        settings = _settings(about)
        students = [student for student in students if not (out / "handout" / student.id / NAME).exists()]
        if not students or settings["key"] != _keys.fingerprint(secret):
            raise ValueError(f"out={str(out)!r} holds a challenge already; choose another folder, or remove {about}")
    else:
        settings = {"format": FORMAT, "budget": budget, "url": url, "key": _keys.fingerprint(secret)}
        settings |= {"baseline": _elsewhere()}
    _course.start(out)
    _course.copy_roster(Path(roster), out)
    folders = [out / "handout" / student.id / NAME for student in students]
    for student, folder in zip(students, folders, strict=True):
        for name, text in handout(secret, student.id, settings).items():
            write_whole(folder / name, text)
    write_whole(about, json.dumps(settings) + "\n")
    return folders


def handout(key: bytes, student: str, settings: dict[str, Any]) -> dict[str, str]:
    """The files that a student gets, by name. Nothing in them depends on who is a member."""
    flowers = load_iris()
    records = io.StringIO()
    table = csv.writer(records, lineterminator="\n")
    measured = [name.replace(" ", "_") for name in flowers.feature_names]
    table.writerow(["target", "record", *measured, "recorded_label"])
    for number in range(N_TARGETS):
        y = labels_of(key, student, number).tolist()
        table.writerows([number, i, *x, y[i]] for i, x in enumerate(flowers.X.tolist()))
    example = [f"{number},{i},0.5\n" for number in range(N_TARGETS) for i in range(N_CANDIDATES)]
    return {
        "README.md": _README.format(url=settings["url"], budget=settings["budget"], **_numbers(settings["baseline"])),
        "candidates.csv": records.getvalue(),
        "access.txt": access_key(key, student) + "\n",
        "scores_example.csv": "target,record,score\n" + "".join(example),
    }


@cache
def _elsewhere() -> dict[str, float]:
    """What the baseline reaches on targets that are nobody's: drawn from a key that is no secret."""
    from mialab.metrics import auc, mean_interval

    drawn = [target_of(b"targets of nobody", str(i), 0) for i in range(OTHERS)]
    found = mean_interval([auc(baseline(target), target.is_member) for target in drawn])
    return {name: round(getattr(found, name), 2) for name in ("mean", "low", "high")}


def counted(auc: float, baseline_auc: float, usual: float) -> float:
    """The AUC that points are given for: part of what made these targets easier than usual is taken off, or given."""
    return auc - ALLOWED * (baseline_auc - usual)


def points(auc: float) -> dict[str, float]:
    """The published rule, for an AUC as it is counted."""
    share = {"scores_file": 1.0, "scores_auc": np.clip((auc - NONE) / (ALL - NONE), 0, 1)}
    return {name: round(float(of * share[name]), 1) for name, of in POINTS.items()}


def _numbers(usual: dict[str, float]) -> dict[str, Any]:
    """Every number that the README names."""
    return {
        "n": N_CANDIDATES, "members": N_MEMBERS, "strangers": N_CANDIDATES - N_MEMBERS, "targets": N_TARGETS,
        "wrong": round(WRONG * N_CANDIDATES), "lines": N_TARGETS * N_CANDIDATES, "others": OTHERS, **usual,
        "last": N_TARGETS - 1, "all_points": sum(POINTS.values()), "of_file": POINTS["scores_file"],
        "of_auc": POINTS["scores_auc"], "from_auc": NONE, "to_auc": ALL,
        "earned": sum(points(usual["mean"]).values()),
    }  # fmt: skip


_README = """# Capture the members

{targets} models were trained, each on {members} of the {n} flowers in `candidates.csv`. Which ones? The other \
{strangers} are strangers to that model. The models are yours alone: a neighbour's have other members.

**What you know.** The candidates of each target, 0 to {last}, with their labels as recorded: the flowers are the \
same, but for each target another {wrong} of the labels are wrong. Each model is the course's `forest` \
(`mialab.targets.make("forest")`), trained on that target's recorded labels. You may ask each model about {budget} \
records in all, members or not, and it answers with its probabilities.

**What you do not know.** Who is a member, and the random numbers of the training.

**How to ask.** The service is at {url}. Your key is in `access.txt`; keep it to yourself. Your key, a hyphen and a \
number open that target.

```python
from pathlib import Path
from mialab.blackbox import RemoteModel

key = Path("access.txt").read_text().strip()
targets = [RemoteModel("{url}", key=f"{{key}}-{{number}}") for number in range({targets})]
targets[0].predict_proba([[5.1, 3.5, 1.4, 0.2]])     # one question of your {budget} to target 0
```

**What to hand in.** `scores.csv`: a line for each candidate of each target, `target,record,score`, {lines} in all, \
as in `scores_example.csv`. The higher a score, the surer you are that the record is a member of that target. Any \
numbers will do; only their order within a target counts.

**The baseline.** Score each record by the probability that the model gives to its recorded label:

```python
import numpy as np, pandas as pd

candidates, found = pd.read_csv("candidates.csv"), []
for number, own in candidates.groupby("target"):
    proba = targets[number].predict_proba(own.iloc[:, 2:6].to_numpy())
    score = proba[np.arange({n}), own["recorded_label"]]
    found.append(pd.DataFrame({{"target": number, "record": own["record"], "score": score}}))
pd.concat(found).to_csv("scores.csv", index=False)
```

On {others} other targets, drawn as yours were, its mean AUC is {mean:.2f} (95% interval {low:.2f} to {high:.2f}).

**Points.** {all_points} in all: {of_file} for a file that can be read, and up to {of_auc} for your AUC, the mean over \
your {targets} targets: none up to {from_auc:.2f}, all from {to_auc:.2f}, and evenly between. Some targets are easier \
than others, and the baseline shows how easy yours are: half of what its own mean AUC on your targets lies above \
{mean:.2f} is taken off yours, and half of what it lies below is given to you. Whoever hands in the baseline has about \
{earned:.0f} points. The leaderboard shows your AUC, what is counted of it, and how far above the baseline you are.
"""


# --- serving ---------------------------------------------------------------------------------------------------------


class _Late:
    """A student's target, trained when it is first asked."""

    classes_, n_features_in_ = np.array([0, 1, 2]), 4

    def __init__(self, draw: Callable[[], Target]):
        self._draw, self._model = draw, None

    def predict_proba(self, X: Any) -> np.ndarray:
        if self._model is None:
            self._model = self._draw().model
        return self._model.predict_proba(X)


class _Kept(Account):
    """An account whose spending outlives the service."""

    def __init__(self, label: str, budget: int, model: Any, ledger: Ledger):
        super().__init__(label, budget, model=model)
        self._ledger, self._spent = ledger, ledger.spent.get(label, 0)

    def spend(self, n_records: int) -> None:
        super().spend(n_records)
        try:
            self._ledger.note(self.label, n_records)
        except OSError:  # what cannot be kept is not asked
            super().refund(n_records)
            raise

    def refund(self, n_records: int) -> None:
        super().refund(n_records)
        self._ledger.note(self.label, -n_records)


def serve_challenge(
    course: Path | str, key: Path | str, *, budget: int | None = None, host: str = "127.0.0.1", port: int = 8000
) -> AbstractContextManager[str]:
    """The service of a challenge, for as long as the with-block lasts: each student's key opens that student's targets.

    Raises
    ------
    ValueError : there is no challenge in `course`, or the key is not the one that it was made with
    """
    about, secret, students = read_challenge(Path(course), key)
    ledger = Ledger(Path(course) / "instructor" / "asked.csv")
    budget = about["budget"] if budget is None else budget
    accounts = {
        target_key(access_key(secret, s), number): _Kept(
            f"{s}/{number}", budget, _Late(lambda s=s, number=number: target_of(secret, s, number)), ledger
        )
        for s in students
        for number in range(N_TARGETS)
    }
    nobody = _Late(lambda: None)
    service = Service(nobody, NAME, accounts, max_batch=budget, max_bytes=1 << 20, output="probabilities", digits=2)
    return running(service, host, port)


def read_challenge(course: Path, key: Path | str | None) -> tuple[dict[str, Any], bytes, list[str]]:
    """What is kept of a challenge, its key and its students; ValueError as in `serve_challenge`."""
    path = _course.settings_file(course, NAME)
    if not path.exists():
        raise ValueError(f"course={str(course)!r} holds no challenge; `mialab assign challenge` makes one")
    if key is None:
        raise ValueError("the challenge needs the key that it was made with (--key)")
    about, secret = _settings(path), _keys.read_key(key)
    if _keys.fingerprint(secret) != about["key"]:
        raise ValueError(f"key={str(key)!r} is not the key that the challenge was made with")
    return about, secret, [s.id for s in _keys.read_roster(course / "instructor" / "roster.csv")]


def _settings(path: Path) -> dict[str, Any]:
    """What is kept of a challenge; ValueError for one that an earlier or later version has made."""
    settings = json.loads(path.read_text("utf-8"))
    if settings.get("format") != FORMAT:
        raise ValueError(
            f"{path} is of format {settings.get('format')}, made by another version of mialab, which gives points by "
            f"another rule: serve and grade it with that version, or remove {path} and the folders handout/*/{NAME}, "
            "and make the challenge anew"
        )
    return settings


def baseline(target: Target) -> np.ndarray:
    """The published baseline: the probability that the model gives to the recorded label."""
    return target.model.predict_proba(target.X)[np.arange(N_CANDIDATES), target.y]
