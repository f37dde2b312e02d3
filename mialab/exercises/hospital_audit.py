"""Exercises of notebook 19, audit a hospital's model."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import hospital_audit as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction, Written

chapter = Chapter("19_audit_a_hospital_model")
recap = chapter.recap


enough_patients = chapter.add(
    Prediction(
        "enough_patients",
        question="From how many records on each side does luck alone pass 0.55 in fewer than one audit of forty?",
        options=["20", "75", "300", "1000"],
        section="How many patients?",
    )
)


# --- caught_with ----------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=6,
    section="The plain attack",
    cases=data.scores_with_ties,
    oracle=data.caught_by_loops,
    hints=[
        "Try thresholds: at each, count the strangers and the members whose score is at or above it. So a tie stays "
        "whole: a list that is walked record by record splits it.",
        "The thresholds worth trying are the scores themselves. Keep those with at most `n_false` strangers.",
        "The lowest threshold that is allowed catches most: `max` over the allowed ones of the members at or above it, "
        "and 0 if none is allowed.",
    ],
    means="This is what an attacker gets who dares only so many false accusations: it may be nothing although the AUC "
    "is high, and much although it is low.",
    why="Records of equal score are accused together, so only distinct scores are thresholds. As the threshold falls, "
    "both counts grow; the last one before too many strangers are accused catches the most members.",
)
def caught_with(scores, is_member, n_false):
    """How many members can be accused while at most n_false strangers are, a whole number.

    scores (n,): higher = more likely a member; is_member (n,) bool. Accused are all records at or above one threshold:
    records of equal score are accused together or not at all.
    """
    best = 0
    for threshold in np.unique(scores):
        accused = scores >= threshold
        if (accused & ~is_member).sum() <= n_false:
            best = max(best, (accused & is_member).sum())
    return best


@caught_with.right
def _by_the_measure(scores, is_member, n_false):
    from mialab.metrics import roc

    curve = roc(scores, is_member)
    allowed = curve.fpr * (~is_member).sum() <= n_false + 1e-9
    return round(curve.tpr[allowed].max() * is_member.sum())


@caught_with.right
def _by_sorting(scores, is_member, n_false):
    strangers = np.sort(scores[~is_member])[::-1]
    if n_false >= len(strangers):
        return int(is_member.sum())
    return int((scores[is_member] > strangers[n_false]).sum())


@caught_with.mistake(
    "Your threshold accuses one stranger more than `n_false`: it is the score of one whom you must not accuse. Take "
    "only members *above* that stranger, for equal scores are accused together."
)
def _splits_ties(scores, is_member, n_false):
    strangers = np.sort(scores[~is_member])[::-1]
    if n_false >= len(strangers):
        return int(is_member.sum())
    return int((scores[is_member] >= strangers[n_false]).sum())


@caught_with.mistake(
    "You split a tie: equal scores are accused together or not at all. Count at whole thresholds, not record by record."
)
def _one_by_one(scores, is_member, n_false):
    return _down_the_list(np.argsort(-scores, kind="stable"), is_member, n_false)


@caught_with.mistake(
    "You split a tie, for `[::-1]` turns equal scores round as well: they are accused together or not at all. Count at "
    "whole thresholds, not record by record."
)
def _one_by_one_from_the_end(scores, is_member, n_false):
    return _down_the_list(np.argsort(scores)[::-1], is_member, n_false)


def _down_the_list(order, is_member, n_false):
    member = is_member[order]
    return int(member[np.cumsum(~member) <= n_false].sum())


@caught_with.mistake(
    "Your threshold is the score of the last one whom you may accuse, `strangers[n_false - 1]`: for n_false = 0 the "
    "lowest of all. Take the members *above* the next one, `strangers[n_false]`, or all if there is none."
)
def _at_the_last_allowed(scores, is_member, n_false):
    strangers = np.sort(scores[~is_member])[::-1]
    return int((scores[is_member] >= strangers[min(n_false, len(strangers)) - 1]).sum())


@caught_with.mistake(
    "You stop above the last stranger whom you may accuse, `strangers[n_false - 1]`, and with n_false = 0 that is the "
    "lowest of all. Take the members above the next one, `strangers[n_false]`, or all if there is none."
)
def _above_the_last_allowed(scores, is_member, n_false):
    strangers = np.sort(scores[~is_member])[::-1]
    return int((scores[is_member] > strangers[min(n_false, len(strangers)) - 1]).sum())


@caught_with.mistake("You stop at the highest threshold that is allowed. The lowest that is allowed accuses most.")
def _first_allowed(scores, is_member, n_false):
    allowed = [t for t in np.unique(scores) if (~is_member & (scores >= t)).sum() <= n_false]
    return int((is_member & (scores >= max(allowed))).sum()) if allowed else 0


@caught_with.mistake(
    "Accused are the records *at* or above the threshold: `>=`. With `>` the lowest score is never accused."
)
def _above_the_threshold(scores, is_member, n_false):
    allowed = [t for t in np.unique(scores) if (~is_member & (scores > t)).sum() <= n_false]
    return int((is_member & (scores > min(allowed))).sum())


@caught_with.mistake("You allow one stranger fewer than `n_false`. At most n_false means that n_false is allowed.")
def _one_too_few(scores, is_member, n_false):
    if n_false == 0:
        return 0
    return caught_with.function(scores, is_member, n_false - 1)


@caught_with.mistake("You return a share. The number of members is asked for.")
def _share(scores, is_member, n_false):
    return caught_with.function(scores, is_member, n_false) / is_member.sum()


@caught_with.mistake("Members and strangers have changed places: you count the strangers caught.")
def _swapped(scores, is_member, n_false):
    return caught_with.function(scores, ~is_member, n_false)


@caught_with.mistake("You accuse the low scores. A high score speaks for a member.")
def _low_scores(scores, is_member, n_false):
    return caught_with.function(-scores, is_member, n_false)


@caught_with.mistake("You count all who are accused. Count the members among them.")
def _all_accused(scores, is_member, n_false):
    best = 0
    for threshold in np.unique(scores):
        accused = scores >= threshold
        if (accused & ~is_member).sum() <= n_false:
            best = max(best, accused.sum())
    return int(best)


# --- memo ------------------------------------------------------------------------------------------------------------

memo = chapter.add(
    Written(
        "memo",
        points=6,
        minutes=8,
        section="What to advise",
        words=80,
        rubric=[
            "says in plain words what was asked, of which model",
            "gives the auditor's and the outsider's finding, for how many records, and how many can be picked out",
            "says what being a member would reveal about a patient",
            "separates what was shown from what was not",
            "recommends one course of action with its price, says what it promises, and leaves the law to the officer",
            "can be read by someone who has never heard of an AUC",
        ],
        example="To the data protection officer. We asked whether someone who may only question the mortality model "
        "could find out which patients trained it. We attacked it with two thousand questions and the patients' "
        "records in hand, first by its answers alone, then as an insider who holds all the records at once. "
        "The insider ranks a "
        "patient from the training data above another patient in about 86 of 100 pairs, where guessing gives 50, "
        "a point or two either way, for 1,000 members and 1,000 strangers. An outsider, with one record and "
        "those of 2,000 other people, does so in about 82, and picks out more than half as many at ten false alarms. "
        "Being in the data says that someone was a patient whose blood we tested: whom that may harm we cannot say. "
        "More than a hundred patients can be picked out, by someone who already holds their record, with hardly a "
        "false accusation. Coarser answers help against the attacks we know, not against all. We recommend the "
        "privately trained model in place of the forest: it was as accurate in our tests, as far as three draws can "
        "show, our attacks were at the level of guessing, and it carries a promise that does not depend on the "
        "attack. The promise covers one record a patient and not the choice of settings. We did not test other "
        "attacks, nor whether some groups of patients are now served worse; that should be looked at before the "
        "change. What follows in law is yours to say.",
        others=[
            "Question: is it possible to learn, from the answers of our risk model alone, that a person was a "
            "patient of ours? We assumed an attacker who can send questions, who knows the kind of model and who "
            "holds other patients' data. Result: yes, clearly. In pairs of one training patient and one other, the "
            "attack picks the right one about eight times in ten, and nearly nine for one of our own staff; the "
            "uncertainty is a few points either way with our two thousand records. Most patients are hard to single "
            "out with certainty, but a minority stands above every stranger. What is revealed is that somebody was a "
            "patient and had their blood tested: no diagnosis, but a fact about their care that is theirs to tell. "
            "We have not shown what a better attack could do, and one trained model is not all models. "
            "Recommendation: train a replacement with a limit on each patient's influence, and restrict who may "
            "query the present forest until then. In three draws it cost us no accuracy that could be "
            "seen. Its guarantee is mathematical, for one "
            "record per patient; it says nothing about data we used to choose settings, and nothing about fairness. "
            "Whether any of this must be reported is for you to judge.",
            "Dear colleague, we tested the hospital's model for one danger: that its answers betray whose data it "
            "was built from. The test gave the attacker everything but who was in. The finding is "
            "serious: for a large part of the patients the model is noticeably surer than for strangers, and the "
            "attack orders 86 of 100 pairs correctly, plus or minus two. Some patients are scored "
            "above all strangers: in this test, with a line chosen afterwards, an accusation against them would have "
            "been right each time. Whoever is found out is known to have been our patient, which may "
            "harm some; whom, we cannot say. A simple look at confidence does not show this, because so many strangers "
            "are answered with full confidence too. An attacker who holds one's record and otherwise those of "
            "strangers did almost as well on average and caught more than half as many at ten false alarms. What we do "
            "not know: whether old or rare patients are hit harder, and what attacks the future brings. I recommend "
            "retraining with differential privacy at a price in accuracy too small for three draws "
            "to show, and repeating the audit every time the model is trained "
            "again. It "
            "promises that one record changes little, not that nobody is treated wrongly. The legal consequences are "
            "yours to draw.",
        ],
        hints=[
            "One or two sentences a line, such as: “We asked …”; “With ten of 1,000 strangers accused wrongly, … of "
            "1,000 patients are picked out by …”; “We recommend …; in three draws its price in accuracy was …”.",
            "Take the numbers from the table of counts and say each in words: what would guessing give?",
            "Who was trained on was a patient here, with a blood test. Name one thing that you do not know and that "
            "could change the recommendation.",
        ],
    )
)


# --- asked no more --------------------------------------------------------------------------------------------------


@chapter.retired_function(
    points=2,
    minutes=5,
    section="How many patients?",
    cases=data.numbers_of_records,
    oracle=data.spread_by_enumeration,
    hints=[
        "The formula is in the text above: a root, with the number of pairs below the line.",
        "Above the line stand the members plus the strangers plus one, below it twelve times their product.",
        "`np.sqrt((n_members + n_strangers + 1) / (12 * n_members * n_strangers))`.",
    ],
    means="An AUC within two of these of one half is what luck gives; plan an audit so that this is small enough.",
    why="It is the spread of the Mann-Whitney count of pairs when all orders are equally likely, divided by the number "
    "of pairs. With four times as many records on both sides it halves.",
)
def null_spread(n_members, n_strangers):
    """The standard deviation of the AUC by pure guessing, (k,): √((m + n + 1) / (12 m n)).

    n_members (k,), n_strangers (k,): how many of each, for k audits. The scores are taken to have no ties.
    """
    return np.sqrt((n_members + n_strangers + 1) / (12 * n_members * n_strangers))


@null_spread.right
def _by_parts(n_members, n_strangers):
    return ((1 / n_members + 1 / n_strangers + 1 / (n_members * n_strangers)) / 12) ** 0.5


@null_spread.right
def _by_count_of_pairs(n_members, n_strangers):
    pairs = n_members * n_strangers
    return np.sqrt(pairs * (n_members + n_strangers + 1) / 12) / pairs


@null_spread.mistake("That is the variance. Take its root for the standard deviation.")
def _variance(n_members, n_strangers):
    return (n_members + n_strangers + 1) / (12 * n_members * n_strangers)


@null_spread.mistake("You leave out the `+ 1`. With few records it matters.")
def _without_one(n_members, n_strangers):
    return np.sqrt((n_members + n_strangers) / (12 * n_members * n_strangers))


@null_spread.mistake("You leave out the 12, so that your spread is more than three times too large.")
def _without_twelve(n_members, n_strangers):
    return np.sqrt((n_members + n_strangers + 1) / (n_members * n_strangers))


@null_spread.mistake("You look at the members only. Few strangers make an audit as doubtful as few members.")
def _members_only(n_members, n_strangers):
    return np.sqrt((2 * n_members + 1) / (12 * n_members * n_members))


@null_spread.mistake("You divide by the number of records. Below the line stands the number of *pairs*, the product.")
def _records_for_pairs(n_members, n_strangers):
    return np.sqrt((n_members + n_strangers + 1) / (12 * (n_members + n_strangers)))


@null_spread.mistake("One over the root of the number of records is the rule for a mean, not for an AUC.")
def _as_for_a_mean(n_members, n_strangers):
    return 1 / np.sqrt(n_members + n_strangers)


guess_leak = chapter.retire(
    Prediction(
        "guess_leak",
        question="Three models of nearly equal accuracy. Which gives its patients away most?",
        section="What to advise",
        options=["full forest", "forest with ten a leaf", "logistic regression"],
    )
)


accept_private = chapter.retire(
    Choice(
        "accept_private",
        points=2,
        minutes=3,
        section="What to advise",
        options={
            "a": (
                "All our attacks failed on it, so nobody can find out who was in its training data.",
                "Attacks that fail prove nothing about other attacks. What speaks for this model is the promise, not "
                "our failure.",
            ),
            "b": (
                "One record changes any outcome's probability at most e-fold, but for a delta; the choice of "
                "settings is not covered.",
                "That is what was promised, with its limits. The limits belong into the same sentence.",
            ),
            "c": (
                "Its accuracy equals that of the forest, so it treats every patient as the forest does.",
                "Equal accuracy on average may hide that other patients are now told wrongly. Compare by group before "
                "you say so.",
            ),
            "d": (
                "The model is now anonymous in the sense of the law, for epsilon is small, so data protection law no "
                "longer applies to it.",
                "Whether a model is anonymous is a legal question about all means reasonably likely to be used. An "
                "epsilon helps to argue it and does not decide it. Nor does taking out names: in EU and UK law that is "
                "at most pseudonymisation, not anonymisation.",
            ),
        },
        answer="b",
        hints=[
            "Which of the sentences claims no more than what was shown or promised?",
            "“All attacks failed” and “accuracy is equal” are about what was tried, on average.",
            "Look for the sentence that names its own limits.",
        ],
    )
)
