"""Exercises of notebook 12, who is exposed?"""

from __future__ import annotations

from mialab.exercises._cases import who_is_exposed as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Prediction

chapter = Chapter("12_who_is_exposed")
recap = chapter.recap

how_many = chapter.add(
    Prediction(
        "how_many",
        question="Of the 150 flowers, for how many does the net give itself away almost always (exposure above 0.9)?",
        between=(0, 150),
        section="The average says no",
        hints="The average over all flowers is close to a coin. How many flowers far from a coin could it hide? And "
        "flower 83 of notebook 06 was one.",
    )
)


# --- in_out_auc -----------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=5,
    section="One flower, many nets",
    cases=data.sure_shadows,
    oracle=data.area_by_loops,
    real=data.sure_of_the_garden,
    hints=[
        "It is the AUC of notebook 06, with nets in place of flowers: nets with the flower against nets without it.",
        "`inside = sure[in_mask[:, i], i]` are the nets with flower i, `outside = sure[~in_mask[:, i], i]` the others.",
        "`inside[:, None] > outside` compares every pair. Its mean is the share won; add half the share of ties.",
    ],
    means="That is the exposure of one flower: it speaks of this flower alone, whatever the average over all may say.",
    why="Each net with the flower meets each net without it. A half for equal pairs, because a coin would decide them. "
    "Nets that answer alike give 0.5, nets that can always be told apart give 1.",
)
def in_out_auc(sure, in_mask, i):
    """How often a net that had flower i as a member is surer of it than a net that had not, over all such pairs.

    sure (K, n): the confidence of net k in the recorded species of each flower; in_mask (K, n): True where the flower
    was a member of net k. Equal confidences count half.
    """
    inside, outside = sure[in_mask[:, i], i], sure[~in_mask[:, i], i]
    return (inside[:, None] > outside).mean() + (inside[:, None] == outside).mean() / 2


@in_out_auc.right
def _by_the_measure(sure, in_mask, i):
    from mialab.metrics import auc

    return auc(sure[:, i], in_mask[:, i])


@in_out_auc.right
def _by_ranks(sure, in_mask, i):
    from scipy.stats import rankdata

    inside = in_mask[:, i]
    m, n = inside.sum(), (~inside).sum()
    return (rankdata(sure[:, i])[inside].sum() - m * (m + 1) / 2) / (m * n)


@in_out_auc.mistake(
    "Nets with and without the flower have changed places: yours is one minus the answer. Count how often a net *with* "
    "it is the surer."
)
def _swapped(sure, in_mask, i):
    return 1 - in_out_auc.function(sure, in_mask, i)


@in_out_auc.mistake("You leave out the pairs that are equally sure. Each of them counts half.")
def _without_ties(sure, in_mask, i):
    inside, outside = sure[in_mask[:, i], i], sure[~in_mask[:, i], i]
    return (inside[:, None] > outside).mean()


@in_out_auc.mistake(
    "You count pairs that are equally sure as won. A coin would win half of them: use `>`, and add half."
)
def _ties_won(sure, in_mask, i):
    inside, outside = sure[in_mask[:, i], i], sure[~in_mask[:, i], i]
    return (inside[:, None] >= outside).mean()


@in_out_auc.mistake(
    "You take row i: one net and all its flowers. Flower i is a column, `sure[:, i]`, with one value for each net."
)
def _row_for_column(sure, in_mask, i):
    inside, outside = sure[i][in_mask[i]], sure[i][~in_mask[i]]
    return (inside[:, None] > outside).mean() + (inside[:, None] == outside).mean() / 2


@in_out_auc.mistake(
    "That is how much surer the nets with the flower are on average. The exposure is a share of pairs: how *often* is "
    "one of them the surer?"
)
def _mean_difference(sure, in_mask, i):
    return sure[in_mask[:, i], i].mean() - sure[~in_mask[:, i], i].mean()


@in_out_auc.mistake(
    "You compare two averages: that is one win or none. Count the pairs: how often is a net with it surer than a net "
    "without it?"
)
def _means_compared(sure, in_mask, i):
    return float(sure[in_mask[:, i], i].mean() > sure[~in_mask[:, i], i].mean())


@in_out_auc.mistake(
    "You compare `inside` with `outside` place by place, and they may differ in length. Every net with the flower "
    "meets every net without it: `inside[:, None] > outside`, and equal pairs count half."
)
def _place_by_place(sure, in_mask, i):
    inside, outside = sure[in_mask[:, i], i], sure[~in_mask[:, i], i]
    return (inside > outside).mean() + (inside == outside).mean() / 2


@in_out_auc.mistake(
    "You return how many pairs are won. The exposure is a share: divide by the number of pairs, or take the mean."
)
def _counts(sure, in_mask, i):
    inside, outside = sure[in_mask[:, i], i], sure[~in_mask[:, i], i]
    return (inside[:, None] > outside).sum() + (inside[:, None] == outside).sum() / 2


@in_out_auc.mistake(
    "You return how many pairs are won, and leave out those that are equally sure. The exposure is a share of all "
    "pairs, an equal one counting half."
)
def _counts_without_ties(sure, in_mask, i):
    return (sure[in_mask[:, i], i][:, None] > sure[~in_mask[:, i], i]).sum()


@in_out_auc.mistake(
    "You pair the first net with the first, the second with the second. Every net with the flower meets every net "
    "without it: `inside[:, None] > outside`."
)
def _in_step(sure, in_mask, i):
    inside, outside = sure[in_mask[:, i], i], sure[~in_mask[:, i], i]
    n = min(len(inside), len(outside))
    return (inside[:n] > outside[:n]).mean() + (inside[:n] == outside[:n]).mean() / 2


@in_out_auc.mistake(
    "You compare all flowers of all nets at once. That is the average that hides the few: take column i of both tables."
)
def _all_flowers(sure, in_mask, i):
    inside, outside = sure[in_mask], sure[~in_mask]
    return (inside[:, None] > outside).mean() + (inside[:, None] == outside).mean() / 2


# --- guesses --------------------------------------------------------------------------------------------------------

rare_group = chapter.add(
    Prediction(
        "rare_group",
        question="Of 50 virginicas only 8 stay in the pool. What happens to the exposure of those eight?",
        options=["lower", "about the same", "higher"],
        section="Who is rare",
        hints="With fifty of a kind, a net can learn about one of them from the others. From whom can it learn about "
        "one of eight?",
    )
)

the_next_ten = chapter.add(
    Prediction(
        "the_next_ten",
        question="The five most exposed leave the pool, and new nets are trained. What happens to the exposure of the "
        "next ten?",
        options=["lower", "about the same", "higher"],
        section="Take the five away",
        hints="Nothing about the next ten has changed. What has changed around them?",
    )
)

# These were asked here once; assignments that are out look for them.
from mialab.exercises.two_strong_attacks import likelihood_ratio, relative_rank, which_number  # noqa: E402, F401
