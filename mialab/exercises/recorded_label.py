"""Exercises of notebook 05, the recorded label."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import recorded_label as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Dial, Prediction, Written

chapter = Chapter("05_the_recorded_label")
recap = chapter.recap


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
    "`probabilities[labels]` picks whole rows, by number. You want one column of each row: give the row numbers "
    "as well, `np.arange(len(labels))`."
)
def _rows_for_columns(probabilities, labels):
    return probabilities[labels]


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
        question="With wrong labels in training, which confidence of the net is clearly higher for members than for "
        "strangers?",
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

few_rounds = chapter.add(
    Dial(
        "few_rounds",
        points=2,
        minutes=3,
        section="Too long training",
        unit="a number of rounds, from 10 to 1000",
        between=(10, 1000),
        whole=True,
        measure=data.ahead_after,
        turns=lambda found: found < 0.56,
        says="After {setting:g} rounds, over 20 draws, a member is ahead of a stranger in {found:.3f} of the pairs.",
        right=(50, 20, 30),
        stays=(100, 200, 500),
        hints=[
            "A mistake is learnt by heart in many rounds. Do you want more rounds, or fewer?",
            "Halve the 500, and halve again, until the count is low enough.",
            "At 100 it is still a little too high.",
        ],
        means="Whether this net betrays its members hangs on how long we trained it, which nobody who reads “a net "
        "leaks” can see.",
        why="The first rounds learn what the species have in common; only later ones learn the single wrong labels.",
    )
)

tell_a_colleague = chapter.add(
    Written(
        "tell_a_colleague",
        points=3,
        minutes=6,
        section="Confidence in what?",
        rubric=[
            "says that test accuracy counts right labels, while a leak shows in members and strangers being answered "
            "differently",
            "names an example from notebook 04 or 05, with a number that a cell computed",
            "says what to measure instead, over many draws",
        ],
        example="Our 95% on test data tells us how often new records get the right label. It does not tell us "
        "whether records from training are answered differently. In the notebook two models had the same test "
        "accuracy to within two hundredths, yet one of them was surer of its members than of strangers by 0.13, the "
        "mean gap over forty draws, while the other was almost as sure of strangers as of members. So before we "
        "publish I would compare the confidence on members with that on strangers, over many random draws.",
        others=[
            "A good test score means the model is right about new people. Privacy is another question: can I see from "
            "an answer that it knew the person before? The look-up model scores 0.95 on strangers and still gives "
            "each member a perfect 1.00, because a member finds itself in its memory. We should measure the "
            "confidence gap, on fifty draws rather than one, before we say it is safe.",
            "Accuracy counts right labels and ignores how sure the model is. The tree and the look-up model have the "
            "same gap in accuracy, about 0.05, but the confidence gap is nought for the tree and above 0.1 for the "
            "look-up. What has to be looked at is how members and strangers are answered, again and again on new "
            "draws.",
        ],
        hints=[
            "What does the test accuracy count? What does it not look at?",
            "Which two models of notebook 04 were equally accurate and differed in something else?",
            "Say in one sentence what you would measure before publishing, and on how many draws.",
        ],
    )
)
