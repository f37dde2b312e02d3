"""How far the calibrated attacks get: AUC for auditor and outsider, against the bars of trial runs.

Run `python tests/bench_calibrated.py` (`--quick`: 3 splits). The auditor's 64 shadows train on halves of all
records; the outsider's on halves of other records, none of which is a candidate. A bar is the AUC of an independent
plain RMIA in the auditor's setting. Attacks are compared with their like: the label-only attack is calibrated online
for the auditor and offline for the outsider. A second table turns RMIA's gamma; a third sets the quantile attack, which
trains one regression, beside offline RMIA with few shadows, each with its CPU time. Nothing is asserted: the figures
are printed, with 95% intervals over random splits: more where they are cheap.
"""

import argparse
import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from mialab.attacks import RMIA, LabelOnlyAttack, LiRA, QuantileAttack, ThresholdAttack
from mialab.data import load_iris
from mialab.metrics import mean_interval
from mialab.targets import make
from mialab.trials import run_trials

IRIS, SEPALS = load_iris(), load_iris(sepals_only=True)
DIGITS = load_digits()
AUDITOR = {"threshold": ThresholdAttack(), "LiRA": LiRA(), "LiRA fixed": LiRA(variance="fixed"), "RMIA": RMIA()}
OUTSIDER = {"threshold": ThresholdAttack(), "LiRA offline": LiRA(online=False), "RMIA offline": RMIA(online=False)}
AUDITOR["label-only"] = LabelOnlyAttack(n_questions=20)
OUTSIDER["label-only offline"] = LabelOnlyAttack(n_questions=20, online=False)
GAMMAS = {f"gamma {gamma:g}": RMIA(gamma=gamma) for gamma in (1, 1.1, 1.5, 2, 4)}


def forest(random_state):
    return RandomForestClassifier(100, random_state=random_state)


CASES = {  # name: model, records, labels, bar for RMIA, members and others of the outsider's setting, splits
    "logistic regression, Iris": (LogisticRegression(max_iter=1000), IRIS.X, IRIS.y, 0.57, 50, 200),
    "forest, Iris": (forest, IRIS.X, IRIS.y, 0.69, 50, 40),
    "forest, sepals": (forest, SEPALS.X, SEPALS.y, 0.82, 50, 40),
    "forest, digits": (forest, DIGITS.data, DIGITS.target, 0.97, 599, 4),
}


def main(quick):
    for name, (model, X, y, bar, third, splits) in CASES.items():
        settings = {"n_trials": 3 if quick else splits, "shadows": 64, "random_state": 0, "n_jobs": -1}
        auditor = run_trials(model, X, y, AUDITOR, n_members=len(y) // 2, **settings)
        outsider = run_trials(model, X, y, OUTSIDER, n_members=third, n_others=third, **settings)
        print(f"\n{name} ({len(y) // 2} members; the outsider's targets have {third}); bar for RMIA {bar}")
        for who, table in (("auditor", auditor), ("outsider", outsider)):
            for column in table.columns[table.columns.str.startswith("auc_")]:
                area = mean_interval(table[column])
                reached = "" if column != "auc_RMIA" else f"   {'reached' if area.mean >= bar else 'NOT reached'}"
                print(f"  {who:<9}{column[4:]:<14}{area}{reached}", flush=True)


def gammas(quick):
    """RMIA along its gamma."""
    print("\nRMIA, auditor, 16 shadows")
    for name in ("knn-lookup", "forest-random", "logistic"):
        found = run_trials(make(name), IRIS.X, IRIS.y, GAMMAS, shadows=16, n_trials=3 if quick else 40, random_state=0)
        print(f"  {name:<14}" + ", ".join(f"{each}: {found[f'auc_{each}'].mean():.3f}" for each in GAMMAS), flush=True)


def at_equal_compute(quick):
    """The quantile attack and offline RMIA with 1, 2, … shadows, on digits: AUC and CPU seconds a target."""
    settings = {"n_members": 600, "n_others": 600, "n_trials": 2 if quick else 10, "random_state": 0}
    print("\ndigits, 600 members and 600 others: AUC, and CPU seconds more than without an attack")
    for name in ("knn-lookup", "forest", "logistic"):
        contest = {"no attack": (ThresholdAttack(), None), "quantile": (QuantileAttack(), None)}
        contest |= {"quantile, median": (QuantileAttack(0.5), None)}
        contest |= {f"RMIA, {n} shadows": (RMIA(online=False), n) for n in (2, 4, 16)}
        nothing = 0.0
        for attack_name, (attack, n_shadows) in contest.items():
            start = time.process_time()
            found = run_trials(make(name), DIGITS.data, DIGITS.target, {"it": attack}, shadows=n_shadows, **settings)
            seconds = (time.process_time() - start) / settings["n_trials"]
            nothing = nothing or seconds
            print(
                f"  {name:<12}{attack_name:<18}{mean_interval(found['auc_it'])}  {seconds - nothing:.2f} s", flush=True
            )


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="3 splits")
    quick = parser.parse_args().quick
    main(quick)
    gammas(quick)
    at_equal_compute(quick)
