"""The shadow attack against that of a public toolbox: same targets, splits and seeds.

The toolbox, adversarial-robustness-toolbox, is no dependency of the course. Install it into an environment of its
own (its shadow attack needs no more than this) and name that environment's Python:

    python -m venv art
    art/bin/pip install --no-deps adversarial-robustness-toolbox
    art/bin/pip install scikit-learn tqdm six setuptools packaging
    python tests/bench_shadow_attack.py art/bin/python

or put that path in the environment variable ART_PYTHON. Its attack model "nn" is tried where torch is installed too.
Without the toolbox the benchmark says so and ends. Its Python runs this same file, in which both are a few lines of a
user's code: `our_shadows` and `our_scores` against `art_shadows` and `art_scores`.
"""

import importlib.util
import inspect
import json
import os
import subprocess
import sys
import time
import warnings

import numpy as np

N_SPLITS = 20
N_SHADOWS = 32
CLASSES = [0, 1, 2]


def forest(seed):
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(25, random_state=seed)


def tree(seed):
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=seed)


def neighbours(seed):
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(15, weights="distance")


def logistic(seed):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


def net(seed):
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((16,), learning_rate_init=0.02, max_iter=300, random_state=seed)


MODELS = {"forest": forest, "tree": tree, "neighbours": neighbours, "logistic": logistic, "net": net}


# A user's code, for the one and for the other


def our_shadows(target, X, y, seed):
    from mialab.shadows import train_shadows

    return train_shadows(target, X, y, N_SHADOWS, random_state=seed)


def our_scores(target, shadows, X, y, kind):
    from mialab.attacks import ShadowAttack

    return ShadowAttack().fit(target, shadows).score_samples(X, y)


def art_shadows(target, X, y, seed):
    from art.attacks.inference.membership_inference import ShadowModels
    from art.estimators.classification import SklearnClassifier
    from art.utils import to_categorical

    shadows = ShadowModels(SklearnClassifier(target), num_shadow_models=N_SHADOWS, random_state=seed)
    return shadows.generate_shadow_dataset(X, to_categorical(y, len(CLASSES)), member_ratio=0.5)


def art_scores(target, shadows, X, y, kind):
    from art.attacks.inference.membership_inference import MembershipInferenceBlackBox
    from art.estimators.classification import SklearnClassifier
    from art.utils import to_categorical

    (in_X, in_y, in_answer), (out_X, out_y, out_answer) = shadows
    attack = MembershipInferenceBlackBox(SklearnClassifier(target), attack_model_type=kind)
    attack.fit(in_X, in_y, out_X, out_y, in_answer, out_answer)
    return attack.infer(X, to_categorical(y, len(CLASSES)), probabilities=True).ravel()


# The comparison


def run(task, shadows_of, scores_of, kinds):
    """Train the target of one task, its shadows and each kind of attack: scores, and CPU seconds a shadow."""
    X, y, members, seed = np.array(task["X"]), np.array(task["y"]), np.array(task["members"]), task["seed"]
    target = MODELS[task["model"]](seed).fit(X[members], y[members])
    np.random.seed(seed)  # the toolbox's attack models have no seed of their own
    start = time.process_time()
    shadows = shadows_of(target, X, y, seed)
    seconds = (time.process_time() - start) / N_SHADOWS
    scores = {kind: np.asarray(scores_of(target, shadows, X, y, kind), float).tolist() for kind in kinds}
    return {"scores": scores, "seconds": seconds, "answers": target.predict_proba(X).tolist()}


def answer_tasks():
    """The other Python's part: tasks on standard input, results on standard output."""
    warnings.simplefilter("ignore")
    kinds = ["rf", "gb", "lr"] + (["nn"] if importlib.util.find_spec("torch") else [])
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever the toolbox prints
    tasks = json.load(sys.stdin)
    run(tasks[0], art_shadows, art_scores, kinds)  # once unmeasured: imports
    json.dump([run(task, art_shadows, art_scores, kinds) for task in tasks], out)


def lines(*functions):
    """Lines of code inside these functions, blank ones and comments not counted."""
    code = [line.strip() for function in functions for line in inspect.getsource(function).splitlines()[1:]]
    return sum(bool(line) and not line.startswith("#") for line in code)


def has_toolbox(python):
    """Whether this Python starts and can import the toolbox."""
    try:
        return subprocess.run([python, "-c", "import art.attacks"], capture_output=True).returncode == 0
    except OSError:
        return False


def main(python):
    """Print both attacks' AUC, their paired difference, CPU time a shadow, and lines of code."""
    if python is None or not has_toolbox(python):
        where = "no Python was named" if python is None else f"{python} cannot import it"
        print(f"adversarial-robustness-toolbox is not compared ({where}); the top of this file says how to install it")
        return
    from mialab.data import load_iris, split, wrong_labels
    from mialab.metrics import auc, mean_interval
    from mialab.nets import NetClassifier
    from mialab.shadows import train_shadows

    warnings.simplefilter("ignore")
    flowers = load_iris()
    print(f"{N_SPLITS} splits, 75 members, 75 strangers, {N_SHADOWS} shadows on halves of all records; AUC ± 95%")
    for model in MODELS:
        for share in (0.0, 0.2):
            tasks, is_member = [], []
            for seed in range(N_SPLITS):
                y = wrong_labels(flowers.y, share, seed)
                parts = split(flowers.X, y, 75, seed)
                is_member.append(parts.is_member)
                members = parts.index_in.tolist()
                tasks.append(
                    {"model": model, "X": flowers.X.tolist(), "y": y.tolist(), "members": members, "seed": seed}
                )
            asked = [python, __file__, "--tasks"]
            theirs = json.loads(
                subprocess.run(asked, input=json.dumps(tasks), capture_output=True, text=True, check=True).stdout
            )
            run(tasks[0], our_shadows, our_scores, ["ours"])
            ours = [run(task, our_shadows, our_scores, ["ours"]) for task in tasks]
            for one, other in zip(ours, theirs, strict=True):  # the same targets, though trained twice
                np.testing.assert_allclose(one["answers"], other["answers"], atol=1e-6)

            def column(results, kind, members=tuple(is_member)):
                return np.array([auc(r["scores"][kind], m) for r, m in zip(results, members, strict=True)])

            mine = column(ours, "ours")
            my_ms, their_ms = (1000 * np.mean([r["seconds"] for r in results]) for results in (ours, theirs))
            print(f"\n{model}, {share:.0%} wrong labels")
            print(f"  mialab      {mine.mean():.3f} {' ' * 27} {my_ms:6.1f} ms a shadow")
            for kind in theirs[0]["scores"]:
                other = column(theirs, kind)
                gain = mean_interval(mine - other)
                difference = f"ours − theirs {gain.mean:+.3f} ± {gain.high - gain.mean:.3f}"
                print(f"  toolbox {kind:3s} {other.mean():.3f} {difference} {their_ms:6.1f} ms a shadow")
            if model == "net":
                start = time.process_time()
                train_shadows(NetClassifier(epochs=300), flowers.X, flowers.y, 10 * N_SHADOWS, random_state=0)
                ms = 1000 * (time.process_time() - start) / (10 * N_SHADOWS)
                print(f"  mialab's own nets of the same size, trained in batch: {ms:.1f} ms a shadow")
    print(
        f"\nlines of a user's code: mialab {lines(our_shadows, our_scores)}, toolbox {lines(art_shadows, art_scores)}"
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["--tasks"]:
        answer_tasks()
    else:
        main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ART_PYTHON"))
