"""Exercises of notebook 06, the first attack."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import first_attack as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction
from mialab.metrics import accuracy_at, balanced_accuracy, choose_threshold

chapter = Chapter("06_the_first_attack")
recap = chapter.recap

predict_auc = chapter.add(
    Prediction(
        "predict_auc",
        question="How often does a member of the look-up model outrank a stranger in confidence, a tie counting half?",
        between=(0, 1),
        section="A rule with one number",
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
    minutes=8,
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


# --- honest_accuracy ------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=8,
    section="An honest threshold",
    cases=data.two_sets_of_scores,
    oracle=data.honest_by_hand,
    real=data.scores_of_two_crowds,
    hints=[
        "Two sets of records, two steps. The attacker may look at the truth of the first set only.",
        "`choose_threshold(scores, is_member)` finds the best threshold on the records you give it. Which records may "
        "the attacker give it?",
        "Choose with `own_scores` and `own_is_member`; then `balanced_accuracy` with `scores`, `is_member` and that "
        "threshold.",
    ],
    means="Chosen in one place, judged in another: this number is one that the attacker could really get.",
    why="The second set plays the victims: the attacker never sees their membership before guessing. Whatever is tuned "
    "on them looks better than it is.",
)
def honest_accuracy(own_scores, own_is_member, scores, is_member):
    """Balanced accuracy on (scores, is_member) of the threshold chosen on (own_scores, own_is_member)."""
    threshold = choose_threshold(own_scores, own_is_member)
    return balanced_accuracy(scores, is_member, threshold)


@honest_accuracy.right
def _rates_by_hand(own_scores, own_is_member, scores, is_member):
    says_member = scores >= choose_threshold(own_scores, own_is_member)
    return (says_member[is_member].mean() + 1 - says_member[~is_member].mean()) / 2


@honest_accuracy.right
def _by_sklearn(own_scores, own_is_member, scores, is_member):
    from sklearn.metrics import balanced_accuracy_score

    return balanced_accuracy_score(is_member, scores >= choose_threshold(own_scores, own_is_member))


@honest_accuracy.mistake(
    "The threshold is tuned on the records that it is judged on. The attacker does not know who is a member there: "
    "that is the question. Choose it on the attacker's own records."
)
def _tuned_on_the_judged(own_scores, own_is_member, scores, is_member):
    return balanced_accuracy(scores, is_member, choose_threshold(scores, is_member))


@honest_accuracy.mistake(
    "The threshold is well chosen but judged on the very records that it was chosen on. Judge it on `scores` and "
    "`is_member`."
)
def _judged_on_own(own_scores, own_is_member, scores, is_member):
    return balanced_accuracy(own_scores, own_is_member, choose_threshold(own_scores, own_is_member))


@honest_accuracy.mistake(
    "The threshold is chosen on both sets together. Half of that choice has already seen the answers it is judged by."
)
def _tuned_on_everything(own_scores, own_is_member, scores, is_member):
    threshold = choose_threshold(np.concatenate([own_scores, scores]), np.concatenate([own_is_member, is_member]))
    return balanced_accuracy(scores, is_member, threshold)


@honest_accuracy.mistake("The two sets are swapped: you choose on the victims and judge on the attacker's own records.")
def _sets_swapped(own_scores, own_is_member, scores, is_member):
    return balanced_accuracy(own_scores, own_is_member, choose_threshold(scores, is_member))


@honest_accuracy.mistake(
    "You judge with `>`: a record exactly at the threshold is called a member too. Use `>=`, or `balanced_accuracy`."
)
def _strictly_above_the_threshold(own_scores, own_is_member, scores, is_member):
    says_member = scores > choose_threshold(own_scores, own_is_member)
    return (says_member[is_member].mean() + 1 - says_member[~is_member].mean()) / 2


@honest_accuracy.mistake(
    "You return the threshold itself. One step is missing: judge it on `scores` and `is_member` with "
    "`balanced_accuracy`."
)
def _the_threshold(own_scores, own_is_member, scores, is_member):
    return choose_threshold(own_scores, own_is_member)


@honest_accuracy.mistake(
    "You turn a result below one half round. The attacker cannot know beforehand that the guesses come out worse than "
    "a coin: report what the rule gives."
)
def _turned_round(own_scores, own_is_member, scores, is_member):
    result = balanced_accuracy(scores, is_member, choose_threshold(own_scores, own_is_member))
    return max(result, 1 - result)


@honest_accuracy.mistake(
    "You choose the threshold by plain accuracy, and strangers outnumber members. Choose it by balanced accuracy, as "
    "`choose_threshold` does."
)
def _chosen_by_accuracy(own_scores, own_is_member, scores, is_member):
    cuts = sorted(set(own_scores), reverse=True)
    best = max(cuts, key=lambda cut: accuracy_at(own_scores, own_is_member, cut))
    return balanced_accuracy(scores, is_member, best)


@honest_accuracy.mistake(
    "That is plain accuracy. When strangers outnumber members, always saying “stranger” scores well by it. Use the "
    "balanced accuracy: the mean of the two groups' shares."
)
def _plain_accuracy(own_scores, own_is_member, scores, is_member):
    return accuracy_at(scores, is_member, choose_threshold(own_scores, own_is_member))


# --- precision_when_rare --------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=6,
    section="When members are rare",
    cases=data.rates,
    oracle=data.count_ten_million_people,
    real=data.rates_of_a_crowd,
    hints=[
        "Imagine 10,000 people, of whom a share `base_rate` are members. How many members does the rule accuse? How "
        "many strangers?",
        "Accused members: `tpr * base_rate` of all people. Accused strangers: `fpr` of the others, and the others are "
        "`1 - base_rate` of all people.",
        "Precision is accused members divided by everyone accused.",
    ],
    means="Precision depends on the base rate, which is a fact about the crowd, not about the attack.",
    why="Bayes' rule, counted out: of everyone who is accused, which share deserves it. The same rule (same TPR, same "
    "FPR) is convincing in one crowd and worthless in another.",
)
def precision_when_rare(tpr, fpr, base_rate):
    """Of those accused of being members, the share who are, when a share `base_rate` of the crowd are members."""
    accused_members = tpr * base_rate
    accused_strangers = fpr * (1 - base_rate)
    return accused_members / (accused_members + accused_strangers)


@precision_when_rare.right
def _by_odds(tpr, fpr, base_rate):
    odds = tpr / fpr * base_rate / (1 - base_rate)
    return odds / (1 + odds)


@precision_when_rare.right
def _by_heads(tpr, fpr, base_rate):
    n = 1_000_000
    return n * base_rate * tpr / (n * base_rate * tpr + n * (1 - base_rate) * fpr)


@precision_when_rare.mistake(
    "The base rate has dropped out: `tpr / (tpr + fpr)` is right only where half of the crowd are members."
)
def _half_and_half(tpr, fpr, base_rate):
    return tpr / (tpr + fpr)


@precision_when_rare.mistake(
    "A `1 - base_rate` is missing: you accuse `fpr` of the whole crowd as strangers, but strangers are only the other "
    "`1 - base_rate` of it."
)
def _missing_one_minus(tpr, fpr, base_rate):
    return tpr * base_rate / (tpr * base_rate + fpr)


@precision_when_rare.mistake(
    "That is the share of the accused who are strangers, the false discoveries. Precision is the rest."
)
def _false_discoveries(tpr, fpr, base_rate):
    return fpr * (1 - base_rate) / (tpr * base_rate + fpr * (1 - base_rate))


@precision_when_rare.mistake(
    "You used `1 - fpr`, the strangers who are left in peace. The accused strangers are `fpr` of them."
)
def _one_minus_fpr(tpr, fpr, base_rate):
    return tpr * base_rate / (tpr * base_rate + (1 - fpr) * (1 - base_rate))


@precision_when_rare.mistake("That is a percentage. A share lies between 0 and 1: leave out the 100.")
def _in_percent_of_the_accused(tpr, fpr, base_rate):
    return 100 * tpr * base_rate / (tpr * base_rate + fpr * (1 - base_rate))


@precision_when_rare.mistake(
    "That is the share of the whole crowd who are accused and members. Divide by everyone who is accused."
)
def _not_divided(tpr, fpr, base_rate):
    return tpr * base_rate


# --- always_member --------------------------------------------------------------------------------------------------

always_member = chapter.add(
    Choice(
        "always_member",
        points=1,
        minutes=3,
        section="A mistake to avoid",
        options={
            "a": (
                "A strong attack: 87% is far above the 50% that a coin would score.",
                "The coin is the wrong comparison. On this set, saying “member” without looking is right for 6 "
                "records in 7, which is 86%.",
            ),
            "b": (
                "Hardly an attack: always saying “member” scores 86% on this set.",
                "6 in 7 is 85.7%, so the reported 86.8% is one point above a rule that never looks at the model. "
                "Compare with the best rule that ignores the model, or use a measure that is 0.50 for it: AUC or "
                "balanced accuracy.",
            ),
            "c": (
                "Proof that the model leaks nothing: 87% is below 100%.",
                "No attack needs to be perfect to do harm, and one weak attack proves nothing about a better one.",
            ),
            "d": (
                "Nothing can be said, as accuracy is always meaningless.",
                "Accuracy means something as soon as you know what a rule that ignores the model would score. Here "
                "you can compute that: 6 in 7.",
            ),
        },
        answer="b",
        hints=[
            "What would a rule score that never looks at the model?",
            "Six records in seven are members. Suppose you say “member” every time.",
            "6 / 7 = 0.857. Compare that with 0.868.",
        ],
    )
)
