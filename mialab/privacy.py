"""This module puts differential privacy into numbers: what noise buys, what it allows an attacker, and how to audit it.

Notebook 17 builds the promise from a coin, notebook 18 puts promises to the test. Two training sets are neighbours if
one has a single record more than the other. Training is (epsilon, delta)-private if, for any two neighbours and any set
of outcomes, the probability of the outcome with one set is at most e^epsilon times that with the other, plus delta
(Dwork & Roth, "The Algorithmic Foundations of Differential Privacy", 2014, definition 2.4). The figures come from the
library dp-accounting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, log1p, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab.metrics import at_least

if TYPE_CHECKING:
    from dp_accounting import DpEvent

    from mialab.nets import NetClassifier

LEAST_NOISE = 0.3  # with less, subsampled steps promise next to nothing, and their accounting takes minutes


def epsilon_of(noise: float, n_steps: int, delta: float, sampling: float = 1.0) -> float:
    """Return the epsilon that n_steps of clipped sums with this much noise keep, at this delta.

    `noise` is the standard deviation of the noise in units of the clip, `sampling` the probability with which a record
    counts in a step, as in `mialab.nets`. Without noise epsilon is infinite. Without subsampling many steps are one of
    noise / sqrt(n_steps), and the figure is exact (Dong, Roth & Su, "Gaussian Differential Privacy", JRSS B 2022,
    corollary 3.3); with it an accountant of privacy-loss distributions composes them, and rounds up.

    It raises ValueError for numbers out of range.

    >>> round(epsilon_of(noise=1.0, n_steps=1, delta=1e-5), 2)
    4.38
    >>> round(epsilon_of(noise=2.0, n_steps=4, delta=1e-5), 2)  # four steps with twice the noise are one
    4.38
    """
    noise, delta = _checks.number("noise", noise), _checks.number("delta", delta, 0, 1, above=True, below=True)
    n_steps = _checks.whole_number("n_steps", n_steps, 1)
    sampling = _checks.number("sampling", sampling, 0, 1, above=True)
    if noise == 0:
        return inf
    import dp_accounting as dp

    if sampling == 1:
        return float(dp.get_epsilon_gaussian(noise / sqrt(n_steps), delta))
    return float(dp.pld.PLDAccountant().compose(_sampled(noise, n_steps, sampling)).get_epsilon(delta))


def noise_for(epsilon: float, n_steps: int, delta: float, sampling: float = 1.0) -> float:
    """Return the least noise with which n_steps keep (epsilon, delta), or a hair more: it inverts `epsilon_of`.

    It raises ValueError for numbers out of range, and with subsampling where a noise below 0.3 would do.

    >>> noise = noise_for(epsilon=1.0, n_steps=100, delta=1e-5)
    >>> round(epsilon_of(noise, n_steps=100, delta=1e-5), 2)
    1.0
    """
    epsilon = _checks.number("epsilon", epsilon, above=True)
    delta = _checks.number("delta", delta, 0, 1, above=True, below=True)
    n_steps = _checks.whole_number("n_steps", n_steps, 1)
    sampling = _checks.number("sampling", sampling, 0, 1, above=True)
    import dp_accounting as dp

    unsampled = dp.get_sigma_gaussian(epsilon, delta) * sqrt(n_steps) * (1 + 1e-6)
    if sampling == 1:
        return float(unsampled)
    low = unsampled  # subsampling never needs more
    while low > LEAST_NOISE:  # no further down than need be: the less noise, the slower the accountant
        low = max(low / 2, LEAST_NOISE)
        if epsilon_of(low, n_steps, delta, sampling) > epsilon:
            break
    else:
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
            bracket_interval=dp.ExplicitBracketInterval(low, min(2 * low, unsampled)),
            tol=1e-3,
        )
    )


def _sampled(noise: float, n_steps: int, sampling: float) -> DpEvent:
    """Subsampled training, as the accountant takes it."""
    import dp_accounting as dp

    return dp.SelfComposedDpEvent(dp.PoissonSampledDpEvent(sampling, dp.GaussianDpEvent(noise)), n_steps)


@dataclass(frozen=True)
class Promise:
    """A `Promise` says what a private net promises, and to whom; `str` reads as sentences.

    `epsilon` and `delta` are the budget; `noise`, `n_steps` and `sampling` are the training's. `not_covered` names what
    was done with the records outside the training itself.

    >>> from mialab import nets
    >>> net = nets.NetClassifier(clip=1.0, noise=10.0, epochs=50, standardise=False)
    >>> promised = promise(net, delta=1e-5, preprocessing="public", tuning="members", labels="public")
    >>> promised.not_covered
    ('tuning, which read the members',)
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
    """Say what a `NetClassifier` trained with these settings promises, at this delta.

    `preprocessing` (scaling, choice of columns), `tuning` (choice of settings) and `labels` (the list of classes) say
    whether each was "public": done without looking at the members. Say "members" if it read them and "unknown" if you
    cannot tell: then it is named among what is not covered.

    It raises ValueError for a net without a clip, and for other words.

    >>> from mialab import nets
    >>> net = nets.NetClassifier(clip=1.0, noise=10.0, epochs=50, standardise=False)
    >>> print(promise(net, delta=1e-5, preprocessing="public", tuning="public", labels="public"))
    The weights are (2.94, 1e-05)-differentially private for one record added or removed: 50 steps, noise 10 times the
    clip, each record in a step with probability 1. All of a person's records are covered only if they have one. The
    promise needs a secret random_state and holds for one release.
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
    """Return the largest share of members that any attack can catch at each false-positive rate, if the promise holds.

    It is the smaller of e^epsilon × fpr + delta and 1 - e^-epsilon × (1 - fpr - delta) (Kairouz, Oh & Viswanath, "The
    Composition Theorem for Differential Privacy", ICML 2015, theorem 2.1), kept within 0 and 1. `fpr` is a number or an
    array; so is the bound.

    The promise must be for what tells a member's world from a stranger's. A promise for one record added or removed
    fits where each record was put in by a coin of its own. Where another record takes the place of one left out, as in
    halves of a fixed size, two records differ: then ask for 2 epsilon and (1 + e^epsilon) delta (Dwork & Roth 2014,
    theorem 2.2, on groups, gives that epsilon).

    It raises ValueError for numbers out of range.

    >>> round(tpr_bound(0.01, epsilon=1.0), 3)  # one false alarm in a hundred: at most e in a hundred are caught
    0.027
    >>> tpr_bound([0.01, 0.1], epsilon=0.0).round(2).tolist()  # no better than a coin
    [0.01, 0.1]
    """
    epsilon = _checks.number("epsilon", epsilon)
    delta = _checks.fraction("delta", delta)
    fpr = _checks.numbers("fpr", fpr, "it should hold false-positive rates from 0 to 1")
    if not ((fpr >= 0) & (fpr <= 1)).all():
        raise ValueError("fpr holds numbers outside 0 to 1; a rate is a share")
    many = exp(min(epsilon, 700.0)) * fpr + delta
    bound = np.clip(np.minimum(many, 1 - exp(-epsilon) * (1 - fpr - delta)), 0, 1)
    return bound if bound.ndim else float(bound)


@dataclass(frozen=True)
class EpsilonAudit:
    """An `EpsilonAudit` holds what many runs with and without one record say of epsilon; `str` reads as a sentence.

    With the stated `confidence` epsilon is no lower than `at_least`, which is 0 if the runs show nothing. `tpr` and
    `fpr` are of the attacker's guesses on the runs that were judged. `most` is the largest bound that so many runs
    could have given; `n_with` and `n_without` count them.

    >>> found = audit_epsilon([1] * 200 + [0] * 200, [True] * 200 + [False] * 200)  # every run gives it away
    >>> found.tpr, found.fpr, found.at_least == found.most
    (1.0, 0.0, True)
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
        """Return whether a promise of this epsilon is refuted."""
        return self.at_least > epsilon

    def __str__(self) -> str:
        return (
            f"With {self.confidence:.0%} confidence epsilon is at least {self.at_least:.2f} at delta {self.delta:g} "
            f"({self.n_with} runs with the record, {self.n_without} without; they could have shown at most "
            f"{self.most:.2f})."
        )


def audit_epsilon(scores: Any, is_member: Any, delta: float = 0.0, *, confidence: float = 0.95) -> EpsilonAudit:
    """Find a lower bound on epsilon from many runs of the training, some with one record and some without.

    `scores` (n,) say for each run how much its answer speaks for the record, higher = more. `is_member` (n,) says
    whether the run had it; each run goes by its own random numbers. On every second run of either kind the threshold
    and the direction that promise most are chosen; on the others the guesses are counted, for a threshold may not be
    judged on the runs that chose it. Of both rates a Clopper-Pearson limit is taken, each with half of the risk (Nasr
    et al., "Adversary Instantiation", IEEE S&P 2021, section III; Jagielski et al., "Auditing Differentially Private
    Machine Learning", NeurIPS 2020, section 4).

    It raises ValueError for bad scores, fewer than 4 runs of a kind, and numbers out of range.

    >>> print(audit_epsilon([1] * 200 + [0] * 200, [True] * 200 + [False] * 200))  # every run gives it away
    With 95% confidence epsilon is at least 3.28 at delta 0 (200 runs with the record, 200 without; they could have
    shown at most 3.28).
    """
    from mialab.metrics import evaluate

    delta = _checks.fraction("delta", delta)
    confidence = _checks.number("confidence", confidence, 0, 1, above=True, below=True)
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


def most_certifiable(n_guesses: int, confidence: float = 0.95) -> float:
    """Return the largest epsilon that an audit of one run can show with n guesses, all of them right.

    Under pure epsilon a guess about a record that a fair coin put in or left out is right with probability at most
    e^epsilon / (1 + e^epsilon) (Steinke, Nasr & Jagielski, "Privacy Auditing with One (1) Training Run", NeurIPS 2023,
    section 3). It raises ValueError for numbers out of range.

    >>> round(most_certifiable(10), 2), round(most_certifiable(1000), 2)  # few guesses cannot show much
    (1.05, 5.81)
    """
    n_guesses = _checks.whole_number("n_guesses", n_guesses, 1)
    confidence = _checks.number("confidence", confidence, 0, 1, above=True, below=True)
    share = log(1 - confidence) / n_guesses  # the log of the least rate left open
    return max(0.0, share - log1p(-exp(share)))


# One run with planted records


@dataclass(frozen=True, eq=False, repr=False)
class Canaries:
    """A `Canaries` holds made-up records to plant among the training data, and by a fair coin each who was planted.

    `X` (m, n_features), `y` (m,) and `is_member` (m,) bool.

    >>> found = canaries([[0.0, 5.0], [1.0, 9.0]], ["a", "b"], n_canaries=100, random_state=0)
    >>> found.X.shape, found
    ((100, 2), 100 canaries, of which a coin planted 45)
    """

    X: np.ndarray
    y: np.ndarray
    is_member: np.ndarray

    def beside(self, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the records X, y with the planted canaries behind them, to train on."""
        X = _checks.records("X", X)
        y = _checks.labels("y", y, len(X))
        return np.vstack([X, self.X[self.is_member]]), np.concatenate([y, self.y[self.is_member]])

    def __repr__(self) -> str:
        return f"{len(self.y)} canaries, of which a coin planted {int(self.is_member.sum())}"


def canaries(X: Any, y: Any, n_canaries: int, random_state: int | np.random.Generator | None = None) -> Canaries:
    """Make up records for an audit of one run: measurements even over the ranges of X, labels of y by lot.

    A record with a label of no reason can only be learnt by heart. It raises ValueError for bad data and a number
    below 1.

    >>> sorted(set(canaries([[0.0], [1.0]], ["a", "b"], 50, random_state=0).y.tolist()))
    ['a', 'b']
    """
    X, rng = _checks.records("X", X), _checks.generator(random_state)
    y, m = _checks.labels("y", y, len(X)), _checks.whole_number("n_canaries", n_canaries, 1)
    made_up = rng.uniform(X.min(axis=0), X.max(axis=0), (m, X.shape[1]))
    return Canaries(made_up, rng.choice(np.unique(y), m), rng.random(m) < 0.5)


@dataclass(frozen=True)
class OneRunAudit:
    """A `OneRunAudit` holds what guesses about the planted records of one training say of epsilon; `str` says it.

    With the stated `confidence` epsilon is no lower than `at_least`, which is 0 if nothing is shown: `n_right` of
    `n_guesses` guesses were right, of `n_canaries` records. `most` is the bound if all guesses had been.

    >>> found = audit_one_run(np.arange(200), np.arange(200) >= 100, n_guesses=100)  # nothing but right guesses
    >>> found.n_right, found.at_least == found.most
    (100, True)
    """

    at_least: float
    most: float
    n_right: int
    n_guesses: int
    n_canaries: int
    delta: float
    confidence: float

    def contradicts(self, epsilon: float) -> bool:
        """Return whether a promise of this epsilon is refuted."""
        return self.at_least > epsilon

    def __str__(self) -> str:
        return (
            f"With {self.confidence:.0%} confidence epsilon is at least {self.at_least:.2f} at delta {self.delta:g} "
            f"({self.n_right} of {self.n_guesses} guesses about {self.n_canaries} planted records were right; they "
            f"could have shown at most {self.most:.2f})."
        )


def audit_one_run(
    scores: Any,
    is_member: Any,
    delta: float = 0.0,
    *,
    n_guesses: int | Sequence[int] | None = None,
    confidence: float = 0.95,
) -> OneRunAudit:
    """Find a lower bound on epsilon from one training, in which a fair coin planted each of m records or left it out.

    `scores` (m,) say how much the model's answer speaks for each record, `is_member` (m,) what the coin said. The
    highest half of `n_guesses` scores are guessed to be in, the lowest half out, and of the others nothing is said.
    Under the promise the number of right guesses is no larger than that of coins that fall right with probability
    e^epsilon / (1 + e^epsilon), but for delta (Steinke, Nasr & Jagielski, "Privacy Auditing with One (1) Training Run",
    NeurIPS 2023, corollary 5.4 and appendix D). `n_guesses` may be several numbers, fixed beforehand, which share the
    risk; by default all records, a half, a quarter and an eighth.

    A bound of 0 is no proof of privacy. Records planted together disturb one another's traces, and of most mechanisms
    one run cannot show the true epsilon, however many records there are (Keinan, Shenfeld & Ligett, "How Well Can
    Differential Privacy Be Audited in One Run?", NeurIPS 2025, arXiv 2503.07199). It raises ValueError for bad scores
    and numbers out of range.

    >>> print(audit_one_run(np.arange(200), np.arange(200) >= 100))  # all that were planted score highest
    With 95% confidence epsilon is at least 3.81 at delta 0 (200 of 200 guesses about 200 planted records were right;
    they could have shown at most 3.81).
    """
    from mialab.metrics import evaluate

    delta = _checks.fraction("delta", delta)
    confidence = _checks.number("confidence", confidence, 0, 1, above=True, below=True)
    is_member = evaluate(scores, is_member).is_member  # refuses what is no score and no membership
    m, order = len(is_member), np.argsort(scores, kind="stable")
    tried = [max(2, m // part) for part in (1, 2, 4, 8)] if n_guesses is None else np.atleast_1d(n_guesses).tolist()
    found, risk = [], (1 - confidence) / len(tried)
    for each in tried:
        r = _checks.whole_number("n_guesses", each, 2, m)
        n_right = int(is_member[order[m - r // 2 :]].sum() + (~is_member[order[: r - r // 2]]).sum())
        found.append((_least_epsilon(n_right, r, m, delta, risk), n_right, r))
    bound, n_right, r = max(found)
    return OneRunAudit(bound, _least_epsilon(r, r, m, delta, risk), n_right, r, m, delta, confidence)


def _least_epsilon(n_right: int, n_guesses: int, n_canaries: int, delta: float, risk: float) -> float:
    """The epsilon under which so many right guesses have probability `risk`."""
    from scipy.optimize import brentq

    def excess(epsilon: float) -> float:
        return chance_of_guesses(n_right, n_guesses, n_canaries, epsilon, delta) - risk

    return 0.0 if excess(0.0) >= 0 else 30.0 if excess(30.0) < 0 else float(brentq(excess, 0.0, 30.0))


def chance_of_guesses(n_right: int, n_guesses: int, n_canaries: int, epsilon: float, delta: float = 0.0) -> float:
    """Return the largest probability with which so many guesses of one run are right, if the promise holds.

    See `audit_one_run`. It raises ValueError for numbers out of range.

    >>> round(chance_of_guesses(10, n_guesses=10, n_canaries=10, epsilon=0.0), 4)  # ten coins
    0.001
    """
    from scipy.special import bdtr, bdtrc

    m = _checks.whole_number("n_canaries", n_canaries, 1)
    r = _checks.whole_number("n_guesses", n_guesses, 1, m)
    v = _checks.whole_number("n_right", n_right, 0, r)
    epsilon, delta = _checks.number("epsilon", epsilon), _checks.fraction("delta", delta)
    right = 1 / (1 + exp(-epsilon))
    chance = bdtrc(v - 1, r, right) if v > 0 else 1.0
    if delta > 0 and v > 0:
        at_most = np.append(bdtr(np.arange(v - 1, -1, -1), r, right), 0)  # v - 1, v - 2, …, 0, and fewer than 0
        just_below = at_most[0] - at_most[1:]  # from v - i to v - 1, for i = 1, 2, …
        chance += 2 * m * delta * (just_below / np.arange(1, v + 1)).max()
    return min(1.0, float(chance))


# The power of an audit


def audit_power(
    claim: float,
    truth: float,
    n: int,
    delta: float,
    *,
    one_run: bool = False,
    confidence: float = 0.95,
    n_trials: int = 100,
    random_state: int | np.random.Generator | None = 0,
) -> float:
    """Return how often an audit refutes a promise of epsilon `claim` where it is `truth`, by the best of attackers.

    This attacker sees the very sum that normal noise was added to in training, a record at the clip's length; whoever
    asks the trained model alone sees less, and catches less. `n` is the number of runs, half of them with the record
    (`audit_epsilon`), or with `one_run` that of planted records in a single one (`audit_one_run`). `n_trials` audits
    are made up. It raises ValueError for numbers out of range.

    >>> [audit_power(claim=1.0, truth=truth, n=200, delta=1e-5, n_trials=20) for truth in (1.0, 30.0)]
    [0.0, 1.0]
    """
    import dp_accounting as dp

    claim, truth = _checks.number("claim", claim), _checks.number("truth", truth, above=True)
    n, delta = _checks.whole_number("n", n, 8), _checks.number("delta", delta, 0, 1, above=True, below=True)
    distance, rng = 1 / dp.get_sigma_gaussian(truth, delta), _checks.generator(random_state)
    refuted = []
    for _ in range(_checks.whole_number("n_trials", n_trials, 1)):
        is_member = np.arange(n) % 2 == 0
        if one_run:
            is_member[2:] = rng.random(n - 2) < 0.5  # of the first two one is a member
        scores = distance * is_member + rng.normal(size=n)
        audit = audit_one_run if one_run else audit_epsilon
        refuted.append(audit(scores, is_member, delta, confidence=confidence).contradicts(claim))
    return float(np.mean(refuted))


def least_caught(
    claim: float, n: int, delta: float, *, power: float = 0.8, largest: float = 100.0, **settings
) -> float:
    """Return how large epsilon must truly be for an audit of size n to refute the `claim` with this power, or infinity.

    It is found to within 1%, up to `largest`; `settings` are those of `audit_power`. A promise that is broken by less
    goes unnoticed more often, even by the best of attackers. It raises ValueError for numbers out of range.

    >>> least_caught(4.0, n=64, delta=1e-5, n_trials=2)  # 64 runs cannot show an epsilon above 4 at all
    inf
    """
    power = _checks.fraction("power", power)
    low, high = _checks.number("claim", claim, above=True), _checks.number("largest", largest, claim, above=True)
    if audit_power(claim, high, n, delta, **settings) < power:
        return inf
    while high / low > 1.01:
        middle = sqrt(low * high)
        low, high = (low, middle) if audit_power(claim, middle, n, delta, **settings) >= power else (middle, high)
    return high
