"""Exercises of notebook 13, two strong attacks."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import two_strong_attacks as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction
from mialab.metrics import precision

chapter = Chapter("13_two_strong_attacks")
recap = chapter.recap

# --- likelihood_ratio -----------------------------------------------------------------------------------------------


@chapter.function(
    points=4,
    minutes=6,
    section="Two bells",
    cases=data.two_groups,
    oracle=data.ratio_by_density,
    real=data.bells_of_the_net,
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
    minutes=5,
    section="Surer than usual",
    cases=data.confidences,
    oracle=data.rank_by_loops,
    real=data.confidences_of_the_garden,
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


@relative_rank.mistake(
    "You take the mean over the candidates, and so rank the population. One share for each *candidate*: the mean runs "
    "over the population, `(relative[:, None] > others).mean(axis=1)`."
)
def _axes_swapped(own, usual, own_others, usual_others):
    relative, others = (own / usual)[:, None], own_others / usual_others
    return (relative > others).mean(axis=0) + (relative == others).mean(axis=0) / 2


@relative_rank.mistake(
    "You rank each record of the population among the candidates. Rank each *candidate* among the population: "
    "`(own / usual)[:, None] > own_others / usual_others`, then the mean with `axis=1`."
)
def _places_swapped(own, usual, own_others, usual_others):
    return relative_rank.function(own_others, usual_others, own, usual)


@relative_rank.mistake("You return counts. Divide by the size of the population, or take the mean over it.")
def _counts(own, usual, own_others, usual_others):
    return relative_rank.function(own, usual, own_others, usual_others) * len(own_others)


# --- gamma_two ------------------------------------------------------------------------------------------------------

gamma_two = chapter.add(
    Prediction(
        "gamma_two",
        question="With gamma 2 in place of 1, what happens to the AUC of RMIA on these nets?",
        options=["lower", "about the same", "higher"],
        section="Surer than usual",
        hints="A candidate now counts only the records that it outdoes twice over. How many candidates are there of "
        "whom the target is twice as sure as usual?",
    )
)

# --- which_number ---------------------------------------------------------------------------------------------------

which_number = chapter.add(
    Choice(
        "which_number",
        points=2,
        minutes=2,
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
