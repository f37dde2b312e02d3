"""Differential privacy in numbers: what noise buys, what the promise allows an attacker, and audits of the promise.

Notebook 12 builds the promise from a coin. Two training sets are neighbours if one has a single record more than the
other. Training is (epsilon, delta)-private if, for any two neighbours and any set of outcomes, the probability of the
outcome with one set is at most e^epsilon times that with the other, plus delta (Dwork & Roth, "The Algorithmic
Foundations of Differential Privacy", 2014, definition 2.4). The figures come from the library dp-accounting.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, log, log1p, sqrt
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks

if TYPE_CHECKING:
    from dp_accounting import DpEvent

    from mialab.nets import NetClassifier

LEAST_NOISE = 0.3  # with less, subsampled steps promise next to nothing, and their accounting takes minutes


def epsilon_of(noise: float, n_steps: int, delta: float, sampling: float = 1.0) -> float:
    """The epsilon that n_steps of clipped sums with this much noise keep, at this delta.

    `noise` is the standard deviation of the noise in units of the clip, `sampling` the probability with which a record
    counts in a step, as in `mialab.nets`. Infinite without noise. Without subsampling many steps are one of noise /
    sqrt(n_steps), and the figure is exact (Dong, Roth & Su, "Gaussian Differential Privacy", JRSS B 2022, corollary
    3.3); with it an accountant of privacy-loss distributions composes them, and rounds up.

    Raises ValueError for numbers out of range.
    """
    noise, delta = _positive("noise", noise, zero=True), _inside("delta", delta)
    n_steps, sampling = _checks.whole_number("n_steps", n_steps, 1), _sampling(sampling)
    if noise == 0:
        return inf
    import dp_accounting as dp

    if sampling == 1:
        return float(dp.get_epsilon_gaussian(noise / sqrt(n_steps), delta))
    return float(dp.pld.PLDAccountant().compose(_sampled(noise, n_steps, sampling)).get_epsilon(delta))


def noise_for(epsilon: float, n_steps: int, delta: float, sampling: float = 1.0) -> float:
    """The least noise with which n_steps keep (epsilon, delta): the inverse of `epsilon_of`, or a hair above it.

    Raises ValueError for numbers out of range, and with subsampling where a noise below 0.3 would do.
    """
    epsilon, delta = _positive("epsilon", epsilon), _inside("delta", delta)
    n_steps, sampling = _checks.whole_number("n_steps", n_steps, 1), _sampling(sampling)
    import dp_accounting as dp

    unsampled = dp.get_sigma_gaussian(epsilon, delta) * sqrt(n_steps) * (1 + 1e-6)
    if sampling == 1:
        return float(unsampled)
    if unsampled <= LEAST_NOISE or epsilon_of(LEAST_NOISE, n_steps, delta, sampling) <= epsilon:
        raise ValueError(
            f"epsilon is {epsilon:g}, which a noise below {LEAST_NOISE} keeps over {n_steps} steps with sampling "
            f"{sampling:g}; it should be smaller, or sampling larger"
        )
    return float(
        dp.calibrate_dp_mechanism(
            dp.pld.PLDAccountant,
            lambda noise: _sampled(noise, n_steps, sampling),
            epsilon,
            delta,
            bracket_interval=dp.ExplicitBracketInterval(LEAST_NOISE, unsampled),  # subsampling never needs more
            tol=1e-3,
        )
    )


def _sampled(noise: float, n_steps: int, sampling: float) -> DpEvent:
    """Subsampled training, as the accountant takes it."""
    import dp_accounting as dp

    return dp.SelfComposedDpEvent(dp.PoissonSampledDpEvent(sampling, dp.GaussianDpEvent(noise)), n_steps)


@dataclass(frozen=True)
class Promise:
    """What a private net promises, and to whom; `str` reads as sentences.

    `epsilon`, `delta`: the budget. `not_covered`: what was done with the records outside the training itself.
    """

    epsilon: float
    delta: float
    noise: float
    n_steps: int
    sampling: float
    not_covered: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.epsilon == inf:
            return "Nothing is promised: there is no noise."
        words = (
            f"The weights are ({self.epsilon:.2f}, {self.delta:g})-differentially private for one record added or "
            f"removed: {self.n_steps} steps, noise {self.noise:.3g} times the clip, each record in a step with "
            f"probability {self.sampling:g}. All of a person's records are covered only if they have one."
        )
        if self.not_covered:
            words += f" Not covered: {'; '.join(self.not_covered)}."
        return words + " The promise needs a secret random_state and holds for one release."


def promise(
    net: NetClassifier,
    delta: float,
    *,
    preprocessing: str = "unknown",
    tuning: str = "unknown",
    labels: str = "unknown",
) -> Promise:
    """What a `NetClassifier` trained with these settings promises, at this delta.

    `preprocessing` (scaling, choice of columns), `tuning` (choice of settings) and `labels` (the list of classes) say
    whether each was "public": done without looking at the members. "members" if it read them, "unknown" if you cannot
    say: then it is named among what is not covered.

    Raises ValueError for a net without a clip, and for other words.
    """
    if net.clip is None:
        raise ValueError("net has clip=None: nothing limits what one record does; private training needs a clip")
    open_ends = []
    for name, value in (("preprocessing", preprocessing), ("tuning", tuning), ("labels", labels)):
        if value not in ("public", "members", "unknown"):
            raise ValueError(f'{name} is {value!r}; it should be "public", "members" or "unknown"')
        if value != "public":
            open_ends.append(
                f"{name}, {'which read the members' if value == 'members' else 'of which nothing is said'}"
            )
    epsilon = epsilon_of(net.noise, net.epochs, delta, net.sampling)
    return Promise(epsilon, delta, net.noise, net.epochs, net.sampling, tuple(open_ends))


def tpr_bound(fpr: Any, epsilon: float, delta: float = 0.0) -> Any:
    """The largest share of members that any attack can catch at each false-positive rate, if the promise holds.

    The smaller of e^epsilon × fpr + delta and 1 - e^-epsilon × (1 - fpr - delta) (Kairouz, Oh & Viswanath, "The
    Composition Theorem for Differential Privacy", ICML 2015, theorem 2.1), kept within 0 and 1.

    The promise must be for what tells a member's world from a stranger's. A promise for one record added or removed
    fits where each record was put in by a coin of its own. Where another record takes the place of one left out, as in
    halves of a fixed size, two records differ: then ask for 2 epsilon and (1 + e^epsilon) delta (Dwork & Roth 2014,
    theorem 2.2, on groups, gives that epsilon).

    Raises ValueError for numbers out of range.
    """
    epsilon = _positive("epsilon", epsilon, zero=True)
    delta = _checks.fraction("delta", delta)
    fpr = _checks.numbers("fpr", fpr, "it should hold false-positive rates from 0 to 1")
    if not ((fpr >= 0) & (fpr <= 1)).all():
        raise ValueError("fpr holds numbers outside 0 to 1; a rate is a share")
    many = exp(min(epsilon, 700.0)) * fpr + delta
    bound = np.clip(np.minimum(many, 1 - exp(-epsilon) * (1 - fpr - delta)), 0, 1)
    return bound if bound.ndim else float(bound)


@dataclass(frozen=True)
class EpsilonAudit:
    """What many runs with and without one record say of epsilon; `str` reads as a sentence.

    `at_least`: with the stated confidence epsilon is no lower, 0 if the runs show nothing. `tpr`, `fpr`: of the
    attacker's guesses on the runs that were judged. `most`: the largest bound that so many runs could have given.
    """

    at_least: float
    most: float
    tpr: float
    fpr: float
    n_with: int
    n_without: int
    delta: float
    confidence: float

    def contradicts(self, epsilon: float) -> bool:
        """Whether a promise of this epsilon is refuted."""
        return self.at_least > epsilon

    def __str__(self) -> str:
        return (
            f"With {self.confidence:.0%} confidence epsilon is at least {self.at_least:.2f} at delta {self.delta:g} "
            f"({self.n_with} runs with the record, {self.n_without} without; they could have shown at most "
            f"{self.most:.2f})."
        )


def audit_epsilon(scores: Any, is_member: Any, delta: float = 0.0, *, confidence: float = 0.95) -> EpsilonAudit:
    """A lower bound on epsilon from many runs of the training, some with one record and some without.

    `scores` (n,): for each run how much its answer speaks for the record, higher = more. `is_member` (n,): whether the
    run had it; each run by its own random numbers. On every second run of either kind the threshold and the direction
    that promise most are chosen; on the others the guesses are counted, for a threshold may not be judged on the
    runs that chose it. Of both rates a Clopper-Pearson limit is taken, each with half of the risk
    (Nasr et al., "Adversary Instantiation", IEEE S&P 2021, section III; Jagielski et al., "Auditing Differentially
    Private Machine Learning", NeurIPS 2020, section 4).

    Raises ValueError for bad scores, fewer than 4 runs of a kind, and numbers out of range.
    """
    from mialab.metrics import evaluate

    delta = _checks.fraction("delta", delta)
    confidence = _inside("confidence", confidence)
    evaluate(scores, is_member)  # refuses what is no score and no membership
    scores, is_member = np.asarray(scores, dtype=float), np.asarray(is_member).astype(bool)
    with_it, without = scores[is_member], scores[~is_member]
    if min(len(with_it), len(without)) < 4:
        raise ValueError(
            f"is_member has {len(with_it)} runs with the record and {len(without)} without; 4 are the least"
        )
    risk = (1 - confidence) / 2
    best = (-inf, 0.0, 1)
    for sign in (1, -1):  # sign -1: guess "without", which the promise limits as well
        a, b = (with_it, without) if sign == 1 else (-without, -with_it)
        thresholds = np.unique(np.concatenate([a[::2], b[::2]]))
        hits, alarms = _at_or_above(a[::2], thresholds), _at_or_above(b[::2], thresholds)
        bounds = _bound(hits, alarms, len(a[::2]), len(b[::2]), delta, risk)
        best = max(best, (bounds.max(), thresholds[bounds.argmax()], sign))
    _, threshold, sign = best
    a, b = (with_it[1::2], without[1::2]) if sign == 1 else (-without[1::2], -with_it[1::2])
    hits, alarms = int((a >= threshold).sum()), int((b >= threshold).sum())
    return EpsilonAudit(
        at_least=max(0.0, float(_bound(hits, alarms, len(a), len(b), delta, risk))),
        most=max(0.0, float(_bound(len(a), 0, len(a), len(b), delta, risk))),
        tpr=hits / len(a),
        fpr=alarms / len(b),
        n_with=len(with_it),
        n_without=len(without),
        delta=delta,
        confidence=confidence,
    )


def _at_or_above(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """For each threshold, how many scores reach it."""
    return len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")


def _bound(hits: Any, alarms: Any, n_with: int, n_without: int, delta: float, risk: float) -> np.ndarray:
    """log((tpr - delta) / fpr) with the least tpr and the largest fpr that these numbers of guesses leave open."""
    tpr, fpr = at_least(hits, n_with, risk), 1 - at_least(n_without - np.asarray(alarms), n_without, risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(tpr > delta, np.log((tpr - delta) / fpr), -inf)


def at_least(successes: Any, n: int, risk: float) -> Any:
    """The Clopper-Pearson lower limit of a rate: with a lower one so many successes have a probability below `risk`.

    `successes`, of `n` trials, may be an array. Raises ValueError for numbers out of range.
    """
    from scipy.stats import beta

    n = _checks.whole_number("n", n, 1)
    successes = _checks.numbers("successes", successes, f"it should be whole numbers from 0 to {n}")
    if not ((successes >= 0) & (successes <= n) & (successes == np.round(successes))).all():
        raise ValueError(f"successes should be whole numbers from 0 to {n}, the number of trials")
    limit = np.where(successes > 0, beta.ppf(_inside("risk", risk), np.maximum(successes, 1), n - successes + 1), 0.0)
    return limit if limit.ndim else float(limit)


def most_certifiable(n_guesses: int, confidence: float = 0.95) -> float:
    """The largest epsilon that an audit of one run can show with n guesses, all of them right.

    Under pure epsilon a guess about a record that a fair coin put in or left out is right with probability at most
    e^epsilon / (1 + e^epsilon) (Steinke, Nasr & Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023,
    section 3).
    """
    n_guesses = _checks.whole_number("n_guesses", n_guesses, 1)
    share = log(1 - _inside("confidence", confidence)) / n_guesses  # the log of the least rate left open
    return max(0.0, share - log1p(-exp(share)))


def _positive(name: str, value: Any, zero: bool = False) -> float:
    """`value` as a float above 0, or of 0 too."""
    if isinstance(value, bool) or not isinstance(value, Real) or not (0 <= value < inf if zero else 0 < value < inf):
        raise ValueError(f"{name} is {value!r}; it should be a finite number {'of 0 or more' if zero else 'above 0'}")
    return float(value)


def _inside(name: str, value: Any) -> float:
    """`value` as a float between 0 and 1, neither included."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < 1:
        raise ValueError(f"{name} is {value!r}; it should be above 0 and below 1")
    return float(value)


def _sampling(value: Any) -> float:
    if value == 1 and not isinstance(value, bool):
        return 1.0
    return _inside("sampling", value)
