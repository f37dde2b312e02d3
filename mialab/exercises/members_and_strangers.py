"""Exercises of notebook 04, members and strangers."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import members_and_strangers as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction, Written

chapter = Chapter("04_members_and_strangers")
recap = chapter.recap

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
                "score.",
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


# --- recorded_confidence --------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=6,
    section="Confidence in what?",
    cases=data.answers_and_labels,
    oracle=data.recorded_by_rows,
    real=data.answers_and_labels_of_all,
    hints=[
        "Row by row: if the label is 2, take the probability in column 2.",
        "NumPy can take one value from each row at once, if you give it the row numbers and the column numbers.",
        "`probabilities[np.arange(len(labels)), labels]`",
    ],
    means="This looks at the label that somebody recorded, right or wrong. It is what a model that remembers "
    "will repeat.",
    why="Indexing with two arrays of equal length takes one value for each pair: row 0 with its label, row 1 "
    "with its label, …",
)
def recorded_confidence(probabilities, labels):
    """For each record, the probability that the model gives to its recorded label."""
    return probabilities[np.arange(len(labels)), labels]


@recorded_confidence.right
def _list_of_values(probabilities, labels):
    return [row[label] for row, label in zip(probabilities, labels, strict=True)]


@recorded_confidence.right
def _by_mask(probabilities, labels):
    return (probabilities * np.eye(probabilities.shape[1])[labels]).sum(axis=1)


@recorded_confidence.mistake(
    "That is the largest probability, whichever species it belongs to. Look up the recorded label's own column."
)
def _the_largest(probabilities, labels):
    return probabilities.max(axis=1)


@recorded_confidence.mistake(
    "`probabilities[:, labels]` takes all the rows for each label: a whole table. Give the row numbers as well: "
    "`np.arange(len(labels))`."
)
def _a_table(probabilities, labels):
    return probabilities[:, labels]


@recorded_confidence.mistake(
    "You say whether the model's first choice is the recorded label. Return the probability instead."
)
def _was_it_right(probabilities, labels):
    return probabilities.argmax(axis=1) == labels


@recorded_confidence.mistake("You use the first record's label for all of them. Each record has a label of its own.")
def _first_label_for_all(probabilities, labels):
    return probabilities[:, labels[0]]


@recorded_confidence.mistake("That is the doubt about the recorded label: 1 minus what is asked.")
def _one_minus(probabilities, labels):
    return 1 - probabilities[np.arange(len(labels)), labels]


# --- which_confidence and tell_a_colleague ---------------------------------------------------------------------------

which_confidence = chapter.add(
    Prediction(
        "which_confidence",
        question="With wrong labels in training, which confidence of the net tells members from strangers?",
        options=["own answer", "recorded label", "both", "neither"],
        section="Confidence in what?",
        hints=[
            "A wrong label of a member was taught to the net. A wrong label of a stranger was not. What will a net say "
            "that was trained until it fits every label it was given?",
            "“Own answer” takes the largest probability, whatever was recorded. “Recorded label” looks up the "
            "probability of the label in the table, wrong or right.",
            "Any of the four words is accepted. Write one down, then run the cells below.",
        ],
    )
)

tell_a_colleague = chapter.add(
    Written(
        "tell_a_colleague",
        points=3,
        minutes=6,
        section="The gap in accuracy does not decide",
        rubric=[
            "says that test accuracy counts right labels, while a leak shows in members and strangers being answered "
            "differently",
            "names an example from this notebook, with a number that a cell computed",
            "says what to measure instead, over many splits",
        ],
        example="Our 95% on test data tells us how often new records get the right label. It does not tell us "
        "whether records from training are answered differently. In the notebook two models had the same test "
        "accuracy to within two hundredths, yet one of them was surer of its members than of strangers by 0.13, the "
        "mean gap over a hundred splits, while the other was almost as sure of strangers as of members. So before we "
        "publish I would compare the confidence on members with that on strangers, over many random splits.",
        others=[
            "A good test score means the model is right about new people. Privacy is another question: can I see from "
            "an answer that it knew the person before? The look-up model scores 0.95 on strangers and still gives "
            "each member a perfect 1.00, because a member finds itself in its memory. We should measure the "
            "confidence gap, on fifty splits rather than one, before we say it is safe.",
            "Accuracy counts right labels and ignores how sure the model is. The tree and the look-up model have the "
            "same gap in accuracy, about 0.05, but the confidence gap is nought for the tree and above 0.1 for the "
            "look-up. What has to be looked at is how members and strangers are answered, again and again on new "
            "splits.",
        ],
        hints=[
            "What does the test accuracy count? What does it not look at?",
            "Which two models in this notebook were equally accurate and differed in something else?",
            "Say in one sentence what you would measure before publishing, and on how many splits.",
        ],
    )
)
