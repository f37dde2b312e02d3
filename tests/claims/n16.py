"""The claims of notebook 16, defences."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from claims import claim
from mialab.attacks import RMIA, LabelOnlyAttack, LiRA, ThresholdAttack
from mialab.data import few_of_each, load_iris, wrong_labels
from mialab.defences import LabelOnly, RandomConfidence, Rounded, TopK, defence_matrix, defend, frontier
from mialab.exposure import exposure
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.trials import attack_each, summarise, with_strongest

FLOWERS, DIGITS = load_iris(), load_digits()
DATA = {
    "flowers": lambda seed: (FLOWERS.X, wrong_labels(FLOWERS.y, 0.2, random_state=seed)),
    "digits": lambda seed: few_of_each(DIGITS.data, DIGITS.target, 20, seed),
}
COLUMNS = ["test_accuracy", "auc_strongest", "tpr_strongest"]


def matrix_again(seed, name="flowers", hidden=16, noise=0.2):
    """The notebook's table for one kind of data, from three other draws."""
    net = NetClassifier(hidden=hidden)
    models = {"none": net, "label only": LabelOnly(net), "L2": NetClassifier(hidden=hidden, l2=1.0),
              "stop early": NetClassifier(hidden=hidden, early_stopping=True)}  # fmt: skip
    if name == "flowers":
        models |= {"rounding": Rounded(net, 1), "top-1": TopK(net, 1)}
    attacks = {"recorded label": ThresholdAttack(), "LiRA": LiRA(), "RMIA": RMIA(),
               "small changes": LabelOnlyAttack(noise * DATA[name](0)[0].std(axis=0), n_questions=5)}  # fmt: skip
    rows = defence_matrix(models, {name: DATA[name]}, attacks, n_targets=4, n_seeds=3, fpr=0.02, random_state=10 * seed)
    groups = rows.groupby(["data", "defence"], sort=False)
    matrix = pd.concat([with_strongest(with_strongest(each), "tpr") for _, each in groups])
    means = matrix.groupby(["data", "defence"], sort=False)[COLUMNS].mean()
    front = {name: frontier(*means.loc[name, COLUMNS[:2]].to_numpy().T)}
    return {"matrix": matrix, "means": means, "front": front}


def digits_again(seed):
    return matrix_again(seed, name="digits", noise=0.5)


WIDER = ({}, {"hidden": 32})


def less(means, name, defence, measure):
    """By how much a mean is higher with the defence than without."""
    return means.loc[(name, defence), measure] - means.loc[(name, "none"), measure]


# --- output defences, and care in training ---------------------------------------------------------------------------


MEASURED = 'measured("digits", noise=0.5)'


@claim(
    cell=MEASURED,
    says="The label stays (rounding can make a tie, and now and then changes it), and accuracy nearly",
)
def what_is_let_out_keeps_the_accuracy(means):
    for name in DATA:
        assert less(means, name, "top-1", "test_accuracy") == less(means, name, "label only", "test_accuracy") == 0
        assert abs(less(means, name, "rounding", "test_accuracy")) < 0.01


@claim(
    cell=MEASURED,
    says="On the flowers rounding takes next to nothing, the label alone and L2 a little",
    again=matrix_again,
    settings=WIDER,
)
def output_defences_do_little_on_the_flowers(means):
    assert abs(less(means, "flowers", "rounding", "auc_strongest")) < 0.02
    assert -0.1 < less(means, "flowers", "label only", "auc_strongest") < -0.005


@claim(
    cell=MEASURED,
    says="stopping early most; these last two answer as well or better",
    again=matrix_again,
    settings=WIDER,
)
def care_helps_both_on_the_flowers(means):
    for defence in ("L2", "stop early"):
        assert less(means, "flowers", defence, "auc_strongest") < -0.02
        assert less(means, "flowers", defence, "test_accuracy") > -0.02
    assert less(means, "flowers", "L2", "test_accuracy") > 0.03


@claim(
    cell=MEASURED,
    says='ex.best_defence.reveal(means.loc["flowers", "auc_strongest"].idxmin())',
    again=matrix_again,
    settings=WIDER,
)
def stopping_early_takes_most_on_the_flowers(means):
    leak = means.loc["flowers", "auc_strongest"]
    assert leak.idxmin() == "stop early" and leak["stop early"] < leak.drop("stop early").min() - 0.01


@claim(
    cell=MEASURED,
    says="Both blunt LiRA; what is left is the attack by small changes, which no output defence here touches",
)
def small_changes_are_left(matrix):
    found = matrix[matrix["data"] == "digits"].groupby("defence")[["auc_LiRA", "auc_small changes"]].mean()
    output = found.loc[["rounding", "top-1", "label only"]]
    assert (output["auc_small changes"] - found.loc["none", "auc_small changes"]).abs().max() < 0.02
    assert output.loc[["rounding", "label only"], "auc_LiRA"].max() < found.loc["none", "auc_LiRA"] - 0.05
    assert (output["auc_LiRA"] < output["auc_small changes"]).drop("top-1").all()


CARE = 'for defence in ("L2", "stop early"):\n    print(defence, summarise'


@claim(cell=CARE, says="At few false alarms these four draws do not settle L2")
def few_false_alarms_do_not_settle_l2(table):
    apart = summarise(table.loc["L2"] - table.loc["none"]).loc["tpr_strongest"]
    assert apart["low"] < 0 < apart["high"]


# --- the digits ------------------------------------------------------------------------------------------------------


def change(matrix, defence, measure):
    table = matrix[matrix["data"] == "digits"].pivot(index="seed", columns="defence", values=measure)
    return (table[defence] - table["none"]).mean()


@claim(
    cell=CARE,
    says="By RMIA alone stopping early does nothing here; the strongest attack loses about a tenth",
    again=digits_again,
)
def one_yardstick_does_not_see_what_stopping_early_does(matrix):
    assert abs(change(matrix, "stop early", "auc_RMIA")) < 0.05
    assert -0.17 < change(matrix, "stop early", "auc_strongest") < -0.06


@claim(cell=CARE, says="at few false alarms some of what it caught")
def at_few_false_alarms_it_catches_far_less(means):
    caught = means.loc["digits", "tpr_strongest"]
    assert 0.5 < caught["stop early"] / caught["none"] < 0.65


@claim(cell=CARE, says='L2 "leaks more" by twelve hundredths of RMIA, by five of the strongest')
def l2_by_two_yardsticks(matrix):
    assert round(change(matrix, "L2", "auc_RMIA"), 2) == 0.12
    assert round(change(matrix, "L2", "auc_strongest"), 2) == 0.05


@claim(cell=CARE, says="One yardstick misleads both ways", again=digits_again)
def rmia_alone_doubles_what_l2_does(matrix):
    assert change(matrix, "L2", "auc_RMIA") > 1.5 * change(matrix, "L2", "auc_strongest") > 0.03


def exposed_again(seed, n_shadows=24):
    care = {"none": {}, "L2": {"l2": 1.0}, "stop early": {"early_stopping": True}}

    def exposed(name, seed):
        nets = NetClassifier(hidden=16, **care[name])
        return exposure(train_shadows(nets, *DATA["digits"](seed), n_shadows=n_shadows, random_state=seed)).auc

    return {
        "ten": exposed("none", seed).argsort()[-10:],
        "found": pd.DataFrame({name: exposed(name, seed + 1) for name in care}),
    }


@claim(cell='ten = np.argsort(exposed("none", seed=0))', says="L2 does nothing for these ten", again=exposed_again)
def l2_does_nothing_for_the_most_exposed(found, ten):
    assert found.loc[ten, "L2"].mean() > found.loc[ten, "none"].mean() - 0.03


@claim(
    cell='ten = np.argsort(exposed("none", seed=0))',
    says="stopping early takes more from them than from the average",
    again=exposed_again,
)
def stopping_early_takes_most_from_the_most_exposed(found, ten):
    taken = found["none"] - found["stop early"]
    assert taken[ten].mean() > taken.mean() > 0.05
    assert found.loc[ten, "stop early"].mean() > found["stop early"].mean()


# --- labels alone, and what it is worth to know ----------------------------------------------------------------------


def offline_again(seed, hidden=16):
    rows = []
    for each in range(10 * seed, 10 * seed + 3):
        X, y = DATA["digits"](each)
        nets = train_shadows(NetClassifier(hidden=hidden), X, y, n_shadows=16, random_state=each)
        small = LabelOnlyAttack(X.std(axis=0) / 2, 10, online=False)
        by_label = {"right?": ThresholdAttack("correct"), "small": small}
        labels = attack_each(defend(nets, LabelOnly(None)), by_label, n_targets=4)
        rows.append(labels.join(attack_each(nets, {"LiRA": LiRA(online=False)}, n_targets=4)["auc_LiRA"]).mean())
    return {"offline": pd.DataFrame(rows)}


@claim(
    cell="offline = pd.DataFrame(",
    says="Small changes, with labels alone, get most of what offline LiRA gets from full answers, and lose some "
    "hundredths to it",
    again=offline_again,
)
def labels_alone_give_most_of_it(offline):
    small, lira = offline["auc_small"].mean(), offline["auc_LiRA"].mean()
    assert -0.09 < small - lira < -0.01 and small - 0.5 > 0.6 * (lira - 0.5)


@claim(
    cell="offline = pd.DataFrame(",
    says="To hide confidence stops those who only read confidence",
    again=offline_again,
)
def small_changes_find_more_than_whether_it_was_right(offline):
    assert offline["auc_small"].mean() > offline["auc_right?"].mean() + 0.08 and offline["auc_right?"].mean() < 0.61


def known_again(seed, hidden=16, name="flowers"):
    draws = {"never heard of it": [], "shadows lie, too": [], "reads the label": []}
    for each in range(10 * seed, 10 * seed + 4):
        bare = train_shadows(NetClassifier(hidden=hidden), *DATA[name](each), n_shadows=16, random_state=each)
        lies, labels = defend(bare, RandomConfidence(None)), defend(bare, LabelOnly(None))
        for case, shadows, targets in zip(draws, (bare, lies, labels), (lies, lies, labels), strict=True):
            both = {"LiRA": LiRA(), "RMIA": RMIA()}
            draws[case].append(attack_each(shadows, both, n_targets=4, targets=targets).mean())
    return {"draws": draws}


KNOWN = ({}, {"hidden": 64})


def three(draws, attack):
    """The mean AUC of who never heard of it, of who has shadows that lie, of who reads the label."""
    return [float(np.mean([each[f"auc_{attack}"] for each in case])) for case in draws.values()]


@claim(cell='draws = {"never heard of it"', says="LiRA is fooled until it knows", again=known_again, settings=KNOWN)
def lira_gains_by_knowing(draws):
    never, lies, label = three(draws, "LiRA")
    assert never + 0.01 < lies < label - 0.015


@claim(
    cell='draws = {"never heard of it"',
    says="in the mean of four draws lying shadows add nothing, and throwing the numbers away",
    again=known_again,
    settings=KNOWN,
)
def rmia_gains_by_reading_the_label(draws):
    never, lies, label = three(draws, "RMIA")
    assert never > three(draws, "LiRA")[0] + 0.02
    assert abs(lies - never) < 0.02 and label > max(never, lies) + 0.015


# --- the price -------------------------------------------------------------------------------------------------------


def on_front(front, means, name):
    return set(means.loc[name].index[front[name]])


FRONT = "front = {name: not_beaten("


@claim(cell=FRONT, says="On the flowers stopping early beats every output defence, in these draws")
def on_the_flowers_only_care_is_on_the_frontier(front, means):
    assert on_front(front, means, "flowers") <= {"L2", "stop early"}


@claim(cell=FRONT, says="On the digits you must choose", again=digits_again)
def on_the_digits_one_must_choose(front, means):
    found = on_front(front, means, "digits")
    assert "L2" in found and "none" not in found and len(found) > 1


@claim(cell=FRONT, says="coarser answers and more care in training, holds in part")
def the_advice_holds_in_part(means):
    assert less(means, "digits", "label only", "auc_strongest") < -0.05
    assert abs(less(means, "flowers", "rounding", "auc_strongest")) < 0.01
    assert less(means, "flowers", "L2", "auc_strongest") < -0.02 < 0.02 < less(means, "digits", "L2", "auc_strongest")


@claim(cell=FRONT, says="on the digits our penalty raised accuracy and leak, and stopping", again=digits_again)
def on_the_digits_care_has_its_price(means):
    assert less(means, "digits", "L2", "auc_strongest") > 0.01
    assert less(means, "digits", "stop early", "test_accuracy") < -0.01
