"""Exercises of notebook 02, train a classifier."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import train_a_classifier as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction

chapter = Chapter("02_train_a_classifier")
recap = chapter.recap


# --- accuracy -------------------------------------------------------------------------------------------------------


@chapter.function(
    points=1,
    minutes=3,
    section="How often is it right?",
    cases=data.labels,
    oracle=lambda predicted, actual: sum(p == a for p, a in zip(predicted, actual, strict=True)) / len(actual),
    real=data.labels_of_both_halves,
    hints=[
        "Compare the two arrays, then take a share.",
        "`predicted == actual` is an array of True and False.",
        "The mean of an array of True and False is the share of True.",
    ],
    means="Accuracy: the share of records for which the model's label is the recorded one.",
    why="True counts as 1 and False as 0, so the mean of a comparison is a share. This idiom comes back in "
    "every notebook.",
)
def accuracy(predicted, actual):
    """Share of records for which the predicted label is the actual one."""
    return (predicted == actual).mean()


@accuracy.right
def _loop(predicted, actual):
    right = 0
    for p, a in zip(predicted, actual, strict=True):
        if p == a:
            right += 1
    return right / len(actual)


@accuracy.right
def _by_sklearn(predicted, actual):
    from sklearn.metrics import accuracy_score

    return accuracy_score(actual, predicted)


@accuracy.mistake("You return how many are right. Divide by the number of records, so that it is a share from 0 to 1.")
def _a_count(predicted, actual):
    return (predicted == actual).sum()


@accuracy.mistake("That is the share of wrong answers, the error rate. Accuracy is 1 minus it.")
def _error_rate(predicted, actual):
    return (predicted != actual).mean()


@accuracy.mistake("You return a percentage. In this course shares run from 0 to 1: 80% is 0.8.")
def _percentage(predicted, actual):
    return 100 * (predicted == actual).mean()


@accuracy.mistake(
    "You calculate with the labels. They are names, even where they are written as numbers, and one name cannot be "
    "taken from another: compare them, `predicted == actual`."
)
def _difference_of_labels(predicted, actual):
    return (predicted - actual == 0).mean()


@accuracy.mistake(
    "You sort the labels before you compare, so predictions no longer stand beside their own records. Leave the order "
    "alone."
)
def _sorted_first(predicted, actual):
    return (np.sort(predicted) == np.sort(actual)).mean()


@accuracy.mistake(
    "Your answer is 1 where every prediction is right, and 0 elsewhere. Accuracy is the share that are right: "
    "`.mean()` gives it; `.all()` and `//` do not."
)
def _all_or_nothing(predicted, actual):
    return float((predicted == actual).all())


# --- baseline_accuracy ----------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=5,
    section="Compared with what?",
    cases=data.two_halves,
    oracle=data.commonest_by_sklearn,
    real=data.labels_of_both_halves,
    hints=[
        "Two steps: find the commonest label among the members, then see how often it is right for the strangers.",
        "`np.bincount(y_in)` counts each label; `.argmax()` of that is the commonest.",
        "`(y_out == np.bincount(y_in).argmax()).mean()`",
    ],
    means="A classifier has learnt something only as far as it beats the rule that never looks at the flower.",
    why="The lazy rule may look at the members' labels, as any training may, but not at the strangers'.",
)
def baseline_accuracy(y_in, y_out):
    """Accuracy on y_out of a rule that always answers with the commonest label of y_in."""
    commonest = np.bincount(y_in).argmax()
    return (y_out == commonest).mean()


@baseline_accuracy.right
def _by_unique(y_in, y_out):
    labels, counts = np.unique(y_in, return_counts=True)
    return np.mean(y_out == labels[np.argmax(counts)])


@baseline_accuracy.right
def _by_counter(y_in, y_out):
    from collections import Counter

    commonest = Counter(y_in.tolist()).most_common(1)[0][0]
    return sum(label == commonest for label in y_out) / len(y_out)


@baseline_accuracy.mistake(
    "You look for the commonest label among the strangers. That is peeking: the rule must be fixed before it sees them."
)
def _peeking(y_in, y_out):
    return (y_out == np.bincount(y_out).argmax()).mean()


@baseline_accuracy.mistake(
    "You measure the rule on the members it was made from. The question is how it does on strangers, `y_out`."
)
def _on_members(y_in, y_out):
    return (y_in == np.bincount(y_in).argmax()).mean()


@baseline_accuracy.mistake("You take the rarest label: `argmin` in the place of `argmax`.")
def _the_rarest(y_in, y_out):
    return (y_out == np.bincount(y_in).argmin()).mean()


@baseline_accuracy.mistake(
    "One third is right only when the three species are equally common. Count the labels instead."
)
def _one_third(y_in, y_out):
    return 1 / 3


@baseline_accuracy.mistake(
    "You use how often the commonest label comes, not which label it is: `max` in the place of `argmax`."
)
def _the_count_as_label(y_in, y_out):
    return (y_out == np.bincount(y_in).max()).mean()


@baseline_accuracy.mistake(
    "`max(y_in)` is the largest label, not the commonest. Count the labels with `np.bincount`; `.argmax()` says which "
    "count is largest."
)
def _the_largest_label(y_in, y_out):
    return (y_out == max(y_in)).mean()


@baseline_accuracy.mistake(
    "You use the average label. Labels are names written as numbers: their average is no species."
)
def _average_label(y_in, y_out):
    return (y_out == round(y_in.mean())).mean()


# --- guesses and choices --------------------------------------------------------------------------------------------

tree_on_members = chapter.add(
    Prediction(
        "tree_on_members",
        question="What is the accuracy of a fully grown decision tree on the flowers it was trained on?",
        between=(0, 1),
        section="A model that asks until it is sure",
    )
)

why_strangers = chapter.add(
    Choice(
        "why_strangers",
        points=1,
        minutes=2,
        section="A model that asks until it is sure",
        options={
            "a": (
                "Because there are more strangers than members.",
                "There are 75 of each. The number is not the reason.",
            ),
            "b": (
                "Because it can be right about its members by remembering them.",
                "The tree is right about every member, even where it would be wrong about similar flowers. Only "
                "strangers show what it has understood.",
            ),
            "c": (
                "Because models are always worse on strangers, and the lower number is the safer one.",
                "Not always: on some draws the logistic regression does better on strangers than on its members. "
                "Whether there is a gap is what we want to find out.",
            ),
            "d": (
                "Because the members' labels may be wrong.",
                "They may, and notebook 04 tries it. But the strangers' labels come from the same source.",
            ),
        },
        answer="b",
        hints=[
            "What would a model score on its members if it had learnt them by heart?",
            "The tree scores 1.00 on its members. Has it understood every flower?",
            "What we want of a model is an answer to flowers that nobody has labelled yet.",
        ],
    )
)

# It was asked here once; assignments that are out look for it.
from mialab.exercises.members_and_strangers import accuracy_gap  # noqa: E402, F401
