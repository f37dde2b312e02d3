"""Run the two large labs of notebook 14 afresh and write data/on_trial.csv: more draws than a learner would wait for.

`python tests/refresh_on_trial.py` takes about three minutes of two cores. A second run gives the same file on the same
machine; `tests/test_on_trial.py` repeats a few rows of it anywhere. The data card says what each column means.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.ensemble import RandomForestClassifier

from mialab.attacks import RMIA, ThresholdAttack
from mialab.data import few_of_each, load_iris
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.trials import attack_each

FILE = Path(__file__).resolve().parents[1] / "data" / "on_trial.csv"
ATTACKS = {"recorded label": ThresholdAttack(), "RMIA": RMIA(online=False)}
MODELS = {"net": NetClassifier(hidden=16), "forest": RandomForestClassifier(10)}
IN_ALL = 120


def images_lab(model: str, data: str, n_classes: int, seed: int) -> dict[str, Any]:
    """48 records of each of `n_classes` classes, all drawn at random: flowers, wines or tumours, or digits."""
    return _row("images", model, data, n_classes, 48, seed, *few_of_each(*_records(data), 48, seed, n_classes))


def classes_lab(data: str, n_classes: int, n_each: int, seed: int) -> dict[str, Any]:
    """A net on `n_each` records of each of `n_classes` classes of digits, or of groups of points made up for it."""
    if data == "digits":
        X, y = few_of_each(*_records(data), n_each, seed, n_classes)
    else:
        X, y = make_classification(
            n_each * n_classes, 20, n_informative=16, n_redundant=0, n_classes=n_classes, n_clusters_per_class=1,
            class_sep=2.0, random_state=seed,
        )  # fmt: skip
    return _row("classes", "net", data, n_classes, n_each, seed, X, y)


def _records(data: str) -> tuple[Any, Any]:
    """Measurements and labels of a data set that this course or scikit-learn ships."""
    if data == "iris":
        flowers = load_iris()
        return flowers.X, flowers.y
    return {"wine": load_wine, "tumours": load_breast_cancer, "digits": load_digits}[data](return_X_y=True)


def _row(lab: str, model: str, data: str, n_classes: int, n_each: int, seed: int, X: Any, y: Any) -> dict[str, Any]:
    """One run: 16 models on halves of the pool, eight of them attacked with the help of the others; their mean."""
    shadows = train_shadows(MODELS[model], X, y, n_shadows=16, random_state=seed)
    found = attack_each(shadows, ATTACKS, n_targets=8).mean()
    setting = {"lab": lab, "model": model, "data": data, "classes": n_classes, "of_each": n_each, "seed": seed}
    accuracies = {name: found[name] for name in ("train_accuracy", "test_accuracy")}
    return setting | accuracies | {name: found[f"auc_{name}"] for name in ATTACKS}


def plan() -> list[tuple[Any, ...]]:
    """Every run of the file, in its order: the lab and its arguments."""
    data_of = {2: ("iris", "wine", "tumours", "digits"), 3: ("iris", "wine", "digits")}
    runs = [
        (images_lab, model, data, n, seed)
        for model in MODELS for n in data_of for data in data_of[n] for seed in range(40)
    ]  # fmt: skip
    for seed in range(20):
        runs += [(classes_lab, "digits", n, 30, seed) for n in (2, 4, 10)]  # four of 30 each are 120 in all, too
        runs += [(classes_lab, "digits", n, IN_ALL // n, seed) for n in (2, 10)]
        runs += [(classes_lab, "synthetic", n, 20, seed) for n in (2, 10, 30, 100)]
    return runs


def table(runs: list[tuple[Any, ...]], n_jobs: int | None = None) -> pd.DataFrame:
    """The rows of these runs, rounded as the file holds them."""
    return pd.DataFrame(Parallel(n_jobs=n_jobs)(delayed(lab)(*arguments) for lab, *arguments in runs)).round(4)


if __name__ == "__main__":
    table(plan(), n_jobs=2).to_csv(FILE, index=False, lineterminator="\n")
    print(f"wrote {FILE.name}")
