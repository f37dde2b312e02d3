"""Exercises of notebook 08, probing the black box."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import black_box as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction

chapter = Chapter("08_probing_the_black_box")
recap = chapter.recap


# --- keep_the_better ------------------------------------------------------------------------------------------------


def _sure(model, record, wanted):
    """The probability of the wanted class, for the wrong answers that get this far."""
    return model.predict_proba([record])[0, model.classes_.tolist().index(wanted)]


@chapter.function(
    points=2,
    minutes=5,
    section="Adjust and ask again",
    cases=data.two_records,
    oracle=data.kept_by_hand,
    hints=[
        "Ask about both at once: `model.predict_proba([x, changed])` has one row for each. Which column belongs to the "
        "wanted class?",
        "`list(model.classes_).index(wanted)` is the number of that column. Compare the two values in it.",
        "Return `changed` if its value is at least that of `x`, and `x` otherwise. The record itself, not its value.",
    ],
    means="Ask, compare, keep: this is the whole step of a climb. The rest is how to change the record.",
    why="The columns of the answer stand in the order of `model.classes_`, so the wanted label has to be looked up "
    "there. `>=` rather than `>`: where the model answers a whole region alike, a climber that rejected equals would "
    "stand still.",
)
def keep_the_better(model, x, changed, wanted):
    """Of two records, the one with the higher probability of class `wanted`; `changed` if they are equal."""
    column = list(model.classes_).index(wanted)
    before, after = model.predict_proba(np.array([x, changed]))[:, column]
    return changed if after >= before else x


@keep_the_better.right
def _two_questions(model, x, changed, wanted):
    before = model.predict_proba([x])[0][model.classes_ == wanted]
    after = model.predict_proba([changed])[0][model.classes_ == wanted]
    if before > after:
        return x
    return changed


@keep_the_better.right
def _first_of_the_best(model, x, changed, wanted):
    pair = [changed, x]  # argmax takes the first of equals
    return pair[model.predict_proba(pair)[:, model.classes_.tolist().index(wanted)].argmax()]


@keep_the_better.mistake(
    "You keep the record that the model is less sure of. That walks downhill: turn the comparison round."
)
def _the_worse(model, x, changed, wanted):
    return changed if _sure(model, changed, wanted) <= _sure(model, x, wanted) else x


@keep_the_better.mistake(
    "You keep the record that the model is less sure of. That walks downhill: turn the comparison round, and let "
    "`changed` win a tie."
)
def _the_worse_and_x_on_a_tie(model, x, changed, wanted):
    return changed if _sure(model, changed, wanted) < _sure(model, x, wanted) else x


@keep_the_better.mistake(
    "Where the model is equally sure of both you keep `x`. Far from a border its answers are all alike, and a climber "
    "that only moves upwards would never leave: use `>=`, so that `changed` wins a tie."
)
def _x_on_a_tie(model, x, changed, wanted):
    return changed if _sure(model, changed, wanted) > _sure(model, x, wanted) else x


@keep_the_better.mistake(
    "You compare the largest probability, whichever class it belongs to. That climbs to any class: compare the "
    "probability of `wanted`."
)
def _the_largest_probability(model, x, changed, wanted):
    before, after = model.predict_proba([x, changed]).max(axis=1)
    return changed if after >= before else x


@keep_the_better.mistake(
    "You use `wanted` as the number of a column. It is a label: look up its column with "
    "`list(model.classes_).index(wanted)`. The two agree only where the labels happen to be 0, 1, 2."
)
def _label_as_column(model, x, changed, wanted):
    before, after = model.predict_proba([x, changed])[:, wanted]
    return changed if after >= before else x


@keep_the_better.mistake(
    "You use `wanted` as the number of a column. It is a label: look up its column with "
    "`list(model.classes_).index(wanted)`. And let `changed` win a tie: `>=`."
)
def _label_as_column_and_x_on_a_tie(model, x, changed, wanted):
    before, after = model.predict_proba([x, changed])[:, wanted]
    return changed if after > before else x


@keep_the_better.mistake(
    "You return how sure the model is. The climber needs the place to go on from: return the record, `x` or `changed`."
)
def _the_confidence(model, x, changed, wanted):
    return max(_sure(model, x, wanted), _sure(model, changed, wanted))


@keep_the_better.mistake(
    "You move only where `wanted` is already the model's answer. A climber that starts among the other classes would "
    "never set out: a higher probability is enough."
)
def _only_if_it_is_the_answer(model, x, changed, wanted):
    better = _sure(model, changed, wanted) >= _sure(model, x, wanted)
    return changed if better and model.predict([changed])[0] == wanted else x


@keep_the_better.mistake(
    "You look at the model's answer to `changed` alone. Whether `wanted` is its answer does not tell if the model grew "
    "surer: compare the two probabilities of `wanted`."
)
def _whenever_it_is_the_answer(model, x, changed, wanted):
    return changed if model.predict([changed])[0] == wanted else x


@keep_the_better.mistake(
    "You always move to `changed`. That is a walk without aim: compare how sure the model is of `wanted` first."
)
def _always_moves(model, x, changed, wanted):
    return changed


# --- redraw ---------------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=4,
    section="Adjust and ask again",
    cases=data.records_to_redraw,
    oracle=data.redrawn_by_hand,
    hints=[
        "Three steps: copy the record; compute the new measurements; put those numbered in `which` into the copy.",
        "A number between 0 and 1 becomes one between low and high by `low + u * (high - low)`. On arrays this gives a "
        "new value for every measurement at once; you need some of them.",
        "`fresh[which] = (low + u * (high - low))[which]` replaces the chosen ones in a copy, `fresh = x.copy()`.",
    ],
    means="This is the first manner of adjusting: some measurements are thrown again, the others stay.",
    why="An array of positions selects on both sides of `=`: the places to fill and the values to fill them with. The "
    "copy matters because a climber goes back to `x` when a change is rejected.",
)
def redraw(x, which, low, high, u):
    """A copy of x in which the measurements numbered in `which` are drawn anew: low + u × (high − low)."""
    fresh = x.copy()
    fresh[which] = (low + u * (high - low))[which]
    return fresh


@redraw.right
def _one_measurement_at_a_time(x, which, low, high, u):
    fresh = np.array(x)
    for j in which:
        fresh[j] = low[j] + u[j] * (high[j] - low[j])
    return fresh


@redraw.right
def _by_where(x, which, low, high, u):
    return np.where(np.isin(np.arange(len(x)), which), low + u * (high - low), x)


@redraw.mistake("Your function changes `x` itself, and whoever calls it still needs that. Work on a copy: `x.copy()`.")
def _changed_input(x, which, low, high, u):
    x[which] = (low + u * (high - low))[which]
    return x


@redraw.mistake("You draw every measurement anew. Only those numbered in `which` change; the others stay as in `x`.")
def _every_measurement(x, which, low, high, u):
    return low + u * (high - low)


@redraw.mistake(
    "You keep those numbered in `which` and draw the others anew. It is the other way round: `which` says what changes."
)
def _the_others(x, which, low, high, u):
    fresh = low + u * (high - low)
    fresh[which] = x[which]
    return fresh


@redraw.mistake(
    "You add the drawn value to the old one. Drawn anew means that the old value is forgotten: use `=`, not `+=`."
)
def _added_to_the_old(x, which, low, high, u):
    fresh = x.copy()
    fresh[which] += (low + u * (high - low))[which]
    return fresh


@redraw.mistake(
    "`u * (high - low)` starts at zero. The range of a measurement starts at `low`: add it, or the flower shrinks."
)
def _without_low(x, which, low, high, u):
    fresh = x.copy()
    fresh[which] = (u * (high - low))[which]
    return fresh


@redraw.mistake(
    "`low + u * high` can leave the range. The way from the lowest to the highest value is `high - low`: take `u` of "
    "that."
)
def _beyond_high(x, which, low, high, u):
    fresh = x.copy()
    fresh[which] = (low + u * high)[which]
    return fresh


@redraw.mistake(
    "You change the first measurements, as many as `which` has entries. `which` holds positions, not a number of "
    "them: `fresh[which]`."
)
def _the_first_few(x, which, low, high, u):
    fresh, k = x.copy(), len(which)
    fresh[:k] = (low + u * (high - low))[:k]
    return fresh


@redraw.mistake(
    "`u` has one number for each measurement, in the order of `x`. You hand out its first numbers to those in `which`: "
    "select with `u[which]`."
)
def _first_numbers_of_u(x, which, low, high, u):
    fresh = x.copy()
    fresh[which] = low[which] + u[: len(which)] * (high - low)[which]
    return fresh


@redraw.mistake(
    "You select the places with `which`, but not the values to put there: on the right stands one for every "
    "measurement. Select on both sides: `fresh[which] = (low + u * (high - low))[which]`."
)
def _selected_on_one_side(x, which, low, high, u):
    fresh = x.copy()
    fresh[which] = low + u * (high - low)
    return fresh


# --- back_off -------------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=3,
    section="Adjust and ask again",
    cases=data.rejections,
    oracle=data.halved_by_hand,
    hints=[
        "Two ways through: fewer than `patience` rejections, and all else. What is returned in the first?",
        "Half of 5, rounded up, is 3; half of 1, rounded up, is 1. `k // 2` rounds down.",
        "`(k + 1) // 2` is half of k rounded up, and never below 1 for a k of 1 or more.",
    ],
    means="Far from the goal a climber takes leaps; once leaps are rejected, smaller steps are worth trying.",
    why="Adding 1 before the whole-number division rounds halves up: (5 + 1) // 2 is 3. As 1 becomes (1 + 1) // 2 = 1, "
    "a climber always changes something.",
)
def back_off(k, rejected, patience):
    """How many measurements to change next: k, or half of it, rounded up, after `patience` rejections in a row."""
    if rejected < patience:
        return k
    return (k + 1) // 2


@back_off.right
def _by_ceil(k, rejected, patience):
    return max(1, int(np.ceil(k / 2))) if rejected >= patience else k


@back_off.right
def _take_away_the_smaller_half(k, rejected, patience):
    return k - (rejected >= patience) * (k // 2)


@back_off.mistake(
    "`k // 2` rounds down, and half of 1 becomes 0: a climber that changes nothing asks the same question for ever. "
    "Round up."
)
def _rounded_down(k, rejected, patience):
    return k // 2 if rejected >= patience else k


@back_off.mistake(
    "Never below 1, well done, but you round down: half of 5 should be 3. `(k + 1) // 2` rounds up, and needs no `max`."
)
def _rounded_down_to_one(k, rejected, patience):
    return max(1, k // 2) if rejected >= patience else k


@back_off.mistake(
    "`round` takes a half to the nearest even number: 2.5 becomes 2, and 0.5 becomes 0. Round up: `(k + 1) // 2`."
)
def _to_the_even_number(k, rejected, patience):
    return round(k / 2) if rejected >= patience else k


@back_off.mistake("You return a half as it is. Nobody can change half a measurement: round up to a whole number.")
def _not_rounded(k, rejected, patience):
    return k / 2 if rejected >= patience else k


@back_off.mistake("You keep to 1 or more, and return a half as it is. Nobody can change half a measurement: round up.")
def _not_rounded_down_to_one(k, rejected, patience):
    return max(1, k / 2) if rejected >= patience else k


@back_off.mistake(
    "You wait for one rejection too many: `>` where the rule says “once that is `patience` or more”. Use `>=`."
)
def _one_refusal_late(k, rejected, patience):
    return (k + 1) // 2 if rejected > patience else k


@back_off.mistake(
    "You take one away. The rule halves: from 16 measurements, 8, 4, 2 and 1 are four steps, where one at a time would "
    "take fifteen."
)
def _one_less(k, rejected, patience):
    return max(1, k - 1) if rejected >= patience else k


@back_off.mistake(
    "You halve once only, at exactly `patience` rejections. The rule says “`patience` or more”: use `>=`."
)
def _only_then(k, rejected, patience):
    return (k + 1) // 2 if rejected == patience else k


@back_off.mistake("You halve every time. While fewer than `patience` changes in a row were rejected, k stays as it is.")
def _always_halved(k, rejected, patience):
    return (k + 1) // 2


@back_off.mistake("You change more after rejections, not less. Near a top leaps lead away, and are rejected: halve k.")
def _doubled(k, rejected, patience):
    return 2 * k if rejected >= patience else k


# --- guesses and a choice -------------------------------------------------------------------------------------------

which_manner = chapter.retire(
    Prediction(
        "which_manner",
        question="Which manner needs fewer questions to reach a record that the model is sure of?",
        options=["large changes", "subtle changes", "about the same"],
        section="What a flower costs",
    )
)

predict_distance = chapter.retire(
    Prediction(
        "predict_distance",
        question="Score every real flower by how near it is to a synthetic one. What AUC does that give for members "
        "against strangers?",
        between=(0, 1),
        section="Do the flowers found give the members away?",
    )
)

why_no_members = chapter.retire(
    Choice(
        "why_no_members",
        points=2,
        minutes=3,
        section="Do the flowers found give the members away?",
        options={
            "a": (
                "The climbs were too short: with more questions they would end on the members.",
                "A climb ends as soon as the model is sure, and more questions do not make it go on. Even if it went "
                "on: deep inside a region the answers are alike, so nothing there points to a member.",
            ),
            "b": (
                "The service hides the answers for its members.",
                "It answers every question in the same way, and it has no list of its members to hide. Send it one "
                "and see.",
            ),
            "c": (
                "The model is sure over whole regions, and a climb stops wherever it enters one.",
                "What the climb finds is a place just inside such a region. The members lie somewhere in it too, but "
                "so do strangers and a great deal of empty space.",
            ),
            "d": (
                "Synthetic flowers are too far from any real flower to mean anything.",
                "Some are far off, but near ones are no better: they are about as near to strangers as to members. And "
                "they do mean something, as the next notebook shows: they carry what the model has learnt.",
            ),
        },
        answer="c",
        hints=[
            "When does a climb stop? What does it know about the flowers at that moment?",
            "Look at the petal plane: how large is the part of it where the model is sure?",
            "A member and a stranger side by side, deep in such a region, get the same answer.",
        ],
    )
)

where_it_helps = chapter.add(
    Prediction(
        "where_it_helps",
        question="On which of two targets, look-up and net, does the fall tell more than asking once?",
        options=["the look-up", "the net", "both", "neither"],
        section="Adjust a candidate",
    )
)
