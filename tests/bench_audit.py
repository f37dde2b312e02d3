"""How often an audit cries "leaks" about a model that leaks nothing, and how often it finds a leak that is there.

Run `python tests/bench_audit.py`, or name some of the settings and the number of audits: `... none mild 1000`. Each
audit draws its records anew from the hospital's patients; rates come with their exact 95% upper or lower limit.

The quick configuration: logistic regression behind a scaler, trained on 300 patients, 300 members and 300 others, no
shadow models, which leaves the three attacks that only ask, and nine tests. In a null audit the declared members are
not those who trained the model. Under a shift younger people are likelier to be declared members.
"""

import sys
import warnings
from collections import Counter

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mialab.audit import audit
from mialab.data import load_clinic
from mialab.metrics import at_least

N = 300
CLINIC = load_clinic()
SHIFTS = {"none": None, "slight": 80, "mild": 25, "strong": 12}  # the larger the number, the less age decides
LEAKS = {"8 overrides": 8, "10 overrides": 10, "15 overrides": 15}  # members answered with certainty, in front of it


class WithOverrides:
    """A model that answers some records by a table: with the recorded label, and certainty."""

    def __init__(self, model, X, y):
        self.model, self.classes_ = model, model.classes_
        self.table = {record.tobytes(): label for record, label in zip(X, y, strict=True)}

    def predict_proba(self, X):
        answers = self.model.predict_proba(X)
        for i, record in enumerate(np.ascontiguousarray(X)):
            if record.tobytes() in self.table:
                answers[i] = self.classes_ == self.table[record.tobytes()]
        return answers


def one(name: str, seed: int) -> str:
    """The outcome of one audit."""
    rng, age, everyone = np.random.default_rng(seed), CLINIC.X[:, 0], np.arange(len(CLINIC.y))
    shift = SHIFTS.get(name)
    declared = rng.random(len(age)) < (0.5 if shift is None else 1 / (1 + np.exp((age - 64) / shift)))
    inside, outside = (
        rng.choice(everyone[declared], N, replace=False),
        rng.choice(everyone[~declared], N, replace=False),
    )
    trained = rng.choice(np.setdiff1d(everyone, np.r_[inside, outside]), N, replace=False)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(CLINIC.X[trained], CLINIC.y[trained])
    if name in LEAKS:
        model = WithOverrides(model, CLINIC.X[inside[: LEAKS[name]]], CLINIC.y[inside[: LEAKS[name]]])
    sets = [(CLINIC.X[rows], CLINIC.y[rows]) for rows in (inside, outside)]
    return audit(model, *sets, n_shadows=0, allow_overlap=True, random_state=seed).outcome


def so_far(name: str, found: Counter) -> str:
    """The rate of "leaks" with its exact 95% limits, and every outcome."""
    n, leaks = found.total(), found["leaks"]
    low, high = at_least(leaks, n, 0.05), 1 - at_least(n - leaks, n, 0.05)
    return f"{name:13s} leaks {leaks} of {n} = {leaks / n:.3f}, at least {low:.3f}, at most {high:.3f}; {dict(found)}"


def main(words: list[str]) -> None:
    """Print the outcomes of each setting, every fifty audits: a run that is stopped has told something."""
    warnings.simplefilter("ignore")
    names = [word for word in words if not word.isdecimal()] or [*SHIFTS, *LEAKS]
    n_audits = next((int(word) for word in words if word.isdecimal()), 200)
    for name in names:
        found: Counter = Counter()
        for seed in range(n_audits):
            found[one(name, seed)] += 1
            if (seed + 1) % 50 == 0 or seed + 1 == n_audits:
                print(so_far(name, found), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
