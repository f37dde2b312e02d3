"""Exercises of notebook 03, ask the model."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import ask_the_model as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Dial, Prediction, Reading

chapter = Chapter("03_ask_the_model")
recap = chapter.recap


# --- softmax --------------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=7,
    section="From scores to probabilities",
    cases=data.scores,
    oracle=data.softmax_by_scipy,
    real=data.scores_of_all_flowers,
    hints=[
        "Three steps: `np.exp` of every score; the sum of each row; each value divided by the sum of its own row.",
        "`.sum(axis=1, keepdims=True)` keeps the sums as a column, so that the division goes row by row. And mind "
        "scores such as 1000, whose exp is infinite: the next hint says how.",
        "exp(1000) is infinite. Take each row's largest score away first, `scores - scores.max(axis=1, "
        "keepdims=True)`: it changes nothing in the result.",
    ],
    means="Scores become positive numbers that add up to 1 in each row. That is all a “probability” is here.",
    why="exp makes every score positive and keeps their order; dividing by the row's sum makes each row add up to 1. "
    "Taking the largest score away first cancels out, and keeps exp from running off to infinity.",
)
def softmax(scores):
    """Probabilities from scores (n, 3): exp of each score, divided by the sum of exp over its row."""
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


@softmax.right
def _row_by_row(scores):
    rows = []
    for row in scores:
        grown = [np.exp(s - max(row)) for s in row]
        rows.append([g / sum(grown) for g in grown])
    return rows


@softmax.right
def _with_logarithms(scores):
    from scipy.special import logsumexp

    return np.exp(scores - logsumexp(scores, axis=1, keepdims=True))


@softmax.mistake(
    "Nearly: for large scores `np.exp` is infinite, and infinite divided by infinite is no number. Take the largest "
    "score of each row away first; the result stays the same."
)
def _overflowing(scores):
    grown = np.exp(scores)
    return grown / grown.sum(axis=1, keepdims=True)


@softmax.mistake(
    "Nearly: you take away the largest score of the whole table. A row far below it is then all zeros, and zero "
    "divided by zero is no number. Take each row's own largest: `scores.max(axis=1, keepdims=True)`."
)
def _shifted_by_the_table(scores):
    grown = np.exp(scores - scores.max())
    return grown / grown.sum(axis=1, keepdims=True)


@softmax.mistake(
    "You take the same number away everywhere. That turns the exp of ordinary scores into zeros, and zero divided by "
    "zero is no number. Take away each row's own largest: `scores.max(axis=1, keepdims=True)`."
)
def _shifted_by_a_thousand(scores):
    grown = np.exp(scores - 1000)
    return grown / grown.sum(axis=1, keepdims=True)


@softmax.mistake(
    "Nearly: you take away the mean of each row, and a score far above it still makes `np.exp` infinite. Take each "
    "row's largest: `scores.max(axis=1, keepdims=True)`."
)
def _shifted_by_the_mean(scores):
    grown = np.exp(scores - scores.mean(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


@softmax.mistake(
    "Nearly: you take away the first score of each row. Where another is far larger `np.exp` is still infinite. Take "
    "each row's largest: `scores.max(axis=1, keepdims=True)`."
)
def _shifted_by_the_first(scores):
    grown = np.exp(scores - scores[:, :1])
    return grown / grown.sum(axis=1, keepdims=True)


@softmax.mistake(
    "Nearly: for large scores exp overflows. Take the largest score of each row away first; the result stays the same."
)
def _math_exp(scores):
    import math

    rows = [[math.exp(s) for s in row] for row in scores]
    return [[g / sum(row) for g in row] for row in rows]


@softmax.mistake(
    "You divide by the sum of the columns. Each row is one flower, and its three probabilities must add up to 1: sum "
    "with `axis=1, keepdims=True`."
)
def _by_columns_unshifted(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=0)


@softmax.mistake("You divide by the sum of the whole table. Each row is one flower: divide by the sum of its own row.")
def _by_table_unshifted(scores):
    return np.exp(scores) / np.exp(scores).sum()


@softmax.mistake(
    "You divide by the sum of the columns. Each row is one flower, and its three probabilities must add up to 1: sum "
    "with `axis=1, keepdims=True`."
)
def _by_columns(scores):
    grown = np.exp(scores - scores.max())
    return grown / grown.sum(axis=0)


@softmax.mistake("You divide by the sum of the whole table. Each row is one flower: divide by the sum of its own row.")
def _by_table(scores):
    grown = np.exp(scores - scores.max())
    return grown / grown.sum()


@softmax.mistake(
    "You left out `np.exp`. Scores can be negative or nought, so dividing them by their sum gives no probabilities."
)
def _without_exp(scores):
    return scores / scores.sum(axis=1, keepdims=True)


@softmax.mistake("You never divide. Divide each row by its sum, so that it adds up to 1.")
def _not_divided(scores):
    return np.exp(scores)


# --- confidence -----------------------------------------------------------------------------------------------------


@chapter.function(
    points=1,
    minutes=3,
    section="Confidence",
    cases=data.tables,
    oracle=lambda probabilities: np.array([max(row) for row in probabilities.tolist()]),
    real=data.answers_to_all_flowers,
    hints=[
        "One number for each flower: the largest of its row.",
        "`.max()` takes an `axis`: axis 0 goes down the columns, axis 1 along the rows.",
        "`probabilities.max(axis=1)`",
    ],
    means="Confidence is what the article's attacker reads off: one number for each question.",
    why="Axis 1 runs along each row, so there is one maximum for each flower.",
)
def confidence(probabilities):
    """For each row of probabilities (n, 3), the largest one."""
    return probabilities.max(axis=1)


@confidence.right
def _list_of_maxima(probabilities):
    return [max(row) for row in probabilities]


@confidence.right
def _by_sorting(probabilities):
    return np.sort(probabilities, axis=1)[:, -1]


@confidence.mistake("You return which species is most probable (`argmax`), not how probable it is (`max`).")
def _which_one(probabilities):
    return probabilities.argmax(axis=1)


@confidence.mistake("You take the largest of each column, which mixes all flowers. Go along the rows: `axis=1`.")
def _along_columns(probabilities):
    return probabilities.max(axis=0)


@confidence.mistake("You return one number for all flowers. There should be one for each row: `axis=1`.")
def _one_for_all(probabilities):
    return probabilities.max()


@confidence.mistake("That is the doubt: 1 minus the confidence.")
def _doubt(probabilities):
    return 1 - probabilities.max(axis=1)


@confidence.mistake("The average of three probabilities that add up to 1 is always one third. Take the largest.")
def _average(probabilities):
    return probabilities.mean(axis=1)


# --- tipping_point --------------------------------------------------------------------------------------------------

tipping_point = chapter.retire(
    Reading(
        "tipping_point",
        points=1,
        minutes=2,
        section="Where the model changes its mind",
        unit="a petal length in cm",
        oracle=data.tipping_point,
        tolerance=0.15,
        misreadings={
            "other_border": (
                lambda: data.tipping_point("setosa", "virginica"),
                "That is where the setosa and virginica lines cross, both far below versicolor. Look for versicolor "
                "and virginica.",
            ),
            "the_height": (
                lambda: 0.5,
                "That is the height of the crossing, a probability. The petal length is on the horizontal axis.",
            ),
            "the_end": (lambda: 7.0, "That is the right end of the figure, not the crossing."),
        },
        hints=[
            "Find the point where the versicolor line (triangles) and the virginica line (squares) cross.",
            "From there go straight down to the horizontal axis.",
            "It is near 5 cm. Which side of it?",
        ],
        means="At that length the confidence is lowest: the model is of two minds.",
        why="Where the two lines cross, both species are equally probable, and the answer tips from one to the other.",
    )
)

sunflower_confidence = chapter.add(
    Prediction(
        "sunflower_confidence",
        question="How sure is the logistic regression of its answer to a sunflower?",
        between=(0, 1),
        section="A flower that is no iris",
    )
)

too_sure_at = chapter.add(
    Dial(
        "too_sure_at",
        points=2,
        minutes=3,
        section="Is it right as often as it is sure?",
        unit="a value of C, from 0.01 to 10000",
        between=(0.01, 10_000),
        measure=data.surer_than_right,
        turns=lambda found: found > 0.005,
        says="At C = {setting:g}, over 20 draws, its confidence minus its share of right answers is {found:+.3f}.",
        right=(100, 300, 1000),
        stays=(0.1, 1, 10),
        hints=[
            "The larger C, the closer the model may fit its members, and the surer it becomes.",
            "From 1 go up, in large steps: each ten times the one before.",
            "At 10 it is still a little too modest. The next step does it.",
        ],
        means="Whether this model is modest or too sure is a setting of ours, not a fact about logistic regression.",
        why="C allows larger class scores, and larger class scores make larger confidences; from C = 1 on the share of "
        "right answers hardly moves.",
    )
)

what_confidence_means = chapter.retire(
    Choice(
        "what_confidence_means",
        points=1,
        minutes=3,
        section="What confidence is, and what it is not",
        options={
            "a": (
                "The answer is right in 99 cases out of 100.",
                "Only of a model that is well calibrated. With a large C the model of this notebook is surer than it "
                "is right.",
            ),
            "b": (
                "The flower was in the training set.",
                "The sunflower got a confidence of 1.00 and was in nobody's training set. Strangers get confident "
                "answers too.",
            ),
            "c": (
                "Among the labels that it knows, the model's own scores favour this one strongly.",
                "That is all. Whether the answer is right, or the question made sense, is not in the number.",
            ),
            "d": (
                "The flower looks very much like those that the model was trained on.",
                "The sunflower looks like none of them. For this model confidence grows with the distance from a "
                "border, and far out everything is far from a border.",
            ),
        },
        answer="c",
        hints=[
            "Which of the four statements survive the sunflower?",
            "Two of them are about the world, one about the training set, one about the model's own scores.",
            "Softmax knows nothing but the scores.",
        ],
    )
)
