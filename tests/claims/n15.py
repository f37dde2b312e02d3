"""The claims of notebook 15, the article on trial.

Its results are those of a file; tests/test_on_trial.py has rows of it made again. The laws here draw what they need
from other seeds.
"""

from __future__ import annotations

import pandas as pd
from sklearn.datasets import load_digits

from claims import claim
from mialab.attacks import ThresholdAttack
from mialab.data import few_of_each
from mialab.exercises._cases.article_on_trial import what_two_classes_leak_more
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.trials import attack_each, verdict

VERDICTS = "rows.append([claim, verdict(effects, smallest)"
DIGITS = load_digits(return_X_y=True)


def sides(judged, claim):
    """{(experiment, score): side} of one claim."""
    table = judged(claim)
    return dict(zip(zip(table["experiment"], table["score"], strict=True), table["side"], strict=True))


@claim(cell="for depth, column in ((12,", says="the same draw made by you")
def the_file_can_be_repeated(yours, row):
    assert abs(yours - row["less"].item()) < 0.01


@claim(
    cell='judged("members get higher confidence")',
    says="`nearest` and the grown tree answer a 1 to nearly everybody: worse on strangers, and as sure",
)
def worse_on_strangers_and_as_sure(judged):
    found = judged("members get higher confidence").set_index("experiment")
    assert (abs(found.loc[["nearest, four", "nearest, sepals", "tree, four"], "mean"]) < 0.001).all()
    assert found.loc["tree, sepals", "mean"] < 0  # twins with two labels: there it is surer of strangers


@claim(
    cell='judged("overfitting is a major factor")',
    says="Overfitting is borne out in all but two of these: longer training on four, by the label",
)
def overfitting_is_borne_out_in_all_but_two(judged):
    found = sides(judged, "overfitting is a major factor")
    others = {name for name, side in found.items() if side != 1}
    assert others == {("net: 500 rounds against 5", "recorded label"), ("tree: 10 members against 75", "RMIA")}


@claim(cell="pairs = judged(", says="In each the look-up model or a forest leaks more")
def what_leaks_more_at_a_smaller_gap(pairs):
    against = pairs[pairs["side"] == -1]["experiment"]
    assert len(against) > 5 and against.str.endswith(("against look-up", "against forest")).all()


@claim(cell="pairs = judged(", says="The other pairs mostly go the article's way")
def most_pairs_are_for_it(pairs):
    assert (pairs["side"] == 1).mean() > 2 / 3


@claim(
    cell='judged("fakes are harder with many classes")',
    says="ten classes cost more questions a record, and replicas agree less.",
)
def the_reason_holds(judged, runs):
    found = judged("fakes are harder with many classes").set_index(["experiment", "score"])
    assert (found["side"] == 1).all() and found.loc[("net: 2 classes against 10", "agreement"), "low"] > 0.3
    asked = runs[runs["score"] == "questions a record"].groupby("experiment")[["more", "less"]].mean()
    assert (asked["more"] > 3 * asked["less"]).all()


def digits_again(seed, hidden=16, n_each=30):
    means = {2: 0.0, 10: 0.0}
    for each in range(4 * seed, 4 * seed + 4):
        for n in means:
            pool = few_of_each(*DIGITS, n_each, each, n)
            shadows = train_shadows(NetClassifier(hidden=hidden), *pool, n_shadows=8, random_state=each)
            means[n] += attack_each(shadows, {"label": ThresholdAttack()}, n_targets=4)["auc_label"].mean() / 4
    return {"label": pd.DataFrame({"mean": [means[2] - means[10]]})}


@claim(
    cell='classes = judged("few classes leak more")',
    says="and many classes leak more.",
    again=digits_again,
    settings=({}, {"hidden": 64}, {"n_each": 20}),
)
def many_classes_leak_more(label):
    assert (label["mean"] <= 0).all() and label["mean"].min() < -0.03


@claim(cell='classes = judged("few classes leak more")', says="No mean is above zero.")
def more_classes_leak_more(classes, label):
    assert (classes["mean"] <= 0).all() and (classes["side"] < 1).all() and len(label) == 15


@claim(
    cell='classes = judged("few classes leak more")',
    says="The look-up model gives away all of the synthetic groups, few or many",
)
def the_look_up_gives_all_away(runs):
    rows = runs[runs["experiment"] == "look-up: 2 classes against 20, synthetic, 20 of each"]
    assert (rows[["more", "less"]] > 0.999).all(axis=None) and len(rows) == 16


@claim(
    cell='judged("fakes are harder with many classes")',
    says="the net's agreement falls by little more",
)
def the_net_falls_by_little_more_than_chance(judged):
    found = judged("fakes are harder with many classes").set_index(["experiment", "score"])
    assert 0.4 < found.loc[("net: 2 classes against 10", "agreement"), "mean"] < 0.6


@claim(
    cell="both = pd.concat(",
    says="Tables leak more with two classes only, by some attacks on some models; more often the images do",
)
def tables_leak_more_in_a_few(judged):
    found = sides(judged, "tables leak more than images")
    ahead = [name for name, side in found.items() if side == 1]
    assert all(experiment.endswith("2 classes") for experiment, _ in ahead)
    assert 0 < 2 * len(ahead) < sum(side == -1 for side in found.values())


@claim(
    cell="both = pd.concat(",
    says="Columns of noise raise the leak in every family; the flowers' own mostly lower it for tree, forest",
)
def what_a_column_says_counts(judged):
    found = sides(judged, "few measurements leak more")
    assert all(side == -1 for (experiment, _), side in found.items() if "noise" in experiment)
    own = {name: side for name, side in found.items() if "one measurement" in name[0]}
    assert all(side == 1 for (experiment, _), side in own.items() if experiment.startswith(("tree", "forest")))
    assert all(side == -1 for (experiment, _), side in own.items() if experiment.startswith("look-up"))


@claim(cell="both = pd.concat(", says="and a little for logistic, by RMIA")
def a_little_for_logistic(judged):
    found = judged("few measurements leak more").set_index(["experiment", "score"])
    logistic = found.loc["logistic: one measurement against four"]
    assert logistic["side"].to_dict() == {"recorded label": 0, "RMIA": -1} and logistic.loc["RMIA", "mean"] > -0.05


@claim(
    cell="mimic = judged(",
    says="In none of these does a replica agree with its target more than the botanist does",
)
def no_more_than_the_botanist(mimic):
    beside = mimic[mimic["experiment"].str.endswith("botanist")]
    assert len(beside) == 8 and (beside["mean"] < 0.01).all()


@claim(cell="mimic = judged(", says="On Iris a net's repeats more than half of the mistakes")
def on_iris_mistakes_are_copied(mimic):
    assert mimic.set_index("experiment").loc["net, iris 3: mistakes against half", "side"] == 1


@claim(
    cell="mimic = judged(",
    says="but only in the net, and by the recorded label, did the *type* help (the two rows have the same figures)",
)
def the_type_is_enough_and_hardly_helps(judged, types):
    enough = sides(judged, "knowing the type is enough")
    assert [name for name, side in enough.items() if side != 1] == [("tree", "confidence")]
    helped = types[types["side"] == 1]
    assert len(types) == 12 and (types["side"] > -1).all()
    assert helped["experiment"].str.startswith("net").tolist() == [True, True]
    assert (helped["score"] == "recorded label").all() and helped["mean"].nunique() == helped["low"].nunique() == 1


@claim(cell=VERDICTS, says="The reason is supported, and the leak that it was to explain is contradicted")
def the_reason_and_the_leak_part(judged):
    assert (judged("fakes are harder with many classes")["side"] == 1).all()
    leak = judged("few classes leak more")["side"]
    assert (leak < 1).all() and (leak == -1).mean() > 0.8


@claim(cell=VERDICTS, says="With `smallest` at 0 or 0.05 they change, and no verdict does")
def no_smallest_turns_a_verdict(runs, judged):
    for claim_ in runs["claim"].unique():
        effects = judged(claim_)[["mean", "low", "high"]].to_numpy()
        assert verdict(effects, 0) == verdict(effects, 0.05) == verdict(effects, 0.01)


@claim(cell=VERDICTS, says="Hold something else fixed, and a verdict may turn")
def the_dial_turns_it():
    assert what_two_classes_leak_more(70) > 0.01 > what_two_classes_leak_more(12)
