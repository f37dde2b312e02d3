"""Exercises of notebook 00, start here."""

from __future__ import annotations

from mialab.exercises._cases import start_here as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction

chapter = Chapter("00_start_here")
recap = chapter.recap


# --- is_member ------------------------------------------------------------------------------------------------------


@chapter.function(
    points=1,
    minutes=2,
    section="One minute: your first check",
    cases=data.guest_lists,
    oracle=lambda record, training_set: any(record == other for other in training_set),
    real=data.a_full_house,
    hints=[
        "Python has a word for this question. It is two letters long.",
        "`record in training_set` is True or False.",
        "Write `return record in training_set` in the place of the three dots.",
    ],
    means="With the list in your hand, membership is one word of Python. An attacker has no list, and asks the "
    "model instead.",
    why="`in` looks for an equal record anywhere in the list. That is the whole definition of a member.",
)
def is_member(record, training_set):
    """True if the record is one of those in the training set."""
    return record in training_set


@is_member.right
def _by_counting(record, training_set):
    return training_set.count(record) > 0


@is_member.right
def _one_after_another(record, training_set):
    for other in training_set:
        if other == record:
            return True
    return False


@is_member.mistake(
    "Members and strangers are swapped: your function says True for records that are not in the training set."
)
def _swapped(record, training_set):
    return record not in training_set


@is_member.mistake("You look at the first record of the training set only. A member may stand anywhere in the list.")
def _first_only(record, training_set):
    return len(training_set) > 0 and training_set[0] == record


@is_member.mistake(
    "Your function says True to everyone. A rule that accuses everyone tells nobody apart: notebook 07 comes back to "
    "that."
)
def _always_true(record, training_set):
    return True


@is_member.mistake("Your function says False to everyone, members included.")
def _always_false(record, training_set):
    return False


@is_member.mistake(
    "You look for the text inside other names: “A” is part of “Ada”, but it is not on the list. Compare whole records."
)
def _part_of_a_name(record, training_set):
    return record in " ".join(training_set)


# --- what_the_attacker_has ------------------------------------------------------------------------------------------

what_the_attacker_has = chapter.add(
    Choice(
        "what_the_attacker_has",
        points=1,
        minutes=2,
        section="The story in a few words",
        options={
            "a": (
                "a copy of the training set",
                "Then there would be nothing left to find out. The training set is what the attack is about.",
            ),
            "b": (
                "the model's inner numbers, and the source code that trains it",
                "Some attackers have these, and it can help them. The attack of this course needs much less, which is "
                "what makes it worrying.",
            ),
            "c": (
                "the right to ask the model questions and read its answers",
                "Anyone who may use the model has that. It is called black-box access.",
            ),
            "d": (
                "a way to change the model while it is trained",
                "That is another kind of attack, called poisoning. Our attacker comes after the training.",
            ),
        },
        answer="c",
        hints=[
            "Think of a service on the internet that answers anyone who pays.",
            "The attacker has neither the data nor the inside of the model.",
            "What is left is what every user may do.",
        ],
    )
)

first_guess = chapter.add(
    Prediction(
        "first_guess",
        question="An attacker reads how sure a neural net is of each flower. Of a hundred flowers, half of them "
        "members, how many are sorted rightly?",
        between=(0, 100),
        means="Notebook 06 measures it and plays your guess back.",
        section="A guess to keep",
    )
)
