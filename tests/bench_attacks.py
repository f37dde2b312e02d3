"""LiRA, RMIA and the label-only attack against those of public toolboxes: same targets, splits, shadows and seeds.

No toolbox is a dependency of the course. Install them into an environment of their own, without what these attacks
never touch (TensorFlow, transformers), and name that environment's Python:

    python -m venv toolboxes
    toolboxes/bin/pip install scikit-learn pandas matplotlib tqdm six setuptools packaging fpdf pypdf pyyaml
    toolboxes/bin/pip install --no-deps tensorflow-empirical-privacy privacyguard-platform sacroml
    toolboxes/bin/pip install --no-deps adversarial-robustness-toolbox
    python tests/bench_attacks.py toolboxes/bin/python

(half a gigabyte), or put that path in the environment variable TOOLBOXES_PYTHON. A toolbox that is missing is left out.
With `--quick` there are 3 splits; without, it takes some minutes.

- tensorflow: the functions of TensorFlow Privacy's `advanced_mia`; LiRA from the outputs of shadows.
- privacyguard: Meta's; LiRA and RMIA (its port of the authors' own code) from the outputs of shadows.
- sacroml: SACRO-ML; LiRA, with as many shadows as ours, which it trains itself. It imports torch for models that are
  not met here: where there is no torch an empty stand-in takes its place.
- art: adversarial-robustness-toolbox; the label-only attacks "gap" and "decision boundary", the latter with few
  questions, for at its defaults it asks some 24,000 a record, and not of forests.

Its Python runs this same file, in which all are a few lines of a user's code: `our_*` against the others. The attacker
is an auditor: shadows train on halves of all records; RMIA compares with the target's strangers. In the control the
members are declared by lot after the target was trained, so that there is nothing to find out: each random half is
declared once as the members and once as the others, so that an attack whose scores do not look at the declaration has
0.5 exactly, and what is left is what looking at it brings. What the toolboxes' leads are made of, as far as traced:

- privacyguard, RMIA: a stranger is compared with itself and called no better, which costs every stranger 1/75 of a
  point: AUC rises by 1/150 where nothing ties, and so does the control. Ours counts a tie half.
- sacroml: its shadows are drawn with the seeds 0, 1, 2, … for every target, over records of which the members stand
  first: the same positions are always in, and the luck of that draw never averages out. With fixed variance its curves
  may have a width of 1e-16, and the last digit of a mean decides. Trees show both: see its controls.
- art, gap: on trees "was it right?" alone outranks our copies under noise: on Iris the distance to a tree's border
  tells more of the flower than of its membership.
- tensorflow, fixed variance: medians, where a forest's answers of exactly 0 or 1 pull our means and variance apart.
"""

import importlib.util
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from unittest.mock import MagicMock

import numpy as np

N_SPLITS = 20
N_SHADOWS = 32
N_CONTROLS = 4  # splits with controls
N_LOTS = 2  # a control draws members by lot so often; where a toolbox trains its own shadows for each lot, once
BOUNDARY_SPLITS = {"logistic": 8, "tree": 8, "forest": 0}  # the slowest: it takes 10 s for each forest
CLASSES = [0, 1, 2]


def forest(seed):
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(25, random_state=seed)


def tree(seed):
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=seed)


def logistic(seed):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


MODELS = {"logistic": logistic, "tree": tree, "forest": forest}


# A user's code: ours. X, y are all records, `members` (n,) says which of them are declared members


def our_lira(target, shadows, X, y, members, **settings):
    from mialab.attacks import LiRA

    return LiRA(**settings).fit(target, shadows).score_samples(X, y, index=range(len(X)))


def our_rmia(target, shadows, X, y, members, **settings):
    from mialab.attacks import RMIA

    strangers = (X[~members], y[~members])
    return RMIA(**settings).fit(target, shadows, population=strangers).score_samples(X, y, index=range(len(X)))


def our_label_only(target, shadows, X, y, members):
    from mialab.attacks import LabelOnlyAttack

    return LabelOnlyAttack().fit(target, shadows).score_samples(X, y)


# The toolboxes'. `own` (n, C) are the target's answers, `in_mask` (K, n) and `proba` (K, n, C) the shadows'


def tensorflow_lira(target, own, in_mask, proba, X, y, members, folder, **settings):
    from tensorflow_privacy.privacy.privacy_tests.membership_inference_attack import advanced_mia as mia

    stat = np.array([mia.calculate_statistic(p.copy(), y, is_logits=False) for p in proba])
    stat_in = [stat[in_mask[:, i], i][:, None] for i in range(len(y))]
    stat_out = [stat[~in_mask[:, i], i][:, None] for i in range(len(y))]
    stat_target = mia.calculate_statistic(own.copy(), y, is_logits=False)[:, None]
    return -mia.compute_score_lira(stat_target, stat_in, stat_out, **settings)  # theirs is low for members


def privacyguard_lira(target, own, in_mask, proba, X, y, members, folder, **settings):
    import pandas as pd
    from privacy_guard.analysis.mia.aggregate_analysis_input import AggregationType
    from privacy_guard.attacks.lira_attack import LiraAttack

    def odds(proba):
        p = np.clip(proba[..., np.arange(len(y)), y], 1e-6, 1 - 1e-6)
        return np.log(p / (1 - p))

    shadows = pd.DataFrame(odds(proba))
    frame = pd.DataFrame({"user_id": np.arange(len(y)), "score_orig": odds(own)})
    for kind, chosen in (("_in", in_mask), ("_out", ~in_mask)):
        frame["score_mean" + kind] = shadows.where(chosen).mean()
        frame["score_std" + kind] = shadows.where(chosen).std()
    frame["score_mean"], frame["score_std"] = frame.score_mean_out, frame.score_std_out
    found = LiraAttack(frame[members].copy(), frame[~members].copy(), AggregationType.NONE, **settings).run_attack()
    scored = pd.concat([found.df_train_merge, found.df_test_merge]).set_index("user_id").score
    return scored.reindex(frame.user_id, fill_value=0.0)  # it drops records without a score: no evidence, ratio 1


def privacyguard_rmia(target, own, in_mask, proba, X, y, members, folder, **settings):
    import pandas as pd
    from privacy_guard.analysis.mia.aggregate_analysis_input import AggregationType
    from privacy_guard.attacks.rmia_attack import RmiaAttack

    rows = np.arange(len(y))
    frame = pd.DataFrame({"user_id": rows, "score_orig": own[rows, y]})
    frame = frame.join(pd.DataFrame(proba[:, rows, y].T).add_prefix("score_ref_"))
    frame = frame.join(pd.DataFrame(in_mask.T).add_prefix("member_ref_"))
    strangers = frame[~members]
    found = RmiaAttack(frame[members], strangers, strangers, AggregationType.NONE, **settings).run_attack()
    return pd.concat([found.df_train_merge, found.df_test_merge]).set_index("user_id").score.reindex(rows)


def sacroml_lira(target, own, in_mask, proba, X, y, members, folder, **settings):
    from sacroml.attacks.likelihood_attack import LIRAAttack
    from sacroml.attacks.target import Target

    known = {"X_train": X[members], "y_train": y[members], "X_test": X[~members], "y_test": y[~members]}
    attack = LIRAAttack(folder, False, N_SHADOWS, report_individual=True, **settings)
    attack.attack(Target(model=target, **known))
    scores = np.empty(len(y))
    scores[members], scores[~members] = np.split(np.array(attack.result["member_prob"]), [members.sum()])
    return scores


def art_gap(target, own, in_mask, proba, X, y, members, folder):
    from art.attacks.inference.membership_inference import LabelOnlyGapAttack
    from art.estimators.classification import SklearnClassifier

    return LabelOnlyGapAttack(SklearnClassifier(target)).infer(X, y)


def art_boundary(target, own, in_mask, proba, X, y, members, folder, **settings):
    from art.attacks.inference.membership_inference import LabelOnlyDecisionBoundary
    from art.estimators.classification import SklearnClassifier

    model = SklearnClassifier(limited(target), clip_values=(X.min(axis=0), X.max(axis=0)))
    attack = LabelOnlyDecisionBoundary(model, distance_threshold_tau=1.0)
    scores = np.zeros(len(X))
    for i in range(len(X)):
        with suppress(NoEnd):
            scores[i] = attack.infer(X[[i]], y[[i]], probabilities=True, norm=2, verbose=False, **settings)[0, 1]
    return scores


class NoEnd(Exception):
    pass


def limited(model, most=200):
    """A copy of `model` that refuses `most` requests in a row of one record only, so that the attack above ends.

    Where a record lies on a border of a tree to the last digit, it halves its step for ever; the score is then 0, that
    of a record at no distance from the border.
    """
    model, answer, asked = copy(model), model.predict_proba, 0

    def predict_proba(X):
        nonlocal asked
        asked = asked + 1 if len(X) == 1 else 0
        if asked > most:
            asked = 0
            raise NoEnd
        return answer(X)

    model.predict_proba = predict_proba
    return model


def import_sacroml():
    """Import it, with a stand-in for torch during the import alone: nothing asks for it with scikit-learn's models."""
    names = ["torch", "torch.nn", "torch.nn.functional", "torch.utils", "torch.utils.data"]
    missing = "torch" not in sys.modules and importlib.util.find_spec("torch") is None
    sys.modules.update({name: MagicMock() for name in names if missing})
    try:
        importlib.import_module(MODULES["sacroml"])
    finally:
        for name in names if missing else ():
            del sys.modules[name]


FIXED = {"variance": "fixed"}
OFFLINE = {"online": False}
FEW_QUESTIONS = {"max_iter": 3, "init_eval": 10, "max_eval": 30, "init_size": 20}

# name: ours, our settings, then each toolbox's: function, settings
CONTESTS = {
    "LiRA": (our_lira, {}, {
        "tensorflow": (tensorflow_lira, {}),
        "privacyguard": (privacyguard_lira, {"online_attack": True}),
        "sacroml": (sacroml_lira, {"mode": "online-carlini"}),
    }),
    "LiRA, fixed variance": (our_lira, FIXED, {
        "tensorflow": (tensorflow_lira, {"fix_variance": True}),
        "privacyguard": (privacyguard_lira, {"online_attack": True, "use_fixed_variance": True, "std_dev_type": "mix"}),
        "sacroml": (sacroml_lira, {"mode": "online-carlini", "fix_variance": True}),
    }),
    "LiRA, offline": (our_lira, OFFLINE, {
        "tensorflow": (tensorflow_lira, {"option": "out"}),
        "privacyguard": (privacyguard_lira, {}),
        "sacroml": (sacroml_lira, {"mode": "offline"}),
    }),
    "RMIA": (our_rmia, {}, {
        "privacyguard": (privacyguard_rmia, {"online": True, "num_reference_models": N_SHADOWS}),
    }),
    "RMIA, offline": (our_rmia, OFFLINE, {
        "privacyguard": (privacyguard_rmia, {}),
    }),
    "label-only": (our_label_only, {}, {
        "art, gap": (art_gap, {}),
        "art, boundary": (art_boundary, FEW_QUESTIONS),
    }),
}  # fmt: skip
TRAINING = ("LiRA: sacroml",)  # its time holds the training of shadows; its other variants find them trained
MODULES = {
    "tensorflow": "tensorflow_privacy.privacy.privacy_tests.membership_inference_attack.advanced_mia",
    "privacyguard": "privacy_guard.attacks.rmia_attack",
    "sacroml": "sacroml.attacks.likelihood_attack",
    "art": "art.attacks.inference.membership_inference",
}


# The toolboxes' side


def answer_tasks():
    """The other Python's part: the targets of one case on standard input, all results on standard output."""
    warnings.simplefilter("ignore")
    out, sys.stdout = sys.stdout, sys.stderr  # whatever a toolbox prints
    tools, tasks = found_tools(), json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        run_theirs(tasks[0] | {"lots": [], "boundary": False}, tools, f"{folder}/unmeasured")  # imports
        json.dump([run_theirs(task, tools, f"{folder}/{task['seed']}") for task in tasks], out)


def found_tools():
    """The names of the toolboxes that this Python can import."""
    tools = []
    for tool, module in MODULES.items():
        try:
            import_sacroml() if tool == "sacroml" else importlib.import_module(module)
        except ImportError:
            continue
        tools.append(tool)
    return tools


def run_theirs(task, tools, folder):
    """Each toolbox's attacks on one target: scores for the true members and for the lots, and CPU seconds."""
    X, y, in_mask, proba = (np.array(task[name]) for name in ("X", "y", "in_mask", "proba"))
    members, lots, seed = np.array(task["members"]), np.array(task["lots"]), task["seed"]
    target = MODELS[task["model"]](seed).fit(X[members], y[members])
    own = target.predict_proba(X)
    results = {}
    for contest, (_, _, others) in CONTESTS.items():
        for name, (attack, settings) in others.items():
            if name.split(",")[0] not in tools or (attack is art_boundary and not task["boundary"]):
                continue
            scores, seconds = [], []
            for k, declared in enumerate([members, *lots[: task["n_lots"].get(name, len(lots))]]):
                np.random.seed(seed)  # some have no seed of their own
                start = time.process_time()
                scores.append(attack(target, own, in_mask, proba, X, y, declared, f"{folder}-{k}", **settings))
                seconds.append(time.process_time() - start)
            results[f"{contest}: {name}"] = {"scores": np.array(scores).tolist(), "seconds": seconds[0]}
    return {"answers": own.tolist(), "results": results}


# Our side, and the comparison


def run_ours(model, flowers, share, seed, n_lots):
    """One target, its shadows, and our attacks on it: the task for the toolboxes, and our results in their form."""
    from mialab.data import split, wrong_labels
    from mialab.shadows import train_shadows

    X, y = flowers.X, wrong_labels(flowers.y, share, seed)
    members = np.isin(np.arange(len(y)), split(X, y, 75, seed).index_in)
    halves = np.random.default_rng(seed).permuted(np.tile(members, (n_lots, 1)), axis=1)
    lots = np.stack([halves, ~halves], axis=1).reshape(-1, len(y))
    target = MODELS[model](seed).fit(X[members], y[members])
    start = time.process_time()
    shadows = train_shadows(target, X, y, N_SHADOWS, random_state=seed)
    results = {"shadows": {"seconds": time.process_time() - start}}
    for contest, (attack, settings, _) in CONTESTS.items():
        start = time.process_time()
        scores = [attack(target, shadows, X, y, members, **settings)]
        seconds = time.process_time() - start
        if attack is not our_label_only:
            scores += [attack(target, shadows, X, y, declared, **settings) for declared in lots]
        results[contest] = {"scores": scores, "seconds": seconds}
    task = {"model": model, "seed": seed, "X": X, "y": y, "members": members, "lots": lots}
    task |= {"in_mask": shadows.in_mask, "proba": shadows.proba}
    task = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in task.items()}
    task |= {"boundary": seed < BOUNDARY_SPLITS[model], "n_lots": {"sacroml": 2, "art, boundary": 0}}
    return task, {"answers": target.predict_proba(X), "results": results}


def areas(found, key, tasks):
    """The AUC on each split (those on which the attack was run), and in each control, halves and others averaged."""
    from mialab.metrics import auc

    true, control = [], []
    for one, task in zip(found, tasks, strict=True):
        if key in one["results"]:
            first, *rest = one["results"][key]["scores"]
            true.append(auc(first, task["members"]))
            lots = [auc(scores, lot) for scores, lot in zip(rest, task["lots"], strict=False)]
            control += np.reshape(lots, (-1, 2)).mean(axis=1).tolist()
    return np.array(true), np.array(control)


def in_words(control):
    """The controls' mean AUC with its 95% interval."""
    from mialab.metrics import mean_interval

    if len(control) < 2:
        return "not asked"
    interval = mean_interval(control)
    return f"{interval.mean:.4f} ± {interval.high - interval.mean:.4f}"


def cpu(found, *keys):
    """Mean CPU seconds of these together, over the splits on which they were run."""
    ran = [one["results"] for one in found if keys[0] in one["results"]]
    return np.mean([sum(results[key]["seconds"] for key in keys) for results in ran])


def lines(*functions):
    """Lines of code inside these functions, blank ones and comments not counted."""
    code = [line.strip() for function in functions for line in inspect.getsource(function).splitlines()[1:]]
    return sum(bool(line) and not line.startswith("#") for line in code)


def ask(python, tasks):
    """The toolboxes' results on some targets."""
    command = [python, __file__, "--tasks"]
    done = subprocess.run(command, input=json.dumps(tasks), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main(python, quick):
    """Print, for each model and attack, our AUC and each toolbox's, the paired difference, controls and CPU time."""
    tools = []
    if python is not None:
        with suppress(OSError):  # no such Python
            tools = subprocess.run([python, __file__, "--tools"], capture_output=True, text=True).stdout.split()
    for tool in set(MODULES) - set(tools):
        print(f"{tool} is not compared: no Python was named that can import it (see the top of this file)")
    if not tools:
        return
    from mialab.data import load_iris
    from mialab.metrics import mean_interval

    warnings.simplefilter("ignore")
    n_splits = 3 if quick else N_SPLITS
    print(f"{n_splits} splits, 75 members, 75 strangers, {N_SHADOWS} shadows on halves of all records; AUC, ± is 95%")
    run_ours("logistic", load_iris(), 0.0, 0, 1)  # once unmeasured: imports
    differences = {}
    for model in MODELS:
        for share in (0.0, 0.2):
            tasks, ours = zip(
                *(run_ours(model, load_iris(), share, seed, N_LOTS * (seed < N_CONTROLS)) for seed in range(n_splits)),
                strict=True,
            )
            with ThreadPoolExecutor(2) as pool:  # even splits in one process, odd ones in another
                halves = list(pool.map(ask, [python, python], [tasks[::2], tasks[1::2]]))
            theirs = [halves[k % 2][k // 2] for k in range(n_splits)]
            for one, other in zip(ours, theirs, strict=True):  # the same targets, though trained twice
                np.testing.assert_allclose(one["answers"], other["answers"], atol=1e-6)
            print(f"\n{model}, {share:.0%} wrong labels")
            for contest, (_, _, others) in CONTESTS.items():
                mine, control = areas(ours, contest, tasks)
                print(f"  {contest:20}  mialab        {mine.mean():.3f} {'':28} control {in_words(control)}")
                for name in others:
                    key = f"{contest}: {name}"
                    area, control = areas(theirs, key, tasks)
                    if not len(area):
                        continue
                    gain = mean_interval(mine[: len(area)] - area)
                    differences.setdefault(key, []).append(mine[: len(area)] - area)
                    ratio = cpu(theirs, key) / cpu(ours, *([contest, "shadows"] if key in TRAINING else [contest]))
                    print(
                        f"  {'':20}  {name:13} {area.mean():.3f} ours − theirs {gain.mean:+.3f} ± "
                        f"{gain.high - gain.mean:.3f}  control {in_words(control):17} CPU {ratio:5.1f} × ours"
                        + (f", {len(area)} splits" if len(area) < n_splits else "")
                    )
    print("\nall models together, ours − theirs; lines of a user's code, ours and theirs")
    for key, values in differences.items():
        contest, name = key.split(": ")
        gain = mean_interval(np.concatenate(values))
        counts = [lines(CONTESTS[contest][0]), lines(CONTESTS[contest][2][name][0])]
        print(f"  {key:36} {gain.mean:+.4f} ± {gain.high - gain.mean:.4f}   {counts[0]:2d} {counts[1]:2d}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--tasks"]:
        answer_tasks()
    elif sys.argv[1:] == ["--tools"]:
        print(*found_tools())
    else:
        named = [word for word in sys.argv[1:] if not word.startswith("--")]
        main(named[0] if named else os.environ.get("TOOLBOXES_PYTHON"), "--quick" in sys.argv)
