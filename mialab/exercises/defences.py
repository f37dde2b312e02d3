"""Exercises of notebook 16, defences."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import defences as data
from mialab.exercises._cases.who_is_exposed import area_by_pairs
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Dial, Prediction

chapter = Chapter("16_defences")
recap = chapter.recap

best_defence = chapter.add(
    Prediction(
        "best_defence",
        question="A fifth of the labels are wrong. Which of these five takes most from the strongest attack?",
        options=["rounding", "top-1", "label only", "L2", "stop early"],
        section="Say less",
        hints="A strong attack compares the model's answer with what is usual for this record. What does each of the "
        "five do to that difference: does it hide it, or keep it from arising?",
    )
)


# --- top_k ----------------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=5,
    section="Say less",
    cases=data.answers,
    oracle=data.top_k_by_loops,
    hints=[
        "For each row: which places hold the k largest? `np.argsort` gives the order of the places.",
        "`order = np.argsort(-proba, axis=1, kind='stable')` puts the largest first, and of equal ones the first "
        "column. Keep the places in `order[:, :k]`.",
        "Start from `np.zeros_like(proba)` and copy, row by row, `proba[i, order[i, :k]]` into the same places.",
    ],
    means="The service now says less, and its most probable class stays the same.",
    why="A stable sort of the negated probabilities puts the largest first and leaves equal ones in their order. "
    "Nothing is scaled up to a sum of 1: what was let out is what the model said.",
)
def top_k(proba, k):
    """Keep the k largest probabilities of each row and set the others to 0; (n, n_classes).

    proba (n, n_classes). Of equal probabilities the one in the earlier column is kept. The kept ones stay as they are.
    """
    order = np.argsort(-proba, axis=1, kind="stable")[:, :k]
    kept = np.zeros_like(proba)
    np.put_along_axis(kept, order, np.take_along_axis(proba, order, axis=1), axis=1)
    return kept


@top_k.right
def _by_python_sort(proba, k):
    rows = []
    for row in proba.tolist():
        places = sorted(range(len(row)), key=lambda j: -row[j])[:k]
        rows.append([p if j in places else 0.0 for j, p in enumerate(row)])
    return np.array(rows)


@top_k.right
def _by_rank(proba, k):
    rank = np.argsort(np.argsort(-proba, axis=1, kind="stable"), axis=1)
    return np.where(rank < k, proba, 0)


@top_k.mistake("You scale the kept ones to a sum of 1. The exercise asks to leave them as the model said them.")
def _scaled_up(proba, k):
    kept = top_k.function(proba, k)
    return kept / kept.sum(axis=1, keepdims=True)


@top_k.mistake("You keep the k *smallest*. `np.argsort` puts the smallest first: sort the negative.")
def _the_smallest(proba, k):
    rank = np.argsort(np.argsort(proba, axis=1, kind="stable"), axis=1)
    return np.where(rank < k, proba, 0)


@top_k.mistake(
    "You keep every probability that equals the k-th largest, so that ties let more than k through. Of equal ones keep "
    "the earlier column."
)
def _ties_pass(proba, k):
    limit = -np.sort(-proba, axis=1)[:, k - 1 : k]
    return np.where(proba >= limit, proba, 0)


@top_k.mistake("You return the k largest by size, and nobody can tell any more which class each belongs to.")
def _sorted(proba, k):
    kept = np.zeros_like(proba)
    kept[:, :k] = -np.sort(-proba, axis=1)[:, :k]
    return kept


@top_k.mistake("You return ones in the places that are kept. The model's probabilities should stand there.")
def _ones(proba, k):
    return (np.argsort(np.argsort(-proba, axis=1, kind="stable"), axis=1) < k).astype(float)


@top_k.mistake(
    "Of equal probabilities you keep whichever the sort meets: plain `np.argsort` and `np.argpartition` do not keep "
    "their order. Sort the negative with `kind='stable'`."
)
def _by_argpartition(proba, k):
    kept = np.zeros_like(proba)
    places = np.argpartition(-proba, k - 1, axis=1)[:, :k]
    np.put_along_axis(kept, places, np.take_along_axis(proba, places, axis=1), axis=1)
    return kept


@top_k.mistake("Of equal probabilities you keep the later column. Sort the negative with `kind='stable'` instead.")
def _later_column(proba, k):
    return top_k.function(proba[:, ::-1], k)[:, ::-1]


a_defending_l2 = chapter.add(
    Dial(
        "a_defending_l2",
        points=2,
        minutes=2,
        section="Train with more care",
        unit="an l2, from 0 to 100",
        between=(0.0, 100.0),
        measure=data.what_l2_takes,
        turns=lambda found: found >= 0.05,
        says="With l2 = {setting:g}, over 3 draws, the penalty takes {found:.3f} from the AUC of the strongest "
        "attack on the digits. The net is right about {found.accuracy:.2f} of the strangers; without the penalty about "
        "{found.before:.2f}.",
        right=(50.0, 45.0, 70.0),
        stays=(0.1, 1.0, 10.0),
        hints=[
            "The penalty keeps weights small. How small must they be before a net can no longer tell its members?",
            "1 is too little, and so is 10.",
            "Go above 30, and read what the check says about accuracy.",
        ],
        means="On the digits the penalty defends once it is so strong that the net is no longer much good.",
        why="A moderate penalty makes the answers less extreme, and leaves in them what sets members apart. A crushing "
        "one takes that out, and much of what the net knew about digits with it.",
    )
)


# --- not_beaten -----------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=5,
    section="The price",
    cases=data.trades,
    oracle=data.frontier_by_loops,
    hints=[
        "Take one model. Is there another that is at least as accurate, leaks at most as much, and is better in one?",
        "For model i: `(accuracy >= accuracy[i]) & (leakage <= leakage[i])` are those no worse; are any of them "
        "better, `(accuracy > accuracy[i]) | (leakage < leakage[i])`?",
        "`not (no_worse & better).any()` says whether model i is on the frontier. Loop over i.",
    ],
    means="Choose among these. Any other model can be bettered without giving anything up.",
    why="One model beats another if it is no worse in both and better in one. A model does not beat itself, and two "
    "equal ones do not beat each other. Which one on the frontier to take is no question of arithmetic.",
)
def not_beaten(accuracy, leakage):
    """True for each model that no other one beats, (n,) bool.

    accuracy, leakage (n,): high accuracy and low leakage are good. A model beats another if its accuracy is at least as
    high and its leakage at most as low, and one of the two is strictly better. Equal models do not beat each other.
    """
    no_worse = (accuracy[:, None] >= accuracy) & (leakage[:, None] <= leakage)
    better = (accuracy[:, None] > accuracy) | (leakage[:, None] < leakage)
    return ~(no_worse & better).any(axis=0)


@not_beaten.right
def _by_a_loop(accuracy, leakage):
    kept = []
    for a, leak in zip(accuracy, leakage, strict=True):
        no_worse = (accuracy >= a) & (leakage <= leak)
        kept.append(not (no_worse & ((accuracy > a) | (leakage < leak))).any())
    return np.array(kept)


@not_beaten.right
def _by_the_package(accuracy, leakage):
    from mialab.defences import frontier

    return frontier(accuracy, leakage)


@not_beaten.mistake(
    "You ask for strictly better in both. One that is equal in accuracy and leaks less beats the other as well."
)
def _strict_in_both(accuracy, leakage):
    return ~((accuracy[:, None] > accuracy) & (leakage[:, None] < leakage)).any(axis=0)


@not_beaten.mistake(
    "You let equal models, or a model and itself, beat each other. One of the two must be strictly better."
)
def _twins_beat_each_other(accuracy, leakage):
    no_worse = (accuracy[:, None] >= accuracy) & (leakage[:, None] <= leakage)
    return no_worse.sum(axis=0) == 1


@not_beaten.mistake(
    "Nobody is left, for with `>=` and `<=` alone each model beats itself. To beat another a model must be strictly "
    "better in one of the two: add `(accuracy > …) | (leakage < …)`."
)
def _beaten_by_itself(accuracy, leakage):
    no_worse = (accuracy[:, None] >= accuracy) & (leakage[:, None] <= leakage)
    return ~no_worse.any(axis=0)


@not_beaten.mistake(
    "You keep what is best in one of the two. A model in between, best in neither, may still be unbeaten; and of two "
    "that share the best accuracy the leakier one is beaten."
)
def _best_in_one(accuracy, leakage):
    return (accuracy == accuracy.max()) | (leakage == leakage.min())


@not_beaten.mistake(
    "You keep the most accurate only. A model that leaks less and is less accurate is not beaten by it."
)
def _most_accurate(accuracy, leakage):
    return accuracy == accuracy.max()


@not_beaten.mistake("You keep what leaks least only. A model that is more accurate and leaks more is not beaten by it.")
def _least_leaky(accuracy, leakage):
    return leakage == leakage.min()


@not_beaten.mistake("You take high leakage for good. Turn its comparison round: less is better.")
def _more_leakage_is_better(accuracy, leakage):
    return not_beaten.function(accuracy, -leakage)


@not_beaten.mistake("The answer is turned round: True for the models that are beaten. Negate it.")
def _the_beaten(accuracy, leakage):
    return ~not_beaten.function(accuracy, leakage)


# --- no longer asked ----------------------------------------------------------------------------------------------

why_rounding = chapter.retire(
    Choice(
        "why_rounding",
        points=2,
        minutes=3,
        section="When rounding helps the attacker",
        options={
            "a": (
                "Rounding makes the model surer of its members than it was.",
                "Rounding changes members and strangers by the same rule, and does not know which is which.",
            ),
            "b": (
                "The attacker undoes the rounding by asking about the same record again and again.",
                "The same question gets the same rounded answer. Asking again tells nothing new.",
            ),
            "c": (
                "Rounded answers hold information that was not in the full ones.",
                "They hold less: whoever has the full answer can round it. An attacker who is free to choose cannot "
                "lose by getting more. But the plain attacker is not free: it ranks by the number, whatever it is.",
            ),
            "d": (
                "Near certainty the last digits rank records badly; rounded, these are ties and count half.",
                "The plain attack ranks by the number as it stands. Where many strangers are answered a hair surer "
                "than many members, that ranking is worse than a coin's. Rounding puts the coin in its place. The full "
                "answers still hold more, for an attack that uses them well.",
            ),
        },
        answer="d",
        hints=[
            "Does rounding ever tell more than the full answer? Then what has changed?",
            "The plain attack ranks all records by one number. What becomes of two records at 0.9991 and 0.9996?",
            "A tie counts half in the AUC. When is that better than what was there before?",
        ],
    )
)


# --- auc_of_right ---------------------------------------------------------------------------------------------------


@chapter.retired_function(
    points=2,
    minutes=6,
    section="Label only",
    cases=data.rights,
    oracle=area_by_pairs,
    hints=[
        "The score has two values only. Over all pairs of a member and a stranger, who ranks higher, and how often "
        "is there a tie?",
        "The member wins when the model is right about it and wrong about the stranger. Both right, or both wrong, is "
        "a tie and counts half.",
        "Written out, everything cancels but `0.5 + (right_in.mean() - right_out.mean()) / 2`.",
    ],
    means="Whoever publishes labels only still gives away half of the generalisation gap (Yeom et al. 2018).",
    why="Let a and b be the shares right among members and strangers. The member wins a(1 - b) of the pairs, and ties "
    "are ab + (1 - a)(1 - b). Winning plus half the ties is 1/2 + (a - b)/2.",
)
def auc_of_right(right_in, right_out):
    """The AUC of the attack that calls a record a member where the model is right about it, a number.

    right_in (m,), right_out (k,): True where the model was right about a member, about a stranger. Ties count half.
    """
    return 0.5 + (right_in.mean() - right_out.mean()) / 2


@auc_of_right.right
def _by_pairs(right_in, right_out):
    inside, outside = right_in.astype(int)[:, None], right_out.astype(int)
    return (inside > outside).mean() + (inside == outside).mean() / 2


@auc_of_right.right
def _by_the_measure(right_in, right_out):
    from mialab.metrics import auc

    return auc(
        np.concatenate([right_in, right_out]).astype(float),
        np.concatenate([np.ones(len(right_in), bool), np.zeros(len(right_out), bool)]),
    )


@auc_of_right.right
def _balanced_accuracy(right_in, right_out):
    return (right_in.mean() + (~right_out).mean()) / 2


@auc_of_right.mistake("That is the generalisation gap itself. Half of it, above one half, is the AUC.")
def _the_gap(right_in, right_out):
    return right_in.mean() - right_out.mean()


@auc_of_right.mistake("You leave the ties out: pairs in which the model is right, or wrong, about both count half.")
def _without_ties(right_in, right_out):
    return right_in.mean() * (1 - right_out.mean())


@auc_of_right.mistake("Members and strangers have changed places: yours is one minus the answer.")
def _swapped(right_in, right_out):
    return auc_of_right.function(right_out, right_in)


@auc_of_right.mistake(
    "You take the size of the gap and drop its sign. Where the model is right about strangers more often than about "
    "members, this attack does worse than a coin: less than one half."
)
def _without_the_sign(right_in, right_out):
    return 0.5 + abs(right_in.mean() - right_out.mean()) / 2


@auc_of_right.mistake(
    "You set the first member against the first stranger, and so on; but there are more of the one than of the other. "
    "The AUC is about all pairs: work with the two shares, `right_in.mean()` and `right_out.mean()`, or put the "
    "members in a column with `right_in[:, None]`."
)
def _one_against_one(right_in, right_out):
    return (right_in > right_out).mean() + (right_in == right_out).mean() / 2


@auc_of_right.mistake("You add the whole gap to one half. Written out over the pairs, half of it remains.")
def _whole_gap(right_in, right_out):
    return 0.5 + right_in.mean() - right_out.mean()


@auc_of_right.mistake("You count ties as won. A coin would win half of them.")
def _ties_won(right_in, right_out):
    return 1 - right_out.mean() * (1 - right_in.mean())


@auc_of_right.mistake(
    "That is the share of all records that the attack gets right. It depends on how many members there are; the AUC "
    "takes each group by itself."
)
def _plain_accuracy(right_in, right_out):
    return (right_in.sum() + (~right_out).sum()) / (len(right_in) + len(right_out))


survivor = chapter.retire(
    Choice(
        "survivor",
        points=2,
        minutes=3,
        section="Label only",
        options={
            "a": (
                "The one who makes small changes and counts how often the label stays.",
                "Members tend to lie further from the border, for training pushed it away from them. How often the "
                "label survives a small change measures that distance, through labels alone.",
            ),
            "b": (
                "The one who asks about the very same record many times.",
                "The model gives the same label each time. Repeating a question to a model without chance tells "
                "nothing new.",
            ),
            "c": (
                "The one who reads off the second most probable class.",
                "It is not in the answer: only the label is.",
            ),
            "d": (
                "None. Two answers, right or wrong, is all that can be learnt about a record.",
                "About *that question*. But the attacker may ask other questions near it.",
            ),
        },
        answer="a",
        hints=[
            "The attacker chooses the questions. Must they ask about exactly this record?",
            "Which records lie far from the border between two species, and why?",
            "How could you measure the distance to the border if all you get are labels?",
        ],
    )
)
