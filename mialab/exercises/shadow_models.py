"""Exercises of notebook 09, shadow models."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import shadow_models as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction

chapter = Chapter("09_shadow_models")
recap = chapter.recap

what_a_shadow_knows = chapter.retire(
    Choice(
        "what_a_shadow_knows",
        points=1,
        minutes=3,
        section="One shadow by hand",
        options={
            "a": (
                "Its weights are the same as the target's.",
                "A shadow is trained on other records, so its weights come out different. It imitates what the target "
                "does, not what the target is.",
            ),
            "b": (
                "Who was in its training set.",
                "The attacker chose them. For a shadow the question of the whole attack has a known answer, record by "
                "record, and where answers are known one can learn.",
            ),
            "c": (
                "Which records the target was trained on.",
                "That is what the attacker wants to find out. The shadow stands in for the target because nobody "
                "outside knows it.",
            ),
            "d": (
                "The probabilities with which it answers.",
                "The target gives those to anyone who asks: that is what a prediction service is for. The shadow adds "
                "something that the target keeps to itself.",
            ),
        },
        answer="b",
        hints=[
            "Who trained the shadow, and on what?",
            "Which column of the attacker's notes would be empty for the target, and is full for the shadow?",
            "The attacker drew the shadow's training records from the pool. So they know …",
        ],
    )
)


# --- pair_of_shadows ------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=5,
    section="A pair, then hundreds",
    cases=data.orders,
    oracle=data.pair_by_hand,
    hints=[
        "`order[:n_members]` are the records that train the first shadow. Which ones train the second?",
        "Start from `np.zeros((2, len(order)), dtype=bool)`, all False, and set True where a record is a member.",
        "`in_mask[0, order[:n_members]] = True` makes the first row. The second row takes `order[-n_members:]`.",
    ],
    means="Two shadows from one shuffle, with as few members in common as can be: they repeat each other "
    "as little as possible.",
    why="`order` holds records, in a random order. Its first and last entries are the members, and indexing with them "
    "sets True at those records. With half of the pool each, every record trains one of the two.",
)
def pair_of_shadows(order, n_members):
    """Members of two shadows, (2, n) bool: one has the first n_members records of `order`, the other has the last."""
    in_mask = np.zeros((2, len(order)), dtype=bool)
    in_mask[0, order[:n_members]] = True
    in_mask[1, order[-n_members:]] = True
    return in_mask


@pair_of_shadows.right
def _by_isin(order, n_members):
    everyone = np.arange(len(order))
    return np.stack([np.isin(everyone, order[:n_members]), np.isin(everyone, order[len(order) - n_members :])])


@pair_of_shadows.right
def _by_places(order, n_members):
    place = np.argsort(order)  # where each record stands in the order
    return np.array([place < n_members, place >= len(order) - n_members])


@pair_of_shadows.mistake(
    "You never use `order`: the members are the first and the last records of the pool. On flowers sorted by species "
    "each shadow would know two species at most. Index with `order[:n_members]`."
)
def _without_the_order(order, n_members):
    in_mask = np.zeros((2, len(order)), dtype=bool)
    in_mask[0, :n_members] = True
    in_mask[1, -n_members:] = True
    return in_mask


@pair_of_shadows.mistake(
    "`order < n_members` asks which places hold a small record number. What you want is the reverse: the records that "
    "stand in the first places, `order[:n_members]`."
)
def _places_for_records(order, n_members):
    return np.stack([order < n_members, order >= len(order) - n_members])


@pair_of_shadows.mistake(
    "Your second shadow takes all the records that the first left over. That is right for half of the pool only: take "
    "the last `n_members` of the order, whatever their number."
)
def _the_rest(order, n_members):
    first = np.isin(np.arange(len(order)), order[:n_members])
    return np.stack([first, ~first])


@pair_of_shadows.mistake(
    "Your second shadow takes the next `n_members` of the order, not the last. The two agree only where n_members is "
    "half of the pool: use `order[-n_members:]`."
)
def _the_next(order, n_members):
    in_mask = np.zeros((2, len(order)), dtype=bool)
    in_mask[0, order[:n_members]] = True
    in_mask[1, order[n_members : 2 * n_members]] = True
    return in_mask


@pair_of_shadows.mistake(
    "Both your shadows have the same members. They would teach the attacker the same thing twice: the second takes the "
    "other end of the order."
)
def _both_the_same(order, n_members):
    first = np.isin(np.arange(len(order)), order[:n_members])
    return np.stack([first, first])


@pair_of_shadows.mistake(
    "The two shadows are in the wrong order: the first row should be the front of `order`, the second its end."
)
def _rows_swapped(order, n_members):
    return _by_places(order, n_members)[::-1]


@pair_of_shadows.mistake(
    "You return the numbers of the members. Return one True or False for each record of the pool, so that the two "
    "shadows can be compared record by record."
)
def _record_numbers(order, n_members):
    return np.stack([order[:n_members], order[-n_members:]])


@pair_of_shadows.mistake(
    "Your second shadow misses the very last record of the order: a slice ends before its end. `order[-n_members:]` "
    "goes on to the last."
)
def _without_the_last(order, n_members):
    in_mask = np.zeros((2, len(order)), dtype=bool)
    in_mask[0, order[:n_members]] = True
    in_mask[1, order[-n_members:-1]] = True
    return in_mask


# --- in_out_gap -----------------------------------------------------------------------------------------------------


@chapter.retired_function(
    points=2,
    minutes=5,
    section="What one flower does",
    cases=data.sure_shadows,
    oracle=data.gap_by_loops,
    hints=[
        "You need column i of both tables: how sure each shadow is of record i, and whether it trained that shadow.",
        "`sure[:, i]` has one value for each shadow; `in_mask[:, i]` says which shadows had the record as a member.",
        "`sure[in_mask[:, i], i].mean()` is the mean with the record in. `~` turns the mask round, for the rest.",
    ],
    means="This is what one flower does to the models that train on it: little for some flowers, much for others.",
    why="The shadows differ in many members at once, but over many of them all else averages out, and what is left is "
    "the difference that record i makes.",
)
def in_out_gap(sure, in_mask, i):
    """Mean of sure (K, n) for record i over the shadows that had it as a member, minus the mean over the others."""
    member = in_mask[:, i]
    return sure[member, i].mean() - sure[~member, i].mean()


@in_out_gap.right
def _by_weights(sure, in_mask, i):
    return np.average(sure[:, i], weights=in_mask[:, i]) - np.average(sure[:, i], weights=~in_mask[:, i])


@in_out_gap.right
def _all_records_first(sure, in_mask, i):
    with_it, without = np.where(in_mask, sure, np.nan), np.where(in_mask, np.nan, sure)
    return (np.nanmean(with_it, axis=0) - np.nanmean(without, axis=0))[i]


@in_out_gap.mistake("The difference is the wrong way round: the mean with the record in, minus the mean without it.")
def _the_wrong_way_round(sure, in_mask, i):
    return -in_out_gap.function(sure, in_mask, i)


@in_out_gap.mistake(
    "You drop the sign. A shadow can be less sure of a record that it trained on, by chance or by a mislabelled twin: "
    "leave `abs` out."
)
def _without_sign(sure, in_mask, i):
    return abs(in_out_gap.function(sure, in_mask, i))


@in_out_gap.mistake(
    "You take row i, which is shadow number i and all its records. Record i is a column: `sure[:, i]`, one value for "
    "each shadow."
)
def _row_for_column(sure, in_mask, i):
    return sure[i][in_mask[i]].mean() - sure[i][~in_mask[i]].mean()


@in_out_gap.mistake(
    "Your mask is row i of `in_mask`: all the records of shadow number i. To pick shadows for record i you need "
    "column i: `in_mask[:, i]`."
)
def _mask_by_row(sure, in_mask, i):
    return sure[in_mask[i], i].mean() - sure[~in_mask[i], i].mean()


@in_out_gap.mistake(
    "You average over all the records at once. That is the gap of the whole garden, the same for every i: take column "
    "i of `sure` and of `in_mask`."
)
def _all_records(sure, in_mask, i):
    return sure[in_mask].mean() - sure[~in_mask].mean()


@in_out_gap.mistake(
    "You pick the right shadows, but then average how sure they are of every record. Only record i counts: "
    "`sure[in_mask[:, i], i]`."
)
def _right_shadows_all_records(sure, in_mask, i):
    return sure[in_mask[:, i]].mean() - sure[~in_mask[:, i]].mean()


@in_out_gap.mistake(
    "You divide both sums by the number of all shadows. Divide each by the number of shadows in its own group: "
    "`.mean()` of the selected values does that."
)
def _divided_by_all(sure, in_mask, i):
    member = in_mask[:, i]
    return (sure[member, i].sum() - sure[~member, i].sum()) / len(sure)


@in_out_gap.mistake(
    "You add up instead of averaging. Where more shadows had the record than not, the sum is larger for that alone."
)
def _sums(sure, in_mask, i):
    member = in_mask[:, i]
    return sure[member, i].sum() - sure[~member, i].sum()


@in_out_gap.mistake(
    "You take the middle value of each group, the median. A record that only a few shadows remember hardly moves it: "
    "take the mean."
)
def _medians(sure, in_mask, i):
    member = in_mask[:, i]
    return np.median(sure[member, i]) - np.median(sure[~member, i])


@in_out_gap.mistake(
    "You compare with the mean over all the shadows, and those that trained on the record are among them. Compare with "
    "the others only: `~in_mask[:, i]`."
)
def _against_everyone(sure, in_mask, i):
    return sure[in_mask[:, i], i].mean() - sure[:, i].mean()


# --- fidelity -------------------------------------------------------------------------------------------------------


def _answers(model, X):
    """The label of the most probable class for each record, for the wrong answers that get this far."""
    return model.classes_[model.predict_proba(X).argmax(axis=1)]


@chapter.function(
    points=3,
    minutes=6,
    section="How faithful are they?",
    cases=data.target_and_shadow,
    oracle=data.fidelity_by_loops,
    hints=[
        "Two steps: which label does each model answer for each record? And for what share are the two equal?",
        "`model.predict_proba(X).argmax(axis=1)` gives numbers of columns. `model.classes_[…]` makes labels of them.",
        "Compare `target.classes_[target.predict_proba(X).argmax(axis=1)]` with the same for `shadow`, and take the "
        "mean.",
    ],
    means="That is how often you could not tell the copy from the original by its answer. The attack needs more: a "
    "copy that also treats its own members as the target treats its members.",
    why="The columns of an answer stand in the order of that model's own `classes_`. A shadow that never saw a species "
    "has a column less, and column 1 of one model need not be column 1 of the other; labels mean the same in both.",
)
def fidelity(target, shadow, X):
    """Share of the records X for which both models answer with the same label, that of their most probable class."""
    original = target.classes_[target.predict_proba(X).argmax(axis=1)]
    copy = shadow.classes_[shadow.predict_proba(X).argmax(axis=1)]
    return (original == copy).mean()


@fidelity.right
def _by_predict(target, shadow, X):
    return np.mean(target.predict(X) == shadow.predict(X))


@fidelity.right
def _record_by_record(target, shadow, X):
    agreed = 0
    for record in X:
        first, second = target.predict_proba([record])[0], shadow.predict_proba([record])[0]
        agreed += target.classes_[np.argmax(first)] == shadow.classes_[np.argmax(second)]
    return agreed / len(X)


@fidelity.right
def _by_score(target, shadow, X):
    return shadow.score(X, target.predict(X))


@fidelity.mistake("That is a percentage. A share lies between 0 and 1: leave out the 100.")
def _in_percent(target, shadow, X):
    return 100 * (_answers(target, X) == _answers(shadow, X)).mean()


@fidelity.mistake(
    "You compare the numbers of columns. Two models may have their classes in another order, or one class less: turn "
    "each number into a label with that model's own `classes_`, `target.classes_[…]` and `shadow.classes_[…]`."
)
def _column_numbers(target, shadow, X):
    return (target.predict_proba(X).argmax(axis=1) == shadow.predict_proba(X).argmax(axis=1)).mean()


@fidelity.mistake("You return how many records they agree on. Divide by the number of records, or take the mean.")
def _a_count(target, shadow, X):
    return (_answers(target, X) == _answers(shadow, X)).sum()


@fidelity.mistake("That is how often the two differ. Fidelity is how often they agree: use `==`, not `!=`.")
def _disagreement(target, shadow, X):
    return (_answers(target, X) != _answers(shadow, X)).mean()


@fidelity.mistake(
    "You ask for the whole rows of probabilities to be equal. Two models can give the same answer and not be equally "
    "sure of it: compare the most probable labels."
)
def _whole_rows(target, shadow, X):
    return np.isclose(target.predict_proba(X), shadow.predict_proba(X)).all(axis=1).mean()


@fidelity.mistake(
    "You compare the two tables of probabilities value by value. Take the most probable label of each row first: one "
    "answer for each record."
)
def _value_by_value(target, shadow, X):
    return (target.predict_proba(X) == shadow.predict_proba(X)).mean()


@fidelity.mistake(
    "You compare how sure the two models are, not what they answer. Equally sure of different species is no "
    "agreement: use `argmax`, not `max`."
)
def _confidences(target, shadow, X):
    return np.isclose(target.predict_proba(X).max(axis=1), shadow.predict_proba(X).max(axis=1)).mean()


@fidelity.mistake(
    "You measure how far apart the probabilities are. Fidelity counts answers: for what share of the records is the "
    "most probable label the same?"
)
def _mean_difference(target, shadow, X):
    return np.abs(target.predict_proba(X) - shadow.predict_proba(X)).mean()


# --- guesses --------------------------------------------------------------------------------------------------------

which_source = chapter.add(
    Prediction(
        "which_source",
        question="Which pool gives the shadow that repeats the target's *mistakes* most often?",
        options=["real other flowers", "noisy flowers", "marginals", "synthetic flowers", "no clear winner"],
        section="How faithful are they?",
    )
)


from mialab.exercises.attacker_knowledge import right_type  # noqa: E402, F401  notebook 11 asks for it now
