"""Exercises of notebook 06, the first attack."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import first_attack as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Dial, Prediction

# Until notebook 07 was written these three stood here, and assignments that are out look for them here.
from mialab.exercises.accusations import always_member, honest_accuracy, precision_when_rare  # noqa: F401

chapter = Chapter("06_the_first_attack")
recap = chapter.recap

predict_auc = chapter.add(
    Prediction(
        "predict_auc",
        question="How often is the look-up model surer of a member than of a stranger, a tie counting one half?",
        between=(0, 1),
        section="Ask about everyone",
    )
)


# --- guess_members --------------------------------------------------------------------------------------------------


@chapter.function(
    points=1,
    minutes=3,
    section="A rule with one number",
    cases=data.confidences,
    oracle=lambda confidence, threshold: np.array([not c < threshold for c in confidence]),
    real=data.confidence_in_all,
    hints=[
        "The attacker's rule is one comparison. You need no loop: NumPy compares a whole array with one number at "
        "once.",
        "“At least the threshold” includes the threshold itself.",
        "`confidence >= threshold` is an array of True and False. Return it.",
    ],
    means="One comparison, and you have an attack. Everything that follows is about where the threshold goes and how "
    "often the rule is wrong.",
    why="A comparison of an array with a number is made element by element. `>=` rather than `>`, because a model that "
    "answers its members exactly 1.0 would otherwise escape a threshold of 1.0.",
)
def guess_members(confidence, threshold):
    """One bool for each record: True where the attacker says "member" (confidence at least the threshold)."""
    return confidence >= threshold


@guess_members.right
def _not_below(confidence, threshold):
    return ~(confidence < threshold)


@guess_members.right
def _one_by_one(confidence, threshold):
    return [c >= threshold for c in confidence]


@guess_members.mistake(
    "You wrote `>` where the rule says “at least”. It matters: a model that answers its members exactly 1.0 would "
    "never be caught by a threshold of 1.0."
)
def _strictly_above(confidence, threshold):
    return confidence > threshold


@guess_members.mistake(
    "Members and strangers are swapped: your rule says “member” where the confidence is low. The attack bets that "
    "members are answered more confidently."
)
def _swapped(confidence, threshold):
    return confidence < threshold


@guess_members.mistake(
    "Your rule says “member” where the confidence is at most the threshold. Turn the comparison round: high "
    "confidence speaks for a member."
)
def _swapped_with_ties(confidence, threshold):
    return confidence <= threshold


@guess_members.mistake(
    "You return the confidence itself. A comparison is missing: `confidence >= threshold` turns each number into True "
    "or False."
)
def _nothing_compared(confidence, threshold):
    return confidence


@guess_members.mistake(
    "You return row numbers. Return one True or False for every record instead, so that the guesses line up with the "
    "truth."
)
def _row_numbers(confidence, threshold):
    return np.flatnonzero(confidence >= threshold)


@guess_members.mistake(
    "You compare with the average confidence, not with `threshold`. The threshold is the attacker's to choose: use "
    "the argument that your function is given."
)
def _own_threshold(confidence, threshold):
    return confidence >= confidence.mean()


# --- auc_by_pairs ---------------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=7,
    section="Count the pairs",
    cases=data.two_groups,
    oracle=data.sklearn_auc,
    real=data.scores_of_both_halves,
    hints=[
        "Take every member with every stranger. In what share of these pairs does the member have the higher score? A "
        "tie is worth one half.",
        "Two loops, one inside the other, and a counter that grows by 1 for a win and by 0.5 for a tie. Divide by the "
        "number of pairs at the end.",
        "Without loops: `members[:, None] > strangers[None, :]` is a table with a row for each member and a column "
        "for each stranger. Its `.mean()` is the share of wins; add half of the share of ties.",
    ],
    means="AUC is no more than this: how often a member outranks a stranger, when you draw one of each.",
    why="The comparison makes a table of all pairs. The mean of a table of True and False is the share of True. "
    "Without the half point for ties, a model that answers everyone alike would score 0 instead of 0.5.",
)
def auc_by_pairs(members, strangers):
    """Share of all member-stranger pairs in which the member has the higher score; a tie counts one half."""
    wins = members[:, None] > strangers[None, :]
    ties = members[:, None] == strangers[None, :]
    return wins.mean() + ties.mean() / 2


@auc_by_pairs.right
def _two_loops(members, strangers):
    total = 0.0
    for m in members:
        for s in strangers:
            total += 1.0 if m > s else 0.5 if m == s else 0.0
    return total / (len(members) * len(strangers))


@auc_by_pairs.right
def _by_signs(members, strangers):
    return (1 + np.sign(np.subtract.outer(members, strangers)).mean()) / 2


@auc_by_pairs.right
def _by_ranks(members, strangers):
    from scipy.stats import mannwhitneyu

    return mannwhitneyu(members, strangers).statistic / (len(members) * len(strangers))


@auc_by_pairs.mistake(
    "You compare `members` with `strangers` place by place. Everyone must meet everyone: `members[:, None] > "
    "strangers[None, :]`."
)
def _unpaired_arrays(members, strangers):
    return (members > strangers).mean() + (members == strangers).mean() / 2


@auc_by_pairs.mistake("You return after the first member. `return` belongs below both loops: all the way to the left.")
def _first_member_alone(members, strangers):
    return _two_loops(members[:1], strangers) / len(members)


@auc_by_pairs.mistake("You divide by the number of members. Divide by the number of pairs: members times strangers.")
def _per_member(members, strangers):
    return ((members[:, None] > strangers[None, :]).sum() + (members[:, None] == strangers[None, :]).sum() / 2) / len(
        members
    )


@auc_by_pairs.mistake(
    "You count a tie as nothing. A model that answers everyone alike would then score 0, as if it betrayed the "
    "strangers. Give a tie half a point."
)
def _ties_lose(members, strangers):
    return (members[:, None] > strangers[None, :]).mean()


@auc_by_pairs.mistake(
    "You count a tie as a full win. A model that answers everyone alike would then score a perfect 1. Give a tie half "
    "a point."
)
def _ties_win(members, strangers):
    return (members[:, None] >= strangers[None, :]).mean()


@auc_by_pairs.mistake(
    "Members and strangers are swapped: you count how often the stranger is ahead. That is 1 minus the AUC."
)
def _swapped_groups(members, strangers):
    return (1 + np.sign(np.subtract.outer(strangers, members)).mean()) / 2


@auc_by_pairs.mistake(
    "You compare the first member with the first stranger, the second with the second, and so on. Every member must "
    "meet every stranger."
)
def _side_by_side(members, strangers):
    pairs = list(zip(members, strangers, strict=False))
    return sum(1.0 if m > s else 0.5 if m == s else 0.0 for m, s in pairs) / len(pairs)


@auc_by_pairs.mistake(
    "You turn the scores into yes-or-no guesses first, and compare those. AUC works on the scores themselves: "
    "rounding them to 0 and 1 throws away who is ahead of whom."
)
def _auc_on_labels(members, strangers):
    guessed_in, guessed_out = (members >= 0.5).astype(float), (strangers >= 0.5).astype(float)
    return (1 + np.subtract.outer(guessed_in, guessed_out).mean()) / 2


@auc_by_pairs.mistake("That is a percentage. A share lies between 0 and 1: leave out the 100.")
def _in_percent(members, strangers):
    return 50 * (1 + np.sign(np.subtract.outer(members, strangers)).mean())


@auc_by_pairs.mistake(
    "You return how many pairs the member wins. Divide by the number of pairs, so that the answer lies between 0 and 1."
)
def _a_count(members, strangers):
    return (members[:, None] > strangers[None, :]).sum() + (members[:, None] == strangers[None, :]).sum() / 2


# --- a_safe_k -------------------------------------------------------------------------------------------------------

a_safe_k = chapter.add(
    Dial(
        "a_safe_k",
        points=2,
        minutes=2,
        section="Is it the model, or our k?",
        unit="a whole number of neighbours, from 1 to 30",
        between=(1, 30),
        whole=True,
        measure=data.attack_on_a_look_up,
        turns=lambda found: found[0] < 0.6,
        says="With k = {setting:g}, over 20 draws, the AUC of the attack is {found[0]:.3f}, and the model names "
        "{found[1]:.3f} of the strangers rightly.",
        right=(3, 1, 2),
        stays=(5, 10, 15, 30),
        hints=[
            "A member finds itself, and gets a 1. When does a stranger get a 1 too?",
            "Only if all neighbours that are asked are of one species. Does that happen more often with few, or with "
            "many?",
            "With 5, scikit-learn's own choice, the AUC is still a little above 0.6. Ask fewer.",
        ],
        means="A verdict on this model is a verdict on a number that somebody chose; its accuracy does not show it.",
        why="With few neighbours nearly everyone, member or stranger, gets a 1: the members hide among the strangers.",
    )
)
