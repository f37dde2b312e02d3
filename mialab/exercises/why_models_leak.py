"""Exercises of notebook 14, why some models leak."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import why_models_leak as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Dial, Prediction
from mialab.metrics import mean_interval

chapter = Chapter("14_why_some_models_leak")
recap = chapter.recap

deeper = chapter.add(
    Prediction(
        "deeper",
        question="A tree on the sepals may grow deeper and deeper. What happens to the AUC of the attack?",
        options=["rises", "falls", "stays"],
        section="A deeper tree",
    )
)

# --- effect ---------------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=5,
    section="A deeper tree",
    cases=data.two_settings,
    oracle=data.effect_by_hand,
    real=data.many_draws_at_two_settings,
    hints=[
        "Draw 0 of the one setting and draw 0 of the other belong together: begin with their differences.",
        "`more - less` has one difference for each draw. `mean_interval` (notebook 02) takes such an array.",
        "`mean_interval(more - less)` holds mean, low, high, and the number of draws. Return the first three: `[:3]`.",
    ],
    means="An effect with its interval. The same function now judges every lab.",
    why="A draw that leaks much at one setting tends to leak much at the other, too. In the differences, draw by draw, "
    "what both share falls out; what is left is what the setting did.",
)
def effect(more, less):
    """Mean, low and high (its 95% interval, by `mean_interval`) of more minus less, draw by draw: an array of three.

    more, less (n,): the AUC of draw 0, 1, 2, … at two settings; the same draws in the same order.
    """
    from mialab.metrics import mean_interval

    return np.array(mean_interval(more - less)[:3])


@effect.right
def _collected_one_by_one(more, less):
    differences = []
    for high, low in zip(more, less, strict=True):
        differences.append(high - low)
    found = mean_interval(differences)
    return [found.mean, found.low, found.high]


@effect.right
def _by_the_t_distribution(more, less):
    from scipy.stats import t

    d, n = np.asarray(more) - np.asarray(less), len(more)
    half = t.ppf(0.975, n - 1) * d.std(ddof=1) / n**0.5
    return d.mean(), d.mean() - half, d.mean() + half


@effect.mistake("The effect has the wrong sign: it is `more` minus `less`.")
def _turned_round(more, less):
    return np.array(mean_interval(less - more)[:3])


@effect.mistake(
    "You subtract one interval from the other, end from end. An interval of a difference is made of the differences: "
    "subtract first, draw by draw."
)
def _interval_minus_interval(more, less):
    return np.subtract(mean_interval(more)[:3], mean_interval(less)[:3])


@effect.mistake(
    "You take the two groups as if their draws had nothing to do with each other. They are the same draws: subtract "
    "first, draw by draw, and the interval is that of the differences."
)
def _ends_crossed(more, less):
    a, b = mean_interval(more), mean_interval(less)
    return np.array([a.mean - b.mean, a.low - b.high, a.high - b.low])


@effect.mistake(
    "You pair every draw of the one setting with every draw of the other. Draw 0 belongs to draw 0: `more - less`."
)
def _all_pairs(more, less):
    return np.array(mean_interval(np.subtract.outer(more, less).ravel())[:3])


@effect.mistake("You drop the sign of each difference. A draw in which the leak fell must count as one that fell.")
def _without_signs(more, less):
    return np.array(mean_interval(np.abs(more - less))[:3])


@effect.mistake(
    "You return the smallest and the largest difference. The interval says how far the *mean* may be off: use "
    "`mean_interval`."
)
def _from_least_to_most(more, less):
    d = np.asarray(more) - np.asarray(less)
    return np.array([d.mean(), d.min(), d.max()])


@effect.mistake(
    "You take 1.96 standard errors to either side. With few draws that is too little, for their spread is hardly known "
    "either: use `mean_interval`."
)
def _as_if_of_many(more, less):
    d = np.asarray(more) - np.asarray(less)
    half = 1.96 * d.std(ddof=1) / len(d) ** 0.5
    return np.array([d.mean(), d.mean() - half, d.mean() + half])


@effect.mistake("You took 1.96, and `std` as it is; `mean_interval` allows for few draws.")
def _as_if_of_many_and_as_it_is(more, less):
    d = np.asarray(more) - np.asarray(less)
    half = 1.96 * d.std() / len(d) ** 0.5
    return np.array([d.mean(), d.mean() - half, d.mean() + half])


@effect.mistake("That is the ratio less 1. An effect, here, is a difference of two AUCs.")
def _as_a_ratio(more, less):
    return np.array(mean_interval(more / less - 1)[:3])


same_gap = chapter.add(
    Prediction(
        "same_gap",
        question="Look-up model and grown tree have about the same gap. Which gives more away?",
        options=["the look-up model", "the tree", "about the same"],
        section="Models of a kind",
    )
)

what_follows = chapter.add(
    Choice(
        "what_follows",
        points=2,
        minutes=2,
        section="Does the gap tell?",
        options={
            "a": (
                "Overfitting is what leaks: whoever knows any classifier's train-to-test gap thereby knows its "
                "leakage.",
                "Look up the look-up model: on four measurements its gap is a tree's, and its AUC is far higher. On "
                "the sepals its gap is the smaller, and its AUC still higher.",
            ),
            "b": (
                "Overfitting has nothing to do with the leak: look-up and tree refute it.",
                "They refute that it is the *only* cause. Within one kind of model each of our three dials moved gap "
                "and leak together on the sepals.",
            ),
            "c": (
                "Turn overfitting up in one model, and the leak grows; across kinds of model the gap may mislead.",
                "That is what was measured, on these flowers and by these two attacks.",
            ),
            "d": (
                "A model with a small gap is safe: the vote of 15 neighbours shows it.",
                "One attack finds next to nothing there, on average. RMIA finds a little even so, and an average "
                "speaks of no single flower.",
            ),
        },
        answer="c",
        hints=[
            "Read the table twice: once down a dial of one model, once across the kinds of model.",
            "Does a row with a larger gap always have a larger AUC?",
            "One option speaks of one model at a time and of several, and says different things of the two.",
        ],
    )
)


# --- enough_to_memorise ---------------------------------------------------------------------------------------------

enough_to_memorise = chapter.add(
    Dial(
        "enough_to_memorise",
        points=2,
        minutes=2,
        section="Something to learn by heart",
        unit="a share of wrong labels, from 0 to 0.3",
        between=(0.0, 0.3),
        measure=data.what_long_training_adds,
        turns=lambda found: found >= 0.05,
        says="With a share of {setting:g} of wrong labels, over 6 draws, 500 rounds in place of 5 add {found:.3f} to "
        "the AUC of the recorded label.",
        right=(0.2, 0.15, 0.3),
        stays=(0.0, 0.02),
        hints=[
            "Longer training adds a leak only where there is something that takes long to learn.",
            "What takes a net longest: the petals, or a label that contradicts them?",
            "One wrong label in fifty is not enough. Try one in five.",
        ],
        means="“Hardly helped” was a sentence about clean labels.",
        why="On clean labels and four measurements hardly a flower has to be learnt by heart, so further rounds have "
        "little to remember. Wrong labels can be learnt in no other way.",
    )
)


# Assignments that are out ask for these under this notebook's name; they are asked in 15 now, or no longer.
from mialab.exercises.article_on_trial import (  # noqa: E402, F401
    first_of_each,
    for_or_against,
    judge,
    more_classes,
    why_noise,
)
