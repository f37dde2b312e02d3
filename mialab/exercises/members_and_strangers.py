"""Exercises of notebook 04, members and strangers."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import members_and_strangers as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction

chapter = Chapter("04_members_and_strangers")
recap = chapter.recap

# --- accuracy_gap ---------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=5,
    section="Two models, equally good",
    cases=data.fitted_models,
    oracle=lambda model, X_in, y_in, X_out, y_out: model.score(X_in, y_in) - model.score(X_out, y_out),
    real=data.both_halves,
    hints=[
        "Two accuracies, one on the members and one on the strangers. Which minus which?",
        "`model.predict(X_in)` gives the labels for the members; compare them with `y_in` as you did before.",
        "`(model.predict(X_in) == y_in).mean() - (model.predict(X_out) == y_out).mean()`",
    ],
    means="The generalisation gap: how much better a model does on what it has seen. It is the first trace of "
    "its memory.",
    why="Members minus strangers, so that a model that does better on its members has a gap above nought.",
)
def accuracy_gap(model, X_in, y_in, X_out, y_out):
    """Accuracy on members minus accuracy on strangers."""
    on_members = (model.predict(X_in) == y_in).mean()
    on_strangers = (model.predict(X_out) == y_out).mean()
    return on_members - on_strangers


@accuracy_gap.right
def _by_score(model, X_in, y_in, X_out, y_out):
    return model.score(X_in, y_in) - model.score(X_out, y_out)


@accuracy_gap.right
def _difference_of_errors(model, X_in, y_in, X_out, y_out):
    return np.mean(model.predict(X_out) != y_out) - np.mean(model.predict(X_in) != y_in)


@accuracy_gap.mistake("The difference is the wrong way round: take the strangers' accuracy from the members'.")
def _the_wrong_way_round(model, X_in, y_in, X_out, y_out):
    return model.score(X_out, y_out) - model.score(X_in, y_in)


@accuracy_gap.mistake(
    "You drop the sign. A model that does better on strangers has a gap below zero: do not use `abs`."
)
def _without_sign(model, X_in, y_in, X_out, y_out):
    return abs(model.score(X_in, y_in) - model.score(X_out, y_out))


@accuracy_gap.mistake(
    "You take the number of the column with the largest probability for the label. Which label a column stands for is "
    "the model's to say: ask `model.predict`."
)
def _column_for_label(model, X_in, y_in, X_out, y_out):
    on_members = np.equal(model.predict_proba(X_in).argmax(axis=1).astype(object), y_in).mean()
    return on_members - np.equal(model.predict_proba(X_out).argmax(axis=1).astype(object), y_out).mean()


@accuracy_gap.mistake("That is a ratio. The gap is a difference: one accuracy minus the other.")
def _ratio(model, X_in, y_in, X_out, y_out):
    return model.score(X_in, y_in) / max(model.score(X_out, y_out), 1e-12)


@accuracy_gap.mistake(
    "You subtract how many are right. Divide each count by the number of records, so that it is a share from 0 to 1: "
    "`.mean()` for `.sum()`."
)
def _counts(model, X_in, y_in, X_out, y_out):
    return (model.predict(X_in) == y_in).sum() - (model.predict(X_out) == y_out).sum()


@accuracy_gap.mistake("That is the accuracy on members alone. Take the accuracy on strangers from it.")
def _members_alone(model, X_in, y_in, X_out, y_out):
    return model.score(X_in, y_in)


@accuracy_gap.mistake(
    "You take off the accuracy on everyone. The members are part of everyone: compare them with the strangers alone."
)
def _against_everyone(model, X_in, y_in, X_out, y_out):
    everyone = model.score(np.vstack([X_in, X_out]), np.concatenate([y_in, y_out]))
    return model.score(X_in, y_in) - everyone


# --- which_one_leaks ------------------------------------------------------------------------------------------------

which_one_leaks = chapter.add(
    Prediction(
        "which_one_leaks",
        question="Both test equally well. Which of the two answers its members with clearly more confidence "
        "than strangers?",
        options=["look-up", "net", "both", "neither"],
        section="Two models, equally good",
    )
)


# --- confidence_gap -------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=6,
    section="The confidence gap",
    cases=data.models,
    oracle=data.gap_by_loops,
    real=data.a_model_and_both_halves,
    hints=[
        "Confidence is the largest probability of each row. You need its average over the members, and over the "
        "strangers.",
        "`model.predict_proba(X_in).max(axis=1)` is the confidence of every member.",
        "`model.predict_proba(X_in).max(axis=1).mean()` minus the same for `X_out`.",
    ],
    means="A gap above nought says that members are, on average, answered more confidently. It says nothing about how "
    "many of them.",
    why="First one number for each record, then the average over each group, then members minus strangers.",
)
def confidence_gap(model, X_in, X_out):
    """Mean confidence on members minus mean confidence on strangers."""
    on_members = model.predict_proba(X_in).max(axis=1).mean()
    on_strangers = model.predict_proba(X_out).max(axis=1).mean()
    return on_members - on_strangers


@confidence_gap.right
def _by_loops(model, X_in, X_out):
    return data.gap_by_loops(model, X_in, X_out)


@confidence_gap.right
def _with_the_package(model, X_in, X_out):
    from mialab.attacks import confidence

    return np.mean(confidence(model, X_in)) - np.mean(confidence(model, X_out))


@confidence_gap.mistake("The difference is the wrong way round: members minus strangers.")
def _the_wrong_way_round(model, X_in, X_out):
    return data.gap_by_loops(model, X_out, X_in)


@confidence_gap.mistake("You drop the sign. A model that is surer of strangers has a gap below zero: do not use `abs`.")
def _without_sign(model, X_in, X_out):
    return abs(data.gap_by_loops(model, X_in, X_out))


@confidence_gap.mistake(
    "You average all the probabilities, not the largest of each row. Each row adds up to 1, so that average is one "
    "third for every model. Take `.max(axis=1)` first."
)
def _mean_of_everything(model, X_in, X_out):
    return model.predict_proba(X_in).mean() - model.predict_proba(X_out).mean()


@confidence_gap.mistake(
    "You compare the single most confident member with the single most confident stranger: `.max()` without `axis=1`. "
    "Take the largest of each row, then the average."
)
def _two_extremes(model, X_in, X_out):
    return model.predict_proba(X_in).max() - model.predict_proba(X_out).max()


@confidence_gap.mistake(
    "You add the confidences up instead of averaging them. With groups of different size a sum compares nothing."
)
def _sums(model, X_in, X_out):
    return model.predict_proba(X_in).max(axis=1).sum() - model.predict_proba(X_out).max(axis=1).sum()


@confidence_gap.mistake(
    "You return one value for each species. Average over records of the largest probability of each row: "
    "`.max(axis=1)`."
)
def _for_each_species(model, X_in, X_out):
    return model.predict_proba(X_in).mean(axis=0) - model.predict_proba(X_out).mean(axis=0)


# --- equal_accuracy --------------------------------------------------------------------------------------------------

equal_accuracy = chapter.add(
    Choice(
        "equal_accuracy",
        points=1,
        minutes=3,
        section="The gap in accuracy does not decide",
        options={
            "a": (
                "They leak equally, because their accuracies are equal.",
                "The look-up model and the tree have about the same accuracies here, and one gives away in its "
                "confidence what the other does not.",
            ),
            "b": (
                "The one with the higher test accuracy leaks more.",
                "Higher test accuracy means that it does better on strangers. It says nothing about how members are "
                "answered.",
            ),
            "c": (
                "Neither leaks, as 95% on strangers shows that they generalise.",
                "The look-up model has about 95% on strangers, and answers every member with exactly 1.",
            ),
            "d": (
                "Accuracy cannot tell: you have to look at how each answers its members and strangers.",
                "Two models can be right equally often and be unequally sure. The trace is in the answers, not in the "
                "accuracy.",
            ),
        },
        answer="d",
        hints=[
            "Look at the two rows of the figure for the look-up model and the tree.",
            "They have the same gap in accuracy. What about the gap in confidence?",
            "One number, accuracy, cannot tell the two apart.",
        ],
    )
)

# These were asked here once; assignments that are out look for them.
from mialab.exercises.recorded_label import recorded_confidence, tell_a_colleague, which_confidence  # noqa: E402, F401
