"""Exercises of notebook 17, differential privacy."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import differential_privacy as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction

chapter = Chapter("17_differential_privacy")
recap = chapter.recap


# --- coin_epsilon ---------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=4,
    section="A coin that lies for you",
    cases=data.truths,
    oracle=data.epsilon_by_table,
    hints=[
        "How probable is a yes from somebody whose true answer is yes? And from somebody whose true answer is no?",
        "The coin gives a yes half of the time it is asked: `(1 - truth) / 2`. Those who tell the truth come on top.",
        "`np.log((truth + (1 - truth) / 2) / ((1 - truth) / 2))`.",
    ],
    means="That is the promise to one pupil: nobody can ever be more than e^epsilon times as sure of a yes or a no.",
    why="A true yes is answered yes with probability truth + (1 - truth) / 2, a true no with (1 - truth) / 2. For the "
    "answer no it is the same turned round, so this ratio is the largest there is. Its logarithm is epsilon.",
)
def coin_epsilon(truth):
    """The epsilon of answering truly with probability `truth`, and otherwise as a fair coin falls.

    truth: a number above 0 and below 1. Epsilon is the natural logarithm of the largest ratio between the probability
    of an answer (yes or no) when one thing is true and the probability of the same answer when the other is.
    """
    coin = (1 - truth) / 2
    return np.log((truth + coin) / coin)


@coin_epsilon.right
def _short(truth):
    return np.log((1 + truth) / (1 - truth))


@coin_epsilon.right
def _by_arctanh(truth):
    return 2 * np.arctanh(truth)


@coin_epsilon.mistake(
    "You take the one who throws the coin for a liar. The coin says the true thing half of the time: add "
    "`(1 - truth) / 2` to the truth, and let the coin's other half be the lie."
)
def _coin_always_lies(truth):
    return np.log(truth / (1 - truth))


@coin_epsilon.mistake("That is the ratio itself. Epsilon is its natural logarithm, so that budgets add up.")
def _without_the_logarithm(truth):
    return (1 + truth) / (1 - truth)


@coin_epsilon.mistake("Your logarithm has another base. Epsilon is the natural one, `np.log`.")
def _in_bits(truth):
    return np.log2((1 + truth) / (1 - truth))


@coin_epsilon.mistake("Your logarithm has the base ten. Epsilon is the natural one, `np.log`.")
def _in_tens(truth):
    return np.log10((1 + truth) / (1 - truth))


@coin_epsilon.mistake("You subtract the two probabilities. The promise is about their ratio.")
def _difference(truth):
    return (1 + truth) / 2 - (1 - truth) / 2


@coin_epsilon.mistake(
    "The ratio is upside down: yours is below one, so its logarithm is negative. Take the larger way."
)
def _upside_down(truth):
    return np.log((1 - truth) / (1 + truth))


@coin_epsilon.mistake(
    "You forget that those who tell the truth are joined by half of those who throw the coin: a true yes is answered "
    "yes with probability `truth + (1 - truth) / 2`."
)
def _truth_only(truth):
    return np.log(truth / ((1 - truth) / 2))


# --- clip_rows ------------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=5,
    section="Clip",
    cases=data.gradients,
    oracle=data.clipped_by_loops,
    real=data.a_crowd,
    hints=[
        "How long is each row? `np.linalg.norm(gradients, axis=1, keepdims=True)` keeps them as a column.",
        "A row too long by a factor f is divided by f, every other row by 1: `np.maximum(length / clip, 1)`.",
        "`gradients / np.maximum(np.linalg.norm(gradients, axis=1, keepdims=True) / clip, 1)`.",
    ],
    means="Whoever joins or leaves now moves the sum by no more than the clip, whatever their record holds.",
    why="Dividing a whole row by one number keeps its direction and shortens it. `np.maximum(…, 1)` leaves the short "
    "rows alone, and a row of zeros is divided by 1, not by 0.",
)
def clip_rows(gradients, clip):
    """Shorten every row that is longer than `clip` to that length; leave the others as they are. (n, d).

    gradients (n, d): what each record asks for. Length is Euclidean: the root of the sum of squares. A shortened row
    keeps its direction, and a row of zeros stays one.
    """
    length = np.linalg.norm(gradients, axis=1, keepdims=True)
    return gradients / np.maximum(length / clip, 1)


@clip_rows.right
def _by_a_loop(gradients, clip):
    rows = []
    for row in gradients:
        length = np.sqrt(np.sum(row**2))
        rows.append(row * clip / length if length > clip else row)
    return np.array(rows)


@clip_rows.right
def _by_where(gradients, clip):
    length = np.sqrt((gradients**2).sum(axis=1))
    factor = np.where(length > clip, clip / np.where(length > 0, length, 1), 1.0)
    return gradients * factor[:, None]


@clip_rows.mistake(
    "You limit every entry by itself. A row of many entries can still be long; and its direction changes. Limit the "
    "length of the row."
)
def _each_entry(gradients, clip):
    return np.clip(gradients, -clip, clip)


@clip_rows.mistake(
    "You lengthen short rows, too: leave those alone, rows of zeros included. A record that asks for little should get "
    "little."
)
def _all_to_the_clip(gradients, clip):
    length = np.linalg.norm(gradients, axis=1, keepdims=True)
    return gradients * clip / np.where(length > 0, length, 1)


@clip_rows.mistake(
    "You shorten all rows by the same factor. Then one huge record silences the rest: each row has a length of its own "
    "(`axis=1`)."
)
def _by_the_longest(gradients, clip):
    longest = np.linalg.norm(gradients, axis=1).max()
    return gradients / max(longest / clip, 1)


@clip_rows.mistake("You clip by the length of the whole table. Each row is a record: take the norm along `axis=1`.")
def _whole_table(gradients, clip):
    return gradients / max(np.linalg.norm(gradients) / clip, 1)


@clip_rows.mistake("Your length is the sum of absolute values. It should be the root of the sum of squares.")
def _taxicab(gradients, clip):
    return gradients / np.maximum(np.abs(gradients).sum(axis=1, keepdims=True) / clip, 1)


@clip_rows.mistake("You throw the long rows away. They are to be shortened, so that their direction still counts.")
def _thrown_away(gradients, clip):
    return np.where(np.linalg.norm(gradients, axis=1, keepdims=True) > clip, 0.0, gradients)


@clip_rows.mistake(
    "Your lengths stand in a row, one for each record, and NumPy sets them against the columns. Keep them as a column: "
    "`np.linalg.norm(gradients, axis=1, keepdims=True)`, or `length[:, None]`."
)
def _without_keepdims(gradients, clip):
    return gradients / np.maximum(np.linalg.norm(gradients, axis=1) / clip, 1)


@clip_rows.mistake("You divide by the squared length. Take its root: `np.linalg.norm` does.")
def _squared(gradients, clip):
    return gradients / np.maximum((gradients**2).sum(axis=1, keepdims=True) / clip, 1)


# --- private_or_careful ---------------------------------------------------------------------------------------------

private_or_careful = chapter.add(
    Prediction(
        "private_or_careful",
        question="A fifth of the labels are wrong. The accuracy of the net with epsilon 4, against that of the careful "
        "net?",
        options=["lower", "about the same", "higher"],
        section="What it costs",
        hints="Both stop after 100 epochs, so neither has time to learn many wrong labels by heart. What else has the "
        "one, and what the other?",
    )
)


# --- what_it_promises -----------------------------------------------------------------------------------------------

what_it_promises = chapter.add(
    Choice(
        "what_it_promises",
        points=2,
        minutes=2,
        section="What epsilon allows",
        options={
            "a": (
                "Nobody can be more than 1% sure that she was in the training set.",
                "Epsilon is no probability of being found out. How sure someone may become depends also on what they "
                "knew before.",
            ),
            "b": (
                "Nothing about her illness can be learnt from the model.",
                "What is true of patients like her is learnt with her record or without it, and may be used to guess "
                "about her. The promise is about the difference that her own record makes.",
            ),
            "c": (
                "Whatever may come of the training, her taking part makes it at most e times as probable.",
                "e is 2.7 and a bit. It holds for every outcome, for every attacker, and whatever they knew before: "
                "also for being accused of having been in the data.",
            ),
            "d": (
                "Her record is encrypted before the training reads it.",
                "The training reads her record as it is. What is limited is how far the result can depend on it.",
            ),
        },
        answer="c",
        hints=[
            "The promise compares two worlds that differ in one record. Which two?",
            "It limits a ratio of probabilities, not a probability.",
            "e to the power of epsilon, with epsilon 1.",
        ],
    )
)


# --- no longer asked ----------------------------------------------------------------------------------------------

private_noisy = chapter.retire(
    Prediction(
        "private_noisy",
        question="A fifth of the labels are wrong. The accuracy of the net with epsilon 4, against the ordinary net?",
        options=["lower", "about the same", "higher"],
        section="A private model that is better",
        hints="What does the ordinary net make of a wrong label, given 500 epochs? And what may a single flower do to "
        "a net whose training clips each request, and ends after 100?",
    )
)


# --- largest_tpr ----------------------------------------------------------------------------------------------------


@chapter.retired_function(
    points=3,
    minutes=8,
    section="What epsilon allows",
    cases=data.rates,
    oracle=data.bound_by_loops,
    hints=[
        "There are two limits, one for each kind of neighbour. The smaller one holds.",
        "The first is `np.exp(epsilon) * fpr + delta`, the second `1 - np.exp(-epsilon) * (1 - fpr - delta)`.",
        "Take `np.minimum` of the two, and `np.clip` of that to 0 and 1.",
    ],
    means="No attack on a model that keeps the promise lies above this line, known or yet to be found.",
    why="An accusation has the probability fpr without the record, so with it at most e^epsilon fpr + delta. And "
    "*no* accusation has the probability 1 - tpr with it, so without it, 1 - fpr, at most e^epsilon (1 - tpr) + delta. "
    "Solve for tpr.",
)
def largest_tpr(fpr, epsilon, delta):
    """The largest share of members that any attack can catch at each false-positive rate, (n,).

    fpr (n,): rates from 0 to 1. It is the smaller of e^epsilon × fpr + delta and 1 - e^(-epsilon) × (1 - fpr - delta),
    and never below 0 or above 1.
    """
    first = np.exp(epsilon) * fpr + delta
    second = 1 - np.exp(-epsilon) * (1 - fpr - delta)
    return np.clip(np.minimum(first, second), 0, 1)


@largest_tpr.right
def _by_the_package(fpr, epsilon, delta):
    from mialab.privacy import tpr_bound

    return tpr_bound(fpr, epsilon, delta)


@largest_tpr.right
def _by_where(fpr, epsilon, delta):
    first = np.e**epsilon * fpr + delta
    second = 1 - (1 - fpr - delta) / np.e**epsilon
    return np.maximum(0, np.minimum(1, np.where(first < second, first, second)))


@largest_tpr.mistake(
    "You use the first limit only, cut off at 1. The second, from the members that are missed, is lower for large fpr."
)
def _first_only(fpr, epsilon, delta):
    return np.clip(np.exp(epsilon) * fpr + delta, 0, 1)


@largest_tpr.mistake(
    "That is what the second limit alone would give. At small fpr the first, e^epsilon × fpr + delta, is lower."
)
def _second_only(fpr, epsilon, delta):
    return np.clip(1 - np.exp(-epsilon) * (1 - fpr - delta), 0, 1)


@largest_tpr.mistake("You take the larger of the two limits. Both hold, so the smaller one decides.")
def _the_larger(fpr, epsilon, delta):
    first = np.exp(epsilon) * fpr + delta
    return np.clip(np.maximum(first, 1 - np.exp(-epsilon) * (1 - fpr - delta)), 0, 1)


@largest_tpr.mistake("You leave delta out. It is added to the first limit, and taken from 1 - fpr in the second.")
def _without_delta(fpr, epsilon, delta):
    return largest_tpr.function(fpr, epsilon, 0.0)


@largest_tpr.mistake("You raise 2 to the power of epsilon. The promise is in powers of e: `np.exp(epsilon)`.")
def _powers_of_two(fpr, epsilon, delta):
    return largest_tpr.function(fpr, epsilon * np.log(2), delta)


@largest_tpr.mistake("You multiply by epsilon itself. The factor is e^epsilon, `np.exp(epsilon)`.")
def _times_epsilon(fpr, epsilon, delta):
    return np.clip(np.minimum(epsilon * fpr + delta, 1 - (1 - fpr - delta) / epsilon), 0, 1)


@largest_tpr.mistake("Your limit passes 1, and no share can. Cut it off with `np.clip(..., 0, 1)`.")
def _not_cut_off(fpr, epsilon, delta):
    return np.minimum(np.exp(epsilon) * fpr + delta, 1 - np.exp(-epsilon) * (1 - fpr - delta))


broken_promise = chapter.retire(
    Choice(
        "broken_promise",
        points=2,
        minutes=3,
        section="Audit the promise",
        options={
            "a": (
                "Nothing: an audit is only an estimate, and 2.3 may well be within the error of 1.",
                "The error is in it already. 2.3 is the lower end: with 95% confidence epsilon is no smaller.",
            ),
            "b": (
                "The code does not keep its promise: somewhere clip, noise or accounting is wrong.",
                "A lower bound above the claim refutes it, but for the 5% risk that was agreed. Look for the mistake. "
                "Had the bound been 0.4, that would agree with the claim, and prove nothing.",
            ),
            "c": (
                "Epsilon is 2.3.",
                "It is *at least* that. A better attacker, or more runs, might show more.",
            ),
            "d": (
                "Another attack might find a smaller bound, so the promise may still be kept.",
                "The promise holds against every attack. One that breaks it is enough, however many others fail.",
            ),
        },
        answer="b",
        hints=[
            "Is the 2.3 an estimate, or a limit?",
            "The promise says: no attacker can ever do better than epsilon 1 allows.",
            "One counterexample refutes a promise about all.",
        ],
    )
)
