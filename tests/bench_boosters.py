"""The audit and the strongest attacks on models that are installed apart: `python tests/bench_boosters.py`.

In an environment of its own: `pip install . catboost lightgbm xgboost-cpu torch`. What is not there is left out. The
table has missing values, for boosters read them, and a column of categories, for CatBoost and LightGBM. Each line says
the outcome of the audit, the AUC of both strong attacks by their own shadows (300 members, 300 strangers), and the
seconds; an attack that had to be left out is a failure, and so is a control off 0.5.
"""

from __future__ import annotations

import importlib.util
import sys
import time
import warnings

import numpy as np
import pandas as pd

from mialab.audit import audit

N, N_SHADOWS = 600, 16


def table(rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Made-up patients, one of ten measurements missing, and who fell ill."""
    people = pd.DataFrame({"age": rng.normal(60, 10, N), "dose": rng.normal(size=N), "weight": rng.normal(70, 9, N)})
    ill = (rng.random(N) < 1 / (1 + np.exp(-people["dose"]))).astype(int).to_numpy()
    return people.mask(rng.random((N, 3)) < 0.1), ill


def with_categories(people: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return people.assign(ward=pd.Categorical(rng.choice(["a", "b", "c"], N)))


class TorchNet:
    """A torch net in the two methods of a model; it reads float32 and takes no other."""

    def __init__(self, seed: int = 0):
        self.seed = seed

    def fit(self, X, y):
        import torch

        torch.manual_seed(self.seed)
        self.classes_ = np.unique(y)
        self.net = torch.nn.Sequential(torch.nn.Linear(X.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, 2))
        inputs, labels = torch.from_numpy(X), torch.from_numpy(np.searchsorted(self.classes_, y))
        step = torch.optim.Adam(self.net.parameters(), lr=0.01)
        for _ in range(300):
            step.zero_grad()
            torch.nn.functional.cross_entropy(self.net(inputs), labels).backward()
            step.step()
        return self

    def predict_proba(self, X):
        import torch

        with torch.no_grad():
            return torch.softmax(self.net(torch.from_numpy(X)), dim=1).numpy()


def models():
    """The name, the model of a seed, and how it takes its records."""
    rng = np.random.default_rng(1)
    if importlib.util.find_spec("xgboost"):
        from xgboost import XGBClassifier

        yield "XGBoost", lambda seed: XGBClassifier(n_estimators=60, random_state=seed, n_jobs=1), lambda X: X
    if importlib.util.find_spec("lightgbm"):
        from lightgbm import LGBMClassifier

        make = lambda seed: LGBMClassifier(n_estimators=60, random_state=seed, n_jobs=1, verbose=-1)  # noqa: E731
        yield "LightGBM, with categories", make, lambda X: with_categories(X, rng)
    if importlib.util.find_spec("catboost"):
        from catboost import CatBoostClassifier

        settings = {"iterations": 60, "verbose": False, "thread_count": 1, "allow_writing_files": False}
        make = lambda seed: CatBoostClassifier(**settings, random_seed=seed)  # noqa: E731
        yield "CatBoost", make, lambda X: X
        make_text = lambda seed: CatBoostClassifier(**settings, random_seed=seed, cat_features=["ward"])  # noqa: E731
        yield "CatBoost, with text", make_text, lambda X: with_categories(X, rng).astype({"ward": str})
    if importlib.util.find_spec("torch"):
        make = lambda seed: TorchNet(seed)  # noqa: E731 (a class is no recipe)
        yield "torch", make, lambda X: X.fillna(X.mean()).apply(lambda c: (c - c.mean()) / c.std()).to_numpy("f4")


def main() -> int:
    people, ill = table(np.random.default_rng(0))
    take = lambda X, rows: X.iloc[rows] if hasattr(X, "iloc") else X[rows]  # noqa: E731
    failed = 0
    print(f"{'model':<28}{'outcome':<24}{'RMIA':>6}{'LiRA':>6}{'control':>9}{'seconds':>9}")
    for name, make, form in models():
        X = form(people)
        halves = [(take(X, rows), ill[rows]) for rows in (slice(0, N // 2), slice(N // 2, N))]
        began = time.perf_counter()
        found = audit(make(0).fit(*halves[0]), *halves, estimator=make, n_shadows=N_SHADOWS, n_questions=20)
        seconds = time.perf_counter() - began
        # The control: members and strangers drawn again after the training, among those that did not train it.
        lot = np.random.default_rng(2).permutation(N // 2)
        sides = [(take(halves[1][0], rows), halves[1][1][rows]) for rows in (lot[: N // 4], lot[N // 4 :])]
        control = audit(make(0).fit(*halves[0]), *sides, n_shadows=0, n_questions=0)
        aucs = {each: result.auc for each, result in found.attacks.items()}
        null = min(control.attacks.values(), key=lambda result: result.auc)
        missing = [each for each in ("RMIA", "LiRA") if each not in aucs]
        failed += bool(missing) or not null.interval[0] <= 0.5 <= null.interval[1]
        shown = "".join(f"{aucs.get(each, np.nan):6.2f}" for each in ("RMIA", "LiRA"))
        print(f"{name:<28}{found.outcome:<24}{shown}{null.auc:9.2f}{seconds:9.1f}", *found.notes if missing else ())
    return failed


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.exit(main())
