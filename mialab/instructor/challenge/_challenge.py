"""Capture the members: every student attacks a target of their own behind a service, and hands in scores.

The target, its members and its wrong labels are drawn from the instructor's key; a student's side holds the flowers,
the labels as recorded, and a key to the service.
"""

from __future__ import annotations

import csv
import io
import json
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mialab._files import write_whole
from mialab.blackbox._app import Account
from mialab.data import load_iris, wrong_labels
from mialab.instructor.making import _keys
from mialab.targets import make

NAME = "challenge"
TARGET, WRONG, N_MEMBERS, N_CANDIDATES = "forest", 0.2, 75, 150
BUDGET = 600  # records that a student may ask about
OTHERS = 30  # targets on which the published baseline is measured
LARGEST = 1 << 20  # bytes of a file of scores


class Target(NamedTuple):
    """One student's target: the candidates as handed out, the secret, and the model."""

    X: np.ndarray
    y: np.ndarray
    is_member: np.ndarray
    model: Any


def target_of(key: bytes, student: str) -> Target:
    """The target of a student: the same from the same key, whenever and in whatever order it is drawn."""
    flowers = load_iris()
    y = wrong_labels(flowers.y, WRONG, random_state=_keys.generator(key, NAME, "labels", student))
    chosen = _keys.generator(key, NAME, "members", student).permutation(N_CANDIDATES)[:N_MEMBERS]
    is_member = np.isin(np.arange(N_CANDIDATES), chosen)
    seed = int(_keys.generator(key, NAME, "training", student).integers(2**31))
    model = make(TARGET, random_state=seed).fit(flowers.X[is_member], y[is_member])
    return Target(flowers.X, y, is_member, model)


def access_key(key: bytes, student: str) -> str:
    """What opens the service for a student."""
    return _keys.secret(key, NAME, "access", student)


# --- handing out -----------------------------------------------------------------------------------------------------


def assign_challenge(
    out: Path | str, *, roster: Path | str, key: Path | str, url: str = "http://127.0.0.1:8000", budget: int = BUDGET
) -> list[Path]:
    """Make the challenge for everyone on the roster: a folder each to hand out, and what serving and grading need.

    Raises
    ------
    ValueError : no roster or key, a budget below the number of candidates, or there is a challenge in `out` already
    """
    from mialab.instructor.making import _course

    if budget < N_CANDIDATES:
        raise ValueError(f"budget={budget} should be at least {N_CANDIDATES}: one question for each candidate")
    out, secret, students = Path(out).absolute(), _keys.read_key(key), _keys.read_roster(roster)
    about = out / "instructor" / f"{NAME}.json"
    if about.exists():  # who joins later gets a target too; what others were told stays as it is
        kept = json.loads(about.read_text("utf-8"))
        students = [student for student in students if not (out / "handout" / student.id / NAME).exists()]
        if not students or kept["key"] != _keys.fingerprint(secret):
            raise ValueError(f"out={str(out)!r} holds a challenge already; choose another folder, or remove {about}")
        url, budget = kept["url"], kept["budget"]
    _course.start(out)
    _course.copy_roster(Path(roster), out)
    folders = [out / "handout" / student.id / NAME for student in students]
    for student, folder in zip(students, folders, strict=True):
        for name, text in handout(secret, student.id, url, budget).items():
            write_whole(folder / name, text)
    write_whole(
        about, json.dumps({"format": 1, "budget": budget, "url": url, "key": _keys.fingerprint(secret)}) + "\n"
    )
    return folders


def handout(key: bytes, student: str, url: str, budget: int) -> dict[str, str]:
    """The files that a student gets, by name. Nothing in them depends on who is a member."""
    flowers = load_iris()
    y = wrong_labels(flowers.y, WRONG, random_state=_keys.generator(key, NAME, "labels", student))
    records = io.StringIO()
    table = csv.writer(records, lineterminator="\n")
    table.writerow(["record", *(name.replace(" ", "_") for name in flowers.feature_names), "recorded_label"])
    table.writerows([i, *x, int(label)] for i, (x, label) in enumerate(zip(flowers.X.tolist(), y, strict=True)))
    example = "record,score\n" + "".join(f"{i},0.5\n" for i in range(N_CANDIDATES))
    return {
        "README.md": _README.format(
            url=url, budget=budget, wrong=round(WRONG * N_CANDIDATES), **_NUMBERS, **_elsewhere()
        ),
        "candidates.csv": records.getvalue(),
        "access.txt": access_key(key, student) + "\n",
        "scores_example.csv": example,
    }


@cache
def _elsewhere() -> dict[str, float]:
    """What the baseline reaches on targets that are nobody's: drawn from a key that is no secret."""
    from mialab.metrics import auc, mean_interval

    drawn = [target_of(b"targets of nobody", str(i)) for i in range(OTHERS)]
    found = mean_interval([auc(baseline(target), target.is_member) for target in drawn])
    return {"others": OTHERS, "mean": found.mean, "low": found.low, "high": found.high}


_NUMBERS = {"n": N_CANDIDATES, "members": N_MEMBERS, "strangers": N_CANDIDATES - N_MEMBERS}
_README = """# Capture the members

A model was trained on {members} of the {n} flowers in `candidates.csv`. Which ones? The other {strangers} are \
strangers. The model is yours alone: a neighbour's has other members.

**What you know.** All {n} candidates with their labels as recorded; {wrong} of these labels are wrong. The model is \
the course's `forest` (`mialab.targets.make("forest")`), trained on the recorded labels. You may ask it about {budget} \
records in all, members or not, and it answers with its probabilities.

**What you do not know.** Who is a member, and the random numbers of the training.

**How to ask.** The service is at {url}. Your key is in `access.txt`; keep it to yourself.

```python
from pathlib import Path
from mialab.blackbox import RemoteModel

target = RemoteModel("{url}", key=Path("access.txt").read_text().strip())
target.predict_proba([[5.1, 3.5, 1.4, 0.2]])     # one question of your {budget}
```

**What to hand in.** `scores.csv`: a line for each candidate, `record,score`, as in `scores_example.csv`. The higher a \
score, the surer you are that the record is a member. Any numbers will do; only their order counts.

**The baseline.** Score each record by the probability that the model gives to its recorded label:

```python
import numpy as np, pandas as pd

candidates = pd.read_csv("candidates.csv")
proba = target.predict_proba(candidates.iloc[:, 1:5].to_numpy())
score = proba[np.arange({n}), candidates["recorded_label"]]
pd.DataFrame({{"record": candidates["record"], "score": score}}).to_csv("scores.csv", index=False)
```

On {others} other targets, drawn as yours was, its mean AUC is {mean:.2f} (95% interval {low:.2f} to {high:.2f}).

**Points.** 2 for a file that can be read. Up to 6 for the AUC, up to 2 for the share of members caught at 5% false \
alarms. Both are judged by the lower end of their 95% interval, so that luck earns nothing: the AUC from 0.50 (none) \
to 0.80 (all), the share from 5% (none) to 25% (all). The leaderboard also shows the baseline on your own target.
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


class Ledger:
    """What every student has asked so far, in a file that a restart reads: one line for each request."""

    def __init__(self, path: Path):
        self.path, self._lock = path, threading.Lock()
        self.spent: dict[str, int] = {}
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                student, _, n = line.rpartition(",")
                if student and n.lstrip("-").isdecimal():  # a last line that was cut short was never answered
                    self.spent[student] = self.spent.get(student, 0) + int(n)
            with open(path, "a", encoding="utf-8") as file:
                file.write("\n")

    def note(self, student: str, n: int) -> None:
        """Keep that a student has paid for `n` records, on the disk before any answer."""
        with self._lock, open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{student},{n}\n")
            file.flush()
            os.fsync(file.fileno())


class _Kept(Account):
    """An account whose spending outlives the service."""

    def __init__(self, student: str, budget: int, model: Any, ledger: Ledger):
        super().__init__(student, budget, model=model)
        self._ledger, self._spent = ledger, ledger.spent.get(student, 0)

    def spend(self, n_records: int) -> None:
        super().spend(n_records)
        self._ledger.note(self.label, n_records)

    def refund(self, n_records: int) -> None:
        super().refund(n_records)
        self._ledger.note(self.label, -n_records)


def serve_challenge(
    course: Path | str, key: Path | str, *, budget: int | None = None, host: str = "127.0.0.1", port: int = 8000
) -> AbstractContextManager[str]:
    """The service of a challenge, for as long as the with-block lasts: each student's key opens that student's target.

    Raises
    ------
    ValueError : there is no challenge in `course`, or the key is not the one that it was made with
    """
    from mialab.blackbox._app import Service
    from mialab.blackbox._server import running

    about, secret, students = read_challenge(Path(course), key)
    ledger = Ledger(Path(course) / "instructor" / "asked.csv")
    budget = about["budget"] if budget is None else budget
    accounts = {
        access_key(secret, s): _Kept(s, budget, _Late(lambda s=s: target_of(secret, s)), ledger) for s in students
    }
    nobody = _Late(lambda: None)
    service = Service(nobody, NAME, accounts, max_batch=budget, max_bytes=1 << 20, output="probabilities", digits=2)
    return running(service, host, port)


def read_challenge(course: Path, key: Path | str | None) -> tuple[dict[str, Any], bytes, list[str]]:
    """What is kept of a challenge, its key and its students; ValueError as in `serve_challenge`."""
    path = course / "instructor" / f"{NAME}.json"
    if not path.exists():
        raise ValueError(f"course={str(course)!r} holds no challenge; `mialab assign challenge` makes one")
    if key is None:
        raise ValueError("the challenge needs the key that it was made with (--key)")
    about, secret = json.loads(path.read_text("utf-8")), _keys.read_key(key)
    if _keys.fingerprint(secret) != about["key"]:
        raise ValueError(f"key={str(key)!r} is not the key that the challenge was made with")
    return about, secret, [s.id for s in _keys.read_roster(course / "instructor" / "roster.csv")]


# --- reading what comes back -----------------------------------------------------------------------------------------


def read_scores(path: Path) -> np.ndarray:
    """The scores of a file, (150,), by record; ValueError that names the line and what is wrong with it."""
    if not path.is_file() or path.is_symlink():
        raise ValueError("there is no scores.csv")
    if path.stat().st_size > LARGEST:
        raise ValueError("scores.csv is larger than 1 MB; it should have 151 short lines")
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise ValueError("scores.csv is not text in UTF-8; save it as CSV") from None
    comma = ";" if lines and ";" in lines[0] and "," not in lines[0] else ","
    rows = [[cell.strip() for cell in line.split(comma)] for line in lines]
    if not rows or [cell.strip('"').lower() for cell in rows[0]] != ["record", "score"]:
        raise ValueError("line 1 should be: record,score")
    scores: dict[int, float] = {}
    for number, row in enumerate(rows[1:], start=2):
        if row in ([""], []):
            continue
        if len(row) != 2:
            raise ValueError(f"line {number} should have a record and a score, as 17,0.93")
        try:
            record = int(row[0].strip('"'))
            score = float(row[1].strip('"').replace(",", ".") if comma == ";" else row[1].strip('"'))
        except ValueError:
            raise ValueError(
                f"line {number}: {row[0][:20]!r} and {row[1][:20]!r} should be a record and a number"
            ) from None
        if not 0 <= record < N_CANDIDATES:
            raise ValueError(f"line {number}: record {record} should be from 0 to {N_CANDIDATES - 1}")
        if record in scores:
            raise ValueError(f"line {number}: record {record} stands twice")
        if not np.isfinite(score):
            raise ValueError(
                f"line {number}: the score of record {record} is {row[1][:20]}; it should be a finite number"
            )
        scores[record] = score
    missing = [record for record in range(N_CANDIDATES) if record not in scores]
    if missing:
        raise ValueError(f"{len(missing)} records have no score, the first is {missing[0]}")
    return np.array([scores[record] for record in range(N_CANDIDATES)])


def baseline(target: Target) -> np.ndarray:
    """The published baseline: the probability that the model gives to the recorded label."""
    return target.model.predict_proba(target.X)[np.arange(N_CANDIDATES), target.y]
