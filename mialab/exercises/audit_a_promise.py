"""Exercises of notebook 18, audit a promise."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import audit_a_promise as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction
from mialab.metrics import at_least

chapter = Chapter("18_audit_a_promise")
recap = chapter.recap

# --- least_epsilon --------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=5,
    section="The promise turned round",
    cases=data.counts,
    oracle=data.epsilon_by_exact_intervals,
    real=data.many_trainings,
    hints=[
        "You want no more than the counts can bear. Should the rate of hits be taken low or high? And that of alarms?",
        "`at_least(hits, n, 0.025)` is the lower limit of tpr. An upper limit of fpr is 1 less a lower limit of the "
        "rate of those *not* called: `n - alarms` of n.",
        "With these two limits: `np.log((tpr - delta) / fpr)` if tpr is above delta, and never below 0.",
    ],
    means="From two counts, a floor for epsilon. Bad luck puts it above the truth in one audit of twenty at most.",
    why="The promise says tpr ≤ e^epsilon × fpr + delta. Solve for epsilon, and take from the counts what speaks least "
    "against the promise: the lowest tpr and the highest fpr that they leave open. Each may fail with a risk of 0.025.",
)
def least_epsilon(hits, alarms, n, delta):
    """The least epsilon that these counts leave open: log((tpr - delta) / fpr), or 0 where that is below 0.

    hits, alarms: so many of n trainings with the record, and of n without it, were called "with it". In the place of
    the counted rates stand their limits, each with a risk of 0.025: for tpr the lower, for fpr the upper one. Where tpr
    is not above delta the answer is 0.
    """
    from mialab.metrics import at_least

    tpr, fpr = at_least(hits, n, 0.025), 1 - at_least(n - alarms, n, 0.025)
    return max(0.0, np.log((tpr - delta) / fpr)) if tpr > delta else 0.0


@least_epsilon.right
def _by_the_beta_distribution(hits, alarms, n, delta):
    from scipy.stats import beta

    tpr = beta.ppf(0.025, hits, n - hits + 1) if hits else 0.0
    fpr = beta.ppf(0.975, alarms + 1, n - alarms) if alarms < n else 1.0
    if tpr <= delta:
        return 0
    return max(np.log(tpr - delta) - np.log(fpr), 0)


@least_epsilon.right
def _by_the_package(hits, alarms, n, delta):
    from mialab.privacy import _bound

    return max(0.0, float(_bound(hits, alarms, n, n, delta, 0.025)))


def _turned_round(tpr, fpr, delta):
    return max(0.0, np.log((tpr - delta) / fpr)) if tpr > delta and fpr > 0 else 0.0


@least_epsilon.mistake(
    "You take the counted rates: by luck tpr may be too high and fpr too low. Take the lower limit of tpr and the "
    "upper one of fpr."
)
def _as_counted(hits, alarms, n, delta):
    return _turned_round(hits / n, alarms / n, delta)


@least_epsilon.mistake(
    "For fpr you take the lower limit, too. The strangers' rate may be *higher* than counted: take the greatest, "
    "`1 - at_least(n - alarms, n, 0.025)`."
)
def _alarms_too_low(hits, alarms, n, delta):
    return _turned_round(at_least(hits, n, 0.025), at_least(alarms, n, 0.025), delta)


@least_epsilon.mistake(
    "`1 - at_least(alarms, …)` is about those who raised *no* alarm. The greatest rate of alarms is one less the least "
    "rate of the rest: `1 - at_least(n - alarms, n, 0.025)`."
)
def _the_least_of_the_alarms(hits, alarms, n, delta):
    return _turned_round(at_least(hits, n, 0.025), 1 - at_least(alarms, n, 0.025), delta)


@least_epsilon.mistake("Only tpr is taken at its limit. The counted fpr may be too low by luck: take its upper limit.")
def _alarms_as_counted(hits, alarms, n, delta):
    return _turned_round(at_least(hits, n, 0.025), alarms / n, delta)


@least_epsilon.mistake("Only fpr is taken at its limit. The counted tpr may be too high by luck: take its lower limit.")
def _hits_as_counted(hits, alarms, n, delta):
    return _turned_round(hits / n, 1 - at_least(n - alarms, n, 0.025), delta)


@least_epsilon.mistake(
    "Each limit has a risk of 0.05, so one of the two may fail in one audit of ten. Give each 0.025."
)
def _too_much_risk(hits, alarms, n, delta):
    return _turned_round(at_least(hits, n, 0.05), 1 - at_least(n - alarms, n, 0.05), delta)


@least_epsilon.mistake("You leave delta out: it is taken from tpr, for so much the promise allows anyway.")
def _without_delta(hits, alarms, n, delta):
    return least_epsilon.function(hits, alarms, n, 0.0)


@least_epsilon.mistake("You take delta from epsilon. It is a share, and comes off tpr, inside the logarithm.")
def _delta_outside(hits, alarms, n, delta):
    return max(0.0, least_epsilon.function(hits, alarms, n, 0.0) - delta)


@least_epsilon.mistake("That is the ratio. Epsilon is its natural logarithm.")
def _without_the_logarithm(hits, alarms, n, delta):
    tpr, fpr = at_least(hits, n, 0.025), 1 - at_least(n - alarms, n, 0.025)
    return max(0.0, (tpr - delta) / fpr)


@least_epsilon.mistake("Your logarithm has the base 2. Epsilon is the natural one, `np.log`.")
def _in_bits(hits, alarms, n, delta):
    return least_epsilon.function(hits, alarms, n, delta) / np.log(2)


@least_epsilon.mistake("The ratio is upside down: the limit of tpr, less delta, stands above that of fpr.")
def _upside_down(hits, alarms, n, delta):
    tpr, fpr = at_least(hits, n, 0.025), 1 - at_least(n - alarms, n, 0.025)
    return max(0.0, np.log(fpr / (tpr - delta))) if tpr > delta else 0.0


@least_epsilon.mistake("An epsilon below 0 says no more than 0 does: cut it off, `max(0.0, …)`.")
def _not_cut_off(hits, alarms, n, delta):
    tpr, fpr = at_least(hits, n, 0.025), 1 - at_least(n - alarms, n, 0.025)
    return np.log((tpr - delta) / fpr) if tpr > delta else 0.0


# --- caught_or_not --------------------------------------------------------------------------------------------------

caught_or_not = chapter.add(
    Prediction(
        "caught_or_not",
        question="Half of the noise is missing. Does the audit of 4,000 trainings catch it?",
        options=["yes", "no"],
        section="Broken on purpose",
        hints="How far above the claim is the truth? And how near to the truth did the audit of the kept promise come?",
    )
)

# --- right_guesses --------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=4,
    section="One run",
    cases=data.guesses,
    oracle=data.right_by_ranks,
    real=data.as_many_canaries,
    hints=[
        "Sort the canaries by score. Which of them do you call planted, and which not?",
        "`order = np.argsort(scores)` has the lowest first: `order[:half]` and `order[-half:]` are the two ends.",
        "Right at the top are those who were planted, `planted[order[-half:]].sum()`; at the bottom, those who were "
        "not.",
    ],
    means="Silence about the middle costs nothing, and the ends are where the model speaks.",
    why="A guess is worth most where the score is extreme. The promise limits how often *any* guess is right, also the "
    "surest ones, so an auditor may choose about whom to guess, as long as they have not looked at who was planted.",
)
def right_guesses(scores, planted, n_guesses):
    """How many guesses are right, if half of them say "planted" and half say "not planted".

    scores (m,): high speaks for planted, and no two are equal; planted (m,) bool: the truth; n_guesses: an even number,
    at most m. The n_guesses / 2 highest are guessed to be planted, as many of the lowest not to be; of the others
    nothing is said.
    """
    order, half = np.argsort(scores), n_guesses // 2
    return planted[order[-half:]].sum() + (~planted[order[:half]]).sum()


@right_guesses.right
def _by_thresholds(scores, planted, n_guesses):
    ranked = np.sort(scores)
    half = n_guesses // 2
    top, bottom = scores >= ranked[-half], scores <= ranked[half - 1]
    return int((top & planted).sum() + (bottom & ~planted).sum())


@right_guesses.right
def _by_a_loop(scores, planted, n_guesses):
    right = 0
    for i in range(len(scores)):
        above = sum(other > scores[i] for other in scores)
        below = sum(other < scores[i] for other in scores)
        if above < n_guesses // 2 and planted[i]:
            right += 1
        if below < n_guesses // 2 and not planted[i]:
            right += 1
    return right


@right_guesses.mistake(
    "You count the planted at both ends. At the bottom a guess is right where one was *not* planted."
)
def _planted_at_both_ends(scores, planted, n_guesses):
    order, half = np.argsort(scores), n_guesses // 2
    return planted[order[-half:]].sum() + planted[order[:half]].sum()


@right_guesses.mistake("You guess about the top only. Half of the guesses go to the lowest scores: not planted.")
def _top_only(scores, planted, n_guesses):
    return planted[np.argsort(scores)[-(n_guesses // 2) :]].sum()


@right_guesses.mistake("You call the `n_guesses` highest planted. Half of the guesses go to the lowest: not planted.")
def _all_at_the_top(scores, planted, n_guesses):
    return planted[np.argsort(scores)[-n_guesses:]].sum()


@right_guesses.mistake(
    "You guess about `n_guesses` at either end. In all there are `n_guesses`: half of them at each end."
)
def _twice_as_many(scores, planted, n_guesses):
    order = np.argsort(scores)
    return planted[order[-n_guesses:]].sum() + (~planted[order[:n_guesses]]).sum()


@right_guesses.mistake("That is the number of wrong guesses. Count the right ones: a high score speaks for planted.")
def _swapped(scores, planted, n_guesses):
    return right_guesses.function(-scores, planted, n_guesses)


@right_guesses.mistake("You return the share of the guesses that are right. The number is asked for.")
def _share(scores, planted, n_guesses):
    return right_guesses.function(scores, planted, n_guesses) / n_guesses


@right_guesses.mistake("You make no use of the scores: the first and the last of the *sorted* ones are guessed about.")
def _unsorted(scores, planted, n_guesses):
    half = n_guesses // 2
    return planted[-half:].sum() + (~planted[:half]).sum()


@right_guesses.mistake("You guess about everyone. Of those in the middle nothing is said.")
def _about_everyone(scores, planted, n_guesses):
    order, half = np.argsort(scores), len(scores) // 2
    return planted[order[half:]].sum() + (~planted[order[:half]]).sum()


@right_guesses.mistake(
    "You cut at the median and guess about everyone. Guess about the highest and the lowest alone, `n_guesses` in all."
)
def _above_the_median(scores, planted, n_guesses):
    return ((scores > np.median(scores)) == planted).sum()


# --- found_nothing --------------------------------------------------------------------------------------------------

found_nothing = chapter.add(
    Choice(
        "found_nothing",
        points=2,
        minutes=2,
        section="What finding nothing means",
        options={
            "a": (
                "The promise is kept: with 95% confidence epsilon is about 0.3, so the owner was even too careful.",
                "0.3 is a lower limit, no estimate. The truth may lie anywhere above it, also above 4.",
            ),
            "b": (
                "Nothing at all: an audit that looks at a single training can never tell anything about a promise.",
                "“Never” is too much: with records enough, and a model that learns them by heart, one training shows a "
                "good deal.",
            ),
            "c": (
                "This test did not refute the promise; what it could have refuted, its power, must be told with it.",
                "100 guesses, all of them right, would have shown less than 4. So no model could have failed it, "
                "and a test that cannot fail is no evidence.",
            ),
            "d": (
                "The promise is broken: 0.3 is not 4, and an honest audit would have found the epsilon claimed.",
                "Only a lower limit *above* the claim refutes it. Kept promises give limits far below the claim.",
            ),
        },
        answer="c",
        hints=[
            "Is the 0.3 an estimate, or a limit?",
            "What would this audit have said of a model that keeps no promise at all?",
            "Before you believe a test that found nothing, ask what it would have found.",
        ],
    )
)
