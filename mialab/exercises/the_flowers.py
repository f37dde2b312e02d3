"""Exercises of notebook 01, the flowers."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import the_flowers as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction, Reading

chapter = Chapter("01_the_flowers")
recap = chapter.recap

shortest_virginica = chapter.add(
    Reading(
        "shortest_virginica",
        points=1,
        minutes=2,
        section="A picture of the garden",
        unit="a length in cm",
        oracle=lambda: data.measurement("virginica", "petal length", np.min),
        tolerance=0.12,
        misreadings={
            "in_mm": (
                lambda: 10 * data.measurement("virginica", "petal length", np.min),
                "Is that in mm? Give the length in cm.",
            ),
            "other_axis": (
                lambda: data.measurement("virginica", "petal width", np.min),
                "That is a petal width. The length is on the horizontal axis.",
            ),
            "longest": (
                lambda: data.measurement("virginica", "petal length", np.max),
                "That is the virginica with the longest petals. Look for the one furthest to the left.",
            ),
            "wrong_species": (
                lambda: data.measurement("versicolor", "petal length", np.min),
                "That is the shortest versicolor (the triangles). Virginica are the squares.",
            ),
        },
        hints=[
            "Virginica are the squares. Which square is furthest to the left?",
            "Go straight down from that square to the horizontal axis.",
            "It lies half-way between 4 and 5 cm, in the middle of the versicolor.",
        ],
        means="This virginica sits among the versicolor. A model that gets it right may have had to remember it.",
        why="The square furthest to the left gives the petal length on the horizontal axis.",
    )
)


# --- nearest_flower -------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=6,
    section="Neighbours",
    cases=data.gardens,
    oracle=data.nearest_by_loop,
    real=data.all_flowers,
    hints=[
        "First a distance from flower `i` to every flower; then the row number of the smallest, but not `i` itself.",
        "`np.linalg.norm(X - X[i], axis=1)` holds all the distances. The distance of a flower to itself is 0: put "
        "`np.inf` there.",
        "`distance = np.linalg.norm(X - X[i], axis=1)`, then `distance[i] = np.inf`, then return `distance.argmin()`.",
    ],
    means="A flower whose nearest neighbour is of another species is hard to label; a model may get it right "
    "only by remembering it.",
    why="The distance is the length of the difference of two rows. The flower itself, at distance nought, has "
    "to be taken out.",
)
def nearest_flower(X, i):
    """Row number of the flower that is nearest to flower i (not i itself), by straight-line distance."""
    distance = np.linalg.norm(X - X[i], axis=1)
    distance[i] = np.inf
    return distance.argmin()


@nearest_flower.right
def _loop(X, i):
    return data.nearest_by_loop(X, i)


@nearest_flower.right
def _squared_distances(X, i):
    others = np.delete(np.arange(len(X)), i)
    return int(others[((X[others] - X[i]) ** 2).sum(axis=1).argmin()])


@nearest_flower.mistake("You find flower `i` itself, at distance nought. Its nearest neighbour must be another flower.")
def _itself(X, i):
    return i


@nearest_flower.mistake(
    "You find flower `i` itself, at distance nought. Put its own distance out of reach first: `distance[i] = np.inf`."
)
def _smallest_of_all(X, i):
    return np.linalg.norm(X - X[i], axis=1).argmin()


@nearest_flower.mistake(
    "That is row 0 whatever the flowers are. Is `axis=1` missing? Without it `np.linalg.norm` gives one number for the "
    "whole table. Ask for one distance a row: `axis=1`."
)
def _norm_of_the_whole_table(X, i):
    return np.linalg.norm(X - X[i]).argmin()


@nearest_flower.mistake(
    "You put every flower at distance nought out of reach. Another flower may be identical to flower `i`: put only "
    "`distance[i]` out of reach."
)
def _no_twins(X, i):
    distance = np.linalg.norm(X - X[i], axis=1)
    distance[distance == 0] = np.inf
    return distance.argmin()


@nearest_flower.mistake(
    "The second smallest distance is nearly right. But where two flowers are identical, flower `i` itself may come "
    "second. Put its own distance out of reach instead: `distance[i] = np.inf`."
)
def _second_smallest(X, i):
    return np.linalg.norm(X - X[i], axis=1).argsort(kind="stable")[1]


@nearest_flower.mistake(
    "You look for the row at the second smallest distance. Where flower `i` has an identical twin that distance is "
    "nought too, and the first row at distance nought may be flower `i` itself. Put its own distance out of reach: "
    "`distance[i] = np.inf`."
)
def _first_at_the_second_smallest(X, i):
    distance = np.linalg.norm(X - X[i], axis=1).tolist()
    return distance.index(sorted(distance)[1])


@nearest_flower.mistake(
    "You add up the absolute differences. The straight-line distance squares them, adds, and takes the root."
)
def _city_blocks(X, i):
    distance = np.abs(X - X[i]).sum(axis=1).astype(float)
    distance[i] = np.inf
    return distance.argmin()


@nearest_flower.mistake(
    "You return the distance. Return the row number of the flower at that distance: `argmin` instead of `min`."
)
def _the_distance(X, i):
    distance = np.linalg.norm(X - X[i], axis=1)
    return np.delete(distance, i).min()


@nearest_flower.mistake("That is the flower furthest away. Look for the smallest distance.")
def _furthest(X, i):
    return np.linalg.norm(X - X[i], axis=1).argmax()


@nearest_flower.mistake("You compare one measurement only. Two flowers are near when all their measurements are.")
def _first_measurement(X, i):
    distance = np.abs(X[:, 0] - X[i, 0])
    distance[i] = np.inf
    return distance.argmin()


@nearest_flower.mistake(
    "You took flower `i` out of the list, and the rows after it moved up by one: your row number counts in the "
    "shorter list."
)
def _shifted(X, i):
    return np.linalg.norm(np.delete(X, i, axis=0) - X[i], axis=1).argmin()


# --- membership_mask ------------------------------------------------------------------------------------------------


@chapter.function(
    points=1,
    minutes=4,
    section="Members and strangers",
    cases=data.member_rows,
    oracle=lambda member_rows, n: np.array([row in set(member_rows.tolist()) for row in range(n)]),
    real=data.half_of_the_flowers,
    hints=[
        "One answer for each of the n records, in order: record 0, record 1, …",
        "Start with `np.zeros(n, dtype=bool)`, which is n times False.",
        "An array can be indexed by an array of row numbers: `mask[member_rows] = True`.",
    ],
    means="This array, True for members, is the attacker's whole question, and `parts.is_member` in the "
    "notebooks to come.",
    why="Start with nobody, then mark the members. A mask lines up with the records, so it can select them: `X[mask]`.",
)
def membership_mask(member_rows, n):
    """An array of n values, True at the rows that are members and False at the others."""
    mask = np.zeros(n, dtype=bool)
    mask[member_rows] = True
    return mask


@membership_mask.right
def _by_isin(member_rows, n):
    return np.isin(np.arange(n), member_rows)


@membership_mask.right
def _a_list(member_rows, n):
    return [row in member_rows for row in range(n)]


@membership_mask.mistake("Members and strangers are swapped: True should mark the members.")
def _inverted(member_rows, n):
    return ~np.isin(np.arange(n), member_rows)


@membership_mask.mistake(
    "You return one value for each member. There should be one for each of the n records, strangers included."
)
def _members_only(member_rows, n):
    return np.ones(len(member_rows), dtype=bool)


@membership_mask.mistake(
    "Your array holds 0 and 1. It must hold True and False, or `X[mask]` picks the wrong rows: start from "
    "`np.zeros(n, dtype=bool)`."
)
def _zeros_and_ones(member_rows, n):
    mask = np.zeros(n)
    mask[member_rows] = 1
    return mask


@membership_mask.mistake(
    "Your rows are counted from 1. In Python the first record is row 0, so everything is off by one."
)
def _counted_from_one(member_rows, n):
    return np.isin(np.arange(1, n + 1), member_rows)


@membership_mask.mistake(
    "You mark the first rows as members. Members are drawn at random: use the row numbers in `member_rows`."
)
def _first_rows(member_rows, n):
    return np.arange(n) < len(member_rows)


# --- guesses and choices --------------------------------------------------------------------------------------------

twins_apart = chapter.add(
    Prediction(
        "twins_apart",
        question="In what share of random draws is one twin a member and the other a stranger?",
        between=(0, 1),
        section="Two identical flowers",
    )
)

what_makes_a_member = chapter.retire(
    Choice(
        "what_makes_a_member",
        points=1,
        minutes=2,
        section="Members and strangers",
        options={
            "a": (
                "its measurements: members have more typical petals",
                "The draw did not look at the petals. Over many draws the averages of both groups agree, as you saw.",
            ),
            "b": (
                "its species: virginica are members more often",
                "The draw takes 25 of each species, so membership says nothing about the species.",
            ),
            "c": (
                "the draw alone: it was picked for training, others like it were not",
                "Membership is a fact about the training list, not about the flower. What could betray it is only "
                "what the model did with the flower.",
            ),
            "d": (
                "the model's certainty: members are flowers that the model is sure about",
                "That is the attacker's suspicion, and sometimes right. But a flower is a member before the model "
                "says anything, and a stranger can get a confident answer too.",
            ),
        },
        answer="c",
        hints=[
            "How did `split` choose the members?",
            "Look at the two identical twins: same measurements, same species. Can one be a member and the other not?",
            "If twins can differ, nothing that can be measured on the flower decides.",
        ],
    )
)
