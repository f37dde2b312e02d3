"""Exercises of notebook 12, who is exposed?"""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import who_is_exposed as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction
from mialab.metrics import precision

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
    minutes=7,
    section="One flower, a thousand nets",
    cases=data.sure_shadows,
    oracle=data.area_by_loops,
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
def _by_sign(sure, in_mask, i):
    inside, outside = sure[in_mask[:, i], i], sure[~in_mask[:, i], i]
    return (1 + np.sign(np.subtract.outer(inside, outside)).mean()) / 2


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


# --- likelihood_ratio -----------------------------------------------------------------------------------------------


@chapter.function(
    points=4,
    minutes=8,
    section="Two bells",
    cases=data.two_groups,
    oracle=data.ratio_by_density,
    hints=[
        "The logarithm of a ratio is a difference of logarithms. So write down the log of one bell's height first.",
        "The log of exp(−z² / 2) / (sd · √(2π)) is −z² / 2 − log(sd) − log(√(2π)), with z = (own − mean) / sd. The "
        "last term is the same for both bells.",
        "`-np.log(inside.std()) - ((own - inside.mean()) / inside.std()) ** 2 / 2` is the first bell; subtract the "
        "same for `outside`.",
    ],
    means="That is LiRA for one record: above zero, the answer is likelier from a model that had it.",
    why="Each bell has a mean and a width of its own, from the shadows with the record and from those without it. The "
    "width counts twice: it scales z, and a narrow bell is higher. The factor √(2π) is in both and cancels.",
)
def likelihood_ratio(own, inside, outside):
    """Natural log of the height of `inside`'s bell at own, minus that of `outside`'s bell.

    own: the target's log-odds about one record (a number); inside, outside: the log-odds of shadows with it and of
    shadows without it. Each bell has the mean and the standard deviation (np.std, as it is) of its group.
    """
    z_in = (own - inside.mean()) / inside.std()
    z_out = (own - outside.mean()) / outside.std()
    return (-np.log(inside.std()) - z_in**2 / 2) - (-np.log(outside.std()) - z_out**2 / 2)


@likelihood_ratio.right
def _by_scipy(own, inside, outside):
    from scipy.stats import norm

    return norm.logpdf(own, inside.mean(), inside.std()) - norm.logpdf(own, outside.mean(), outside.std())


@likelihood_ratio.right
def _by_variances(own, inside, outside):
    a, b = inside.var(), outside.var()
    return (np.log(b / a) - (own - inside.mean()) ** 2 / a + (own - outside.mean()) ** 2 / b) / 2


@likelihood_ratio.right
def _by_the_two_heights(own, inside, outside):
    def height(values):
        z = (own - np.mean(values)) / np.std(values)
        return np.exp(-(z**2) / 2) / (np.std(values) * np.sqrt(2 * np.pi))

    return np.log(height(inside)) - np.log(height(outside))


@likelihood_ratio.right
def _by_their_ratio(own, inside, outside):
    import math

    def height(values):
        z = (own - values.mean()) / values.std()
        return math.exp(-(z**2) / 2) / (values.std() * math.sqrt(2 * math.pi))

    return math.log(height(inside) / height(outside))


@likelihood_ratio.mistake(
    "You compare the two z² and forget the widths: a narrow bell is higher than a wide one. Subtract log(sd) for each."
)
def _without_the_widths(own, inside, outside):
    z_in = (own - inside.mean()) / inside.std()
    z_out = (own - outside.mean()) / outside.std()
    return (z_out**2 - z_in**2) / 2


@likelihood_ratio.mistake(
    "Your bells have the standard deviation with `ddof=1`, which is a little wider. Take `np.std` as it is, here in "
    "both bells."
)
def _one_degree_less(own, inside, outside):
    def height(values):
        return -np.log(values.std(ddof=1)) - ((own - values.mean()) / values.std(ddof=1)) ** 2 / 2

    return height(inside) - height(outside)


@likelihood_ratio.mistake("That is the logarithm to base 10. The natural one, `np.log`, is asked for.")
def _base_10(own, inside, outside):
    return likelihood_ratio.function(own, inside, outside) / np.log(10)


@likelihood_ratio.mistake("That is the logarithm to base 2. The natural one, `np.log`, is asked for.")
def _base_2(own, inside, outside):
    return likelihood_ratio.function(own, inside, outside) / np.log(2)


@likelihood_ratio.mistake("The sign is turned round: the bell of the shadows *with* the record comes first.")
def _swapped(own, inside, outside):
    return likelihood_ratio.function(own, outside, inside)


@likelihood_ratio.mistake(
    "Each z² is divided by 2 in the exponent of a bell. Without it the distances count twice as much as they should."
)
def _without_the_half(own, inside, outside):
    def height(values):
        return -np.log(values.std()) - ((own - values.mean()) / values.std()) ** 2

    return height(inside) - height(outside)


@likelihood_ratio.mistake("You divide by the variance. z is a distance in standard deviations: use `np.std`.")
def _variance_for_sd(own, inside, outside):
    def height(values):
        return -np.log(values.var()) - ((own - values.mean()) / values.var()) ** 2 / 2

    return height(inside) - height(outside)


@likelihood_ratio.mistake(
    "You draw both bells with one common width. Each group has its own: often the shadows without the record spread "
    "far wider."
)
def _one_width(own, inside, outside):
    both = np.concatenate([inside - inside.mean(), outside - outside.mean()]).std()
    return ((own - outside.mean()) ** 2 - (own - inside.mean()) ** 2) / (2 * both**2)


@likelihood_ratio.mistake(
    "That is the ratio itself; its logarithm is asked for. Attackers use the logarithm because ratios of tiny heights "
    "underflow to zero or overflow."
)
def _the_ratio(own, inside, outside):
    return np.exp(np.clip(likelihood_ratio.function(own, inside, outside), -700, 700))


@likelihood_ratio.mistake(
    "You compare how far the answer is from each mean, in standard deviations. A bell falls with the *square* of that, "
    "and its height depends on its width."
)
def _distances(own, inside, outside):
    return abs(own - outside.mean()) / outside.std() - abs(own - inside.mean()) / inside.std()


# --- relative_rank --------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=7,
    section="Surer than usual",
    cases=data.confidences,
    oracle=data.rank_by_loops,
    hints=[
        "First one number for each record: how many times as sure as usual is the target? Then count.",
        "`relative = own / usual` and `others = own_others / usual_others`. `relative[:, None] > others` compares each "
        "candidate with each record of the population.",
        "Take `.mean(axis=1)` of that, and add half of `(relative[:, None] == others).mean(axis=1)`.",
    ],
    means="That is the score of RMIA: a record is suspected when the target is surer of it than usual, more so "
    "than of other records.",
    why="Dividing by what is usual takes out that some flowers are easy for every model. The population then turns the "
    "quotient into a share between 0 and 1. Equal ones count half, so that a record compared with itself neither gains "
    "nor loses.",
)
def relative_rank(own, usual, own_others, usual_others):
    """For each candidate, the share of a population whose relative confidence is below its own, (n,).

    Relative confidence is own / usual. own, usual (n,): the target's confidence in each candidate's recorded label, and
    what is usual for it; own_others, usual_others (m,): the same of the population. Equal ones count half.
    """
    relative, others = (own / usual)[:, None], own_others / usual_others
    return (relative > others).mean(axis=1) + (relative == others).mean(axis=1) / 2


@relative_rank.right
def _by_searching(own, usual, own_others, usual_others):
    others = np.sort(own_others / usual_others)
    below, not_above = (np.searchsorted(others, own / usual, side) for side in ("left", "right"))
    return (below + not_above) / (2 * len(others))


@relative_rank.right
def _by_a_loop(own, usual, own_others, usual_others):
    others = own_others / usual_others
    return np.array([((others < r).mean() + (others <= r).mean()) / 2 for r in own / usual])


@relative_rank.mistake(
    "You subtract what is usual. Relative confidence is a quotient, own / usual: from 0.1 to 0.2 is twice as sure, "
    "from 0.8 to 0.9 hardly surer."
)
def _differences(own, usual, own_others, usual_others):
    relative, others = (own - usual)[:, None], own_others - usual_others
    return (relative > others).mean(axis=1) + (relative == others).mean(axis=1) / 2


@relative_rank.mistake(
    "It is turned round. Either you divide usual by own: own / usual is large where the target is surer than usual. Or "
    "you count the records above the candidate: count those *below* it, so that a suspected one gets a high score."
)
def _upside_down(own, usual, own_others, usual_others):
    return relative_rank.function(usual, own, usual_others, own_others)


@relative_rank.mistake("You count equal ones as below. Each counts half.")
def _equal_counts_whole(own, usual, own_others, usual_others):
    return ((own / usual)[:, None] >= own_others / usual_others).mean(axis=1)


@relative_rank.mistake("You leave out the equal ones. Each counts half: a record compared with itself should not lose.")
def _equal_counts_nothing(own, usual, own_others, usual_others):
    return ((own / usual)[:, None] > own_others / usual_others).mean(axis=1)


@relative_rank.mistake(
    "You compare the plain confidences, and what is usual plays no part. So easy flowers come first, members or not: "
    "divide by `usual` and `usual_others`."
)
def _not_calibrated(own, usual, own_others, usual_others):
    return relative_rank.function(own, np.ones_like(usual), own_others, np.ones_like(usual_others))


@relative_rank.mistake(
    "You calibrate the candidates and not the population. Both sides of the comparison must be relative confidences."
)
def _half_calibrated(own, usual, own_others, usual_others):
    return relative_rank.function(own, usual, own_others, np.ones_like(usual_others))


@relative_rank.mistake(
    "You rank the candidates among themselves. Compare each with the *population*, the other records: "
    "`own_others / usual_others`."
)
def _among_themselves(own, usual, own_others, usual_others):
    return relative_rank.function(own, usual, own, usual)


@relative_rank.mistake("You return counts. Divide by the size of the population, or take the mean over it.")
def _counts(own, usual, own_others, usual_others):
    return relative_rank.function(own, usual, own_others, usual_others) * len(own_others)


# --- choice and guess -----------------------------------------------------------------------------------------------

which_number = chapter.add(
    Choice(
        "which_number",
        points=2,
        minutes=3,
        section="Few false alarms",
        options={
            "a": (
                "0.54 is close to 0.5, so no patient is at risk.",
                "An average over patients says nothing about each of them. The few who are caught at one false alarm "
                "in a thousand are hidden in it.",
            ),
            "b": (
                "5% is a small share. The two numbers agree that the risk is small.",
                "Small compared with what? At a false-positive rate of 0.1%, chance would catch 0.1% of the members. "
                "5% is fifty times that.",
            ),
            "c": (
                "On average the attacker is close to guessing; a few patients are named fifty times as often as by "
                "chance.",
                f"If half of the candidates are members, {100 * precision(0.05, 0.001, 0.5):.0f} of 100 such "
                f"accusations are right. If one in a hundred is, {100 * precision(0.05, 0.001, 0.01):.0f} are: the "
                "base rate of notebook 07 still counts. For those who are named the average is no comfort.",
            ),
            "d": (
                "The attacker is right about 54% of the patients.",
                "AUC is no share of patients: it is how often a member outranks a stranger, over pairs of one each.",
            ),
        },
        answer="c",
        hints=[
            "The two numbers answer two questions. One is about all patients, the other about those accused first.",
            "How many members would an attacker catch who draws lots, at a false-positive rate of 0.1%?",
            "Compare 5% with 0.1%, not with 100%.",
        ],
    )
)

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
