"""Exercises of notebook 07, what an accusation is worth."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import accusations as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Dial
from mialab.metrics import accuracy_at, balanced_accuracy, choose_threshold

chapter = Chapter("07_what_an_accusation_is_worth")
recap = chapter.recap

# --- honest_accuracy ------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=6,
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
    minutes=5,
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


NO_BRACKETS = (
    "Brackets are missing: `a / b + c` divides by b alone. Put them round all that you divide by: `a / (b + c)`."
)


@precision_when_rare.mistake(NO_BRACKETS)
def _no_brackets(tpr, fpr, base_rate):
    return base_rate * tpr / base_rate * tpr + (1 - base_rate) * fpr


@precision_when_rare.mistake(NO_BRACKETS)
def _no_brackets_by_heads(tpr, fpr, base_rate):
    return tpr**2 + 10_000 * (1 - base_rate) * fpr


@precision_when_rare.mistake("That is a percentage. A share lies between 0 and 1: leave out the 100.")
def _in_percent_of_the_accused(tpr, fpr, base_rate):
    return 100 * tpr * base_rate / (tpr * base_rate + fpr * (1 - base_rate))


@precision_when_rare.mistake(
    "That is the share of the whole crowd who are accused and members. Divide by everyone who is accused."
)
def _not_divided(tpr, fpr, base_rate):
    return tpr * base_rate


# --- mostly_wrong_at ------------------------------------------------------------------------------------------------

mostly_wrong_at = chapter.add(
    Dial(
        "mostly_wrong_at",
        points=2,
        minutes=2,
        section="When members are rare",
        unit="a base rate, from 1 / 10_000 to 1 / 2",
        between=(1 / 10_000, 1 / 2),
        measure=data.share_of_accusations_wrong,
        turns=lambda found: found >= 0.9,
        says="With a base rate of {setting:.4g}, over 20 draws, a share of {found:.4f} of the accusations are wrong.",
        right=(1 / 100, 1 / 1000, 1 / 10_000),
        stays=(1 / 2, 1 / 5, 1 / 10),
        hints=[
            "The rule stays as it is; only the crowd changes. Should members be more common in it, or rarer?",
            "Your own function answers: `precision_when_rare(tpr, fpr, base_rate)`, for one base rate after another.",
            "One in ten is not rare enough. Try one in a hundred.",
        ],
        means="The rule and the model are the same as before. Only the crowd has changed.",
        why="Nine wrong accusations for a right one: strangers who are accused must outnumber the accused members by "
        "nine to one. All members are accused, and more than a third of the strangers; so there must be some 25 "
        "strangers to a member.",
    )
)

# --- always_member --------------------------------------------------------------------------------------------------

always_member = chapter.add(
    Choice(
        "always_member",
        points=1,
        minutes=2,
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
