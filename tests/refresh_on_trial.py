"""Run the labs of notebook 15 afresh and write data/on_trial.csv: more draws than a learner would wait for.

`python tests/refresh_on_trial.py` takes about six minutes of two cores. A second run gives the same file on the same
machine; `tests/test_on_trial.py` repeats a few rows of it anywhere. The data card says what each column means.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from mialab import targets
from mialab.attacks import RMIA, ThresholdAttack, confidence, true_class_confidence
from mialab.data import few_of_each, load_iris, noise_columns, split
from mialab.metrics import balanced_accuracy, choose_threshold
from mialab.nets import NetClassifier
from mialab.shadows import synthetic_records, train_shadows
from mialab.trials import attack_each

FILE = Path(__file__).resolve().parents[1] / "data" / "on_trial.csv"
ATTACKS = {"recorded label": ThresholdAttack(), "RMIA": RMIA(online=False)}
MEASURES = ["gap", "surer", *ATTACKS, "agreement", "botanist", "mistakes", "queries", "advantage"]
SEEDS = range(8)


def model_called(name: str) -> Any:
    """The models of the labs by name; every one is unfitted."""
    of_the_zoo = {"look-up": "knn-lookup", "vote": "knn-vote", "nearest": "one-nn"}
    if name == "net":
        return NetClassifier(hidden=16)
    return RandomForestClassifier(10) if name == "forest" else targets.make(of_the_zoo.get(name, name))


FAMILIES = ("net", "tree", "forest", "look-up", "logistic")


def leak(model: Any, X: Any, y: Any, seed: int, n_members: int | None = None) -> dict[str, float]:
    """One run: eight models on halves of the pool, four of them attacked with the help of the others; their mean."""
    shadows = train_shadows(model, X, y, n_shadows=8, n_members=n_members, random_state=seed)
    found = attack_each(shadows, ATTACKS, n_targets=4).mean()
    return {
        "gap": found["train_accuracy"] - found["test_accuracy"],
        "surer": found["confidence_in"] - found["confidence_out"],
    } | {name: found[f"auc_{name}"] for name in ATTACKS}


# --- the labs: each takes model, data, setting and seed, and gives what it measured -----------------------------------


def depth_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """A tree of that depth at most, on one garden."""
    return leak(DecisionTreeClassifier(max_depth=setting, random_state=0), *_garden(data), seed)


def rounds_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """A net that is trained for so many rounds."""
    return leak(NetClassifier(hidden=16, epochs=setting), *_garden(data), seed)


def members_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """A model with so many members."""
    return leak(model_called(model), *_garden(data), seed, n_members=setting)


def family_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """A model of that kind; `setting` is the number of measurements."""
    return leak(model_called(model), *_garden(data), seed)


def noise_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """The flowers with so many columns of noise added."""
    flowers = load_iris()
    return leak(model_called(model), noise_columns(flowers.X, setting, seed), flowers.y, seed)


def measurements_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """The first so many of the flowers' own measurements."""
    flowers = load_iris()
    return leak(model_called(model), flowers.X[:, :setting], flowers.y, seed)


def classes_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """Few classes or many: digits drawn at random, or groups of points made up for it."""
    n_each = {"digits, 30 of each": 30, "digits, 120 in all": 120 // setting}.get(data, 20)
    if data.startswith("digits"):
        return leak(model_called(model), *few_of_each(*_records("digits"), n_each, seed, setting), seed)
    X, y = make_classification(
        n_each * setting, 20, n_informative=16, n_redundant=0, n_classes=setting, n_clusters_per_class=1,
        class_sep=2.0, random_state=seed,
    )  # fmt: skip
    return leak(model_called(model), X, y, seed)


def images_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """48 records of each of so many classes, all drawn at random: flowers, wines or tumours, or digits."""
    return leak(model_called(model), *few_of_each(*_records(data), 48, seed, setting), seed)


def fakes_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """A target with so many classes, and a replica of it that is trained on made-up records alone.

    `agreement` is how often both say the same of real records that neither was trained on, `botanist` how often the
    recorded label says what the target says, `mistakes` how often the replica repeats a mistake of the target.
    """
    X, y = few_of_each(*_records(data), 48, seed, setting)
    parts = split(X, y, len(y) // 2, seed)
    target = targets.fresh(model_called(model), seed).fit(parts.X_in, parts.y_in)
    replica, queries = _replica(model, target, parts, seed)
    theirs, ours = target.predict(parts.X_out), replica.predict(parts.X_out)
    wrong = theirs != parts.y_out
    return {
        "agreement": (theirs == ours).mean(),
        "botanist": (theirs == parts.y_out).mean(),
        "mistakes": (theirs == ours)[wrong].mean() if wrong.any() else np.nan,
        "queries": queries,
    }


def type_lab(model: str, data: str, setting: int, seed: int) -> dict[str, float]:
    """The advantage of an outsider who trains one shadow of a type, on made-up flowers, and carries its threshold over.

    `data` says which type the shadow has, and which number is read: "net, confidence" or "net, recorded label".
    """
    kind, number = data.split(", ")
    flowers = load_iris()
    parts = split(flowers.X, flowers.y, 75, seed)
    target = targets.fresh(model_called(model), seed).fit(parts.X_in, parts.y_in)
    low, high = flowers.X.min(axis=0), flowers.X.max(axis=0)
    X, y, _ = synthetic_records(target, 150, low, high, threshold=0.5, max_questions=30, random_state=seed)
    own = split(X, y, len(y) // 2, seed)
    shadow = targets.fresh(model_called(kind), seed).fit(own.X_in, own.y_in)
    read = {"confidence": lambda m, X, y: confidence(m, X), "recorded label": true_class_confidence}[number]
    cut = choose_threshold(read(shadow, own.X, own.y), own.is_member)
    return {"advantage": 2 * balanced_accuracy(read(target, parts.X, parts.y), parts.is_member, cut) - 1}


def _replica(model: str, target: Any, parts: Any, seed: int) -> tuple[Any, float]:
    """A model of the same kind trained on as many made-up records, and the questions that each of them cost."""
    low, high = parts.X_in.min(axis=0), parts.X_in.max(axis=0)
    X, y, found = synthetic_records(target, len(parts.y_in), low, high, threshold=0.8, random_state=seed)
    return targets.fresh(model_called(model), seed).fit(X, y), found.n_queries / max(1, len(y))


def _garden(data: str) -> tuple[Any, Any]:
    """The flowers with all four measurements, or with the sepals alone."""
    flowers = load_iris(sepals_only=data == "sepals")
    return flowers.X, flowers.y


def _records(data: str) -> tuple[Any, Any]:
    """Measurements and labels of a data set that this course or scikit-learn ships."""
    if data == "iris":
        return _garden("four")
    return {"wine": load_wine, "tumours": load_breast_cancer, "digits": load_digits}[data](return_X_y=True)


LABS = {name.removesuffix("_lab"): lab for name, lab in list(globals().items()) if name.endswith("_lab")}


def plan() -> list[tuple[str, str, str, int, int]]:
    """Every run of the file, in its order: lab, model, data, setting and seed."""
    gardens = {"four": 4, "sepals": 2}
    settings = [(lab, model, data, n) for lab, model, two in (("depth", "tree", (1, 12)), ("rounds", "net", (5, 500)))
                for data in gardens for n in two]  # fmt: skip
    settings += [("members", model, data, n) for model in ("net", "tree") for data in gardens for n in (10, 75)]
    kinds = ("look-up", "vote", "nearest", "logistic", "tree", "forest", "net")
    settings += [("family", model, data, n) for model in kinds for data, n in gardens.items()]
    settings += [("noise", model, "four", n) for model in FAMILIES for n in (0, 60)]
    settings += [("measurements", model, "four", n) for model in FAMILIES for n in (1, 2, 4)]
    for model in FAMILIES:
        settings += [("classes", model, "digits, 30 of each", n) for n in (2, 10)]
        settings += [("classes", model, "digits, 120 in all", n) for n in (2, 10)]
        settings += [("classes", model, "synthetic, 20 of each", n) for n in (2, 20)]
        settings += [("images", model, data, 2) for data in ("iris", "wine", "tumours", "digits")]
        settings += [("images", model, data, 3) for data in ("iris", "wine", "digits")]
    settings += [("fakes", model, data, n) for model in ("net", "logistic")
                 for data, n in (("iris", 3), ("digits", 2), ("digits", 4), ("digits", 10))]  # fmt: skip
    settings += [("type", model, f"{kind}, {number}", 4) for model in ("look-up", "tree", "net")
                 for kind in ("look-up", "tree", "net") for number in ("confidence", "recorded label")]  # fmt: skip
    return [(*setting, seed) for setting in settings for seed in SEEDS]


def table(runs: list[tuple[str, str, str, int, int]], n_jobs: int | None = None) -> pd.DataFrame:
    """What these runs measured, a row for each; empty where a lab does not measure."""
    found = Parallel(n_jobs=n_jobs)(delayed(LABS[lab])(*arguments) for lab, *arguments in runs)
    rows = pd.DataFrame(runs, columns=["lab", "model", "data", "setting", "seed"])
    return rows.join(pd.DataFrame(found).reindex(columns=MEASURES)).round(4)


# --- from runs to experiments: what a claim says is larger, and what it says is smaller -------------------------------


def experiments(runs: pd.DataFrame) -> pd.DataFrame:
    """One row for each claim, experiment, score and seed: `more` is what the claim says is larger, `less` the other."""
    found = [
        pd.DataFrame({"more": more, "less": less}).dropna().reset_index(names="seed")
        .assign(claim=claim, experiment=experiment, score=score)
        for claim, experiment, score, more, less in [*_alone(runs), *_turned(runs), *_resisting(runs), *_outside(runs)]
    ]  # fmt: skip
    rows = pd.concat(found)[["claim", "experiment", "score", "seed", "more", "less"]]
    return rows.sort_values("claim", kind="stable", key=lambda claims: claims.map(CLAIMS.index)).reset_index(drop=True)


CLAIMS = [
    "members get higher confidence", "overfitting is a major factor", "models that generalise resist",
    "fakes are harder with many classes", "few classes leak more", "tables leak more than images",
    "few measurements leak more", "a replica from fakes mimics the target", "knowing the type is enough",
    "it is the type that helps",
]  # fmt: skip
# claim -> lab, what is set apart, its two values (what leaks more by the claim first), in words
TURNED = [
    (CLAIMS[1], "depth", "setting", 12, 1, "depth 12 against 1"),
    (CLAIMS[1], "rounds", "setting", 500, 5, "500 rounds against 5"),
    (CLAIMS[1], "members", "setting", 10, 75, "10 members against 75"),
    (CLAIMS[4], "classes", "setting", 2, 10, "2 classes against 10"),
    (CLAIMS[4], "classes", "setting", 2, 20, "2 classes against 20"),
    *((CLAIMS[5], "images", "data", data, "digits", f"{data} against digits") for data in ("iris", "wine", "tumours")),
    (CLAIMS[6], "noise", "setting", 0, 60, "no column of noise against 60"),
    (CLAIMS[6], "measurements", "setting", 1, 4, "one measurement against four"),
]


def _by_seed(rows: pd.DataFrame, column: str, measure: str) -> pd.DataFrame:
    return rows.pivot(index="seed", columns=column, values=measure)


def _turned(runs: pd.DataFrame):
    """The experiments that compare two settings of a lab, for each model, each other setting and both attacks."""
    for claim, lab, column, plus, minus, words in TURNED:
        rest = [name for name in ("model", "data", "setting") if name != column]
        for (model, where), rows in runs[runs["lab"] == lab].groupby(rest, sort=False):
            at = f", {where} classes" if column == "data" else "" if where == "four" else f", {where}"
            for score in ATTACKS:
                values = _by_seed(rows, column, score)
                if {plus, minus} <= set(values):
                    yield claim, f"{model}: {words}{at}", score, values[plus], values[minus]
    for model, rows in runs.query("lab == 'fakes' and data == 'digits'").groupby("model", sort=False):
        for measure, words, plus, minus in (
            ("agreement", "agreement", 2, 10),
            ("queries", "questions a record", 10, 2),
        ):
            values = _by_seed(rows, "setting", measure)
            yield CLAIMS[3], f"{model}: {plus} classes against {minus}", words, values[plus], values[minus]


def _alone(runs: pd.DataFrame):
    """The experiments that compare a mean of one setting with a fixed value, or with another mean of the same runs."""
    for (model, data), rows in runs.query("lab == 'family'").groupby(["model", "data"], sort=False):
        yield CLAIMS[0], f"{model}, {data}", "confidence", rows.set_index("seed")["surer"], 0.0
    for (model, data, n), rows in runs.query("lab == 'fakes'").groupby(["model", "data", "setting"], sort=False):
        rows, where = rows.set_index("seed"), f"{model}, {data} {n}"
        yield CLAIMS[7], f"{where}: copy against botanist", "agreement", rows["agreement"], rows["botanist"]
        if rows["mistakes"].count() > 3:
            yield CLAIMS[7], f"{where}: mistakes against half", "agreement", rows["mistakes"], 0.5


def _resisting(runs: pd.DataFrame):
    """Each two kinds of model whose gaps differ by 0.02 or more: by the claim the larger gap leaks more."""
    for garden, rows in runs.query("lab == 'family'").groupby("data", sort=False):
        gaps = rows.groupby("model")["gap"].mean().sort_values()
        for score in ATTACKS:
            values = _by_seed(rows, "model", score)
            for i, narrow in enumerate(gaps.index):
                for wide in gaps.index[i + 1 :]:
                    if gaps[wide] - gaps[narrow] >= 0.02:
                        yield CLAIMS[2], f"{garden}: {wide} against {narrow}", score, values[wide], values[narrow]


def _outside(runs: pd.DataFrame):
    """An outsider's shadow of the target's own type against no advantage, and against a shadow of another type."""
    rows = runs[runs["lab"] == "type"]
    kind = rows["data"].str.split(", ")
    for (model, score), own in rows.assign(kind=kind.str[0], score=kind.str[1]).groupby(["model", "score"], sort=False):
        values = _by_seed(own, "kind", "advantage")
        yield CLAIMS[8], f"{model}", score, values[model], 0.0
        for other in values.columns.drop(model):
            yield CLAIMS[9], f"{model}: own type against {other}", score, values[model], values[other]


if __name__ == "__main__":
    experiments(table(plan(), n_jobs=2)).to_csv(FILE, index=False, lineterminator="\n")
    print(f"wrote {FILE.name}")
