"""This module measures how well membership scores tell members from non-members, and how sure we may be of it.

Notebook 06 builds ROC and AUC by hand before it uses these. Throughout, `scores` is (n,), higher = more likely a
member, and must be finite (clip a probability before taking its logarithm); `is_member` is (n,) of True/False or 1/0,
matched by position; a threshold t calls 'member' each record whose score is >= t. Every function raises ValueError for
arrays of other shapes, for scores that are not finite, and where members or non-members are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor, isnan, sqrt
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from mialab import _checks

IN_TURN = "target in turn"  # the index of a table whose rows are targets that attack each other
Z95 = 1.959963984540054  # 95% of a normal distribution lies within this many standard deviations


# Curves


class Roc(NamedTuple):
    """A `Roc` holds a ROC curve: at each threshold, the shares of non-members accused and of members caught.

    `fpr`, `tpr` and `thresholds` are (n_points,) arrays, from the strictest threshold to the loosest.

    >>> curve = roc([0.9, 0.8, 0.3], [1, 0, 1])
    >>> curve.thresholds.tolist()
    [inf, 0.9, 0.8, 0.3]
    >>> curve.tpr.tolist()
    [0.0, 0.5, 0.5, 1.0]
    """

    fpr: np.ndarray
    tpr: np.ndarray
    thresholds: np.ndarray


def roc(scores: Any, is_member: Any) -> Roc:
    """Return the ROC curve: (0, 0), then one point for each distinct score, from the strictest to the loosest.

    Records with equal scores are called together, for no threshold can part them.

    >>> curve = roc([0.9, 0.8, 0.8, 0.3], [1, 1, 0, 0])
    >>> list(zip(curve.fpr.tolist(), curve.tpr.tolist()))
    [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]
    """
    scores, is_member = _check(scores, is_member)
    thresholds, caught, accused = _counts(scores, is_member)
    return Roc(accused / accused[-1], caught / caught[-1], thresholds)


def _counts(scores: np.ndarray, is_member: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Thresholds in falling order, and how many members and non-members each one calls 'member'."""
    distinct, position = np.unique(scores, return_inverse=True)
    members = np.bincount(position[is_member], minlength=len(distinct))[::-1]
    non_members = np.bincount(position[~is_member], minlength=len(distinct))[::-1]

    def from_nought(counts: np.ndarray) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(counts)])

    return np.concatenate([[np.inf], distinct[::-1]]), from_nought(members), from_nought(non_members)


def auc(scores: Any, is_member: Any) -> float:
    """Return how often a random member outranks a random non-member, a tie counting half; 0.5 is chance.

    >>> auc([0.9, 0.6, 0.7, 0.2], [1, 1, 0, 0])  # of the four pairs only 0.6 against 0.7 is lost
    0.75
    """
    scores, is_member = _check(scores, is_member)
    non_members = np.sort(scores[~is_member])
    below = np.searchsorted(non_members, scores[is_member], side="left")
    not_above = np.searchsorted(non_members, scores[is_member], side="right")
    return float((below + not_above).mean() / (2 * len(non_members)))


# One number at a time


class TPR(float):
    """A `TPR` is the share of members caught: a float that also knows its threshold and the false alarms that it costs.

    Attributes
    ----------
    fpr_requested, fpr : the rate that was asked for, and the rate that the threshold really gives.
    threshold : the score from which a record is called a member.
    false_alarms, n_non_members, n_members : counts of records.

    >>> caught = tpr_at([0.9, 0.6, 0.7, 0.2], [1, 1, 0, 0], fpr=0.25)
    >>> caught, caught.threshold, caught.false_alarms
    (0.5, 0.9, 0)
    """

    fpr_requested: float
    fpr: float
    threshold: float
    false_alarms: int
    n_non_members: int
    n_members: int

    @property
    def sentence(self) -> str:
        """Say the result in words, with how many false alarms the requested rate really allows."""
        allowed = _whole_alarms(self.fpr_requested, self.n_non_members)
        return (
            f"{self:.1%} of {self.n_members} members are caught at a false-positive rate of "
            f"{self.fpr_requested:.3g}, which allows at most {allowed} of {self.n_non_members} non-members "
            f"to be accused (here {self.false_alarms})"
        )


def _whole_alarms(fpr: float, n_non_members: int) -> int:
    """How many false alarms a false-positive rate allows: whole ones only."""
    return floor(fpr * n_non_members + 1e-9)  # 0.04 of 75 is 3, whatever binary fractions make of it


def tpr_at(scores: Any, is_member: Any, fpr: float) -> TPR:
    """Return the largest true-positive rate whose false-positive rate on these records is at most `fpr`.

    It does not interpolate: below 1/n_non_members no false alarm at all is allowed, and the `sentence` says so.

    >>> tpr_at([0.9, 0.6, 0.7, 0.2], [1, 1, 0, 0], fpr=0.5)
    1.0
    >>> print(tpr_at([0.9, 0.6, 0.7, 0.2], [1, 1, 0, 0], fpr=0.01).sentence)
    50.0% of 2 members are caught at a false-positive rate of 0.01, which allows at most 0 of 2 non-members to be
    accused (here 0)
    """
    scores, is_member = _check(scores, is_member)
    fpr = _checks.fraction("fpr", fpr)
    thresholds, caught, accused = _counts(scores, is_member)
    allowed = accused <= _whole_alarms(fpr, accused[-1])
    best = int(np.argmax(np.where(allowed, caught, -1)))  # the first of equals has the fewest false alarms
    result = TPR(caught[best] / caught[-1])
    result.fpr_requested, result.fpr = fpr, float(accused[best] / accused[-1])
    result.threshold, result.false_alarms = float(thresholds[best]), int(accused[best])
    result.n_non_members, result.n_members = int(accused[-1]), int(caught[-1])
    return result


def choose_threshold(scores: Any, is_member: Any) -> float:
    """Return the score that, as a threshold, has the best balanced accuracy here; of equals, return the strictest.

    Choose it on records whose membership the attacker knows, and judge it on others with `balanced_accuracy`.

    >>> choose_threshold([0.9, 0.8, 0.7, 0.2], [1, 1, 0, 0])
    0.8
    """
    scores, is_member = _check(scores, is_member)
    thresholds, caught, accused = _counts(scores, is_member)
    # tpr - fpr times both group sizes: whole numbers, so that equals are equal to the last bit
    advantage = caught * accused[-1] - accused * caught[-1]
    return float(thresholds[1:][np.argmax(advantage[1:])])


def accuracy_at(scores: Any, is_member: Any, threshold: float) -> float:
    """Return the share of all records that the threshold calls rightly; it misleads where members are many or few.

    >>> accuracy_at([0.9, 0.9, 0.9, 0.9], [1, 1, 1, 0], threshold=0.5)  # it calls everybody a member
    0.75
    """
    scores, is_member = _check(scores, is_member)
    return float(((scores >= _check_threshold(threshold)) == is_member).mean())


def balanced_accuracy(scores: Any, is_member: Any, threshold: float) -> float:
    """Return the mean of two shares: members called 'member' and non-members called 'non-member'; 0.5 is chance.

    It is honest only when the threshold was chosen on other records (see `choose_threshold`).

    >>> balanced_accuracy([0.9, 0.9, 0.9, 0.9], [1, 1, 1, 0], threshold=0.5)  # to accuse everybody is chance
    0.5
    """
    scores, is_member = _check(scores, is_member)
    says_member = scores >= _check_threshold(threshold)
    return float((says_member[is_member].mean() + (~says_member)[~is_member].mean()) / 2)


def precision(tpr: float, fpr: float, base_rate: float) -> float:
    """Return the share of true members among those called so, where `base_rate` of all candidates are members.

    This is Bayes' rule: tpr·b / (tpr·b + fpr·(1 - b)). It is NaN where nobody is called a member: there is no share of
    nothing. All three arguments must lie from 0 to 1, or a ValueError is raised.

    >>> round(precision(tpr=0.5, fpr=0.01, base_rate=0.5), 2)
    0.98
    >>> round(precision(tpr=0.5, fpr=0.01, base_rate=0.001), 2)  # the same attack, where members are rare
    0.05
    """
    tpr, fpr, base_rate = (
        _checks.fraction(name, value) for name, value in (("tpr", tpr), ("fpr", fpr), ("base_rate", base_rate))
    )
    true_alarms, false_alarms = tpr * base_rate, fpr * (1 - base_rate)
    return true_alarms / (true_alarms + false_alarms) if true_alarms + false_alarms > 0 else float("nan")


# The result


@dataclass(frozen=True)
class AttackResult:
    """An `AttackResult` says how well one attack did on one target; `print` it to read it as a sentence.

    Attributes
    ----------
    auc : how often a member outranks a non-member, ties counting half.
    interval : (low, high), 95%, for this target on records like these; it does not cover the luck of another training
        run or another split, for which see `mean_interval`.
    null_sd : standard deviation of the AUC if the scores knew nothing, for these numbers of records and these ties.
    z : distance of the AUC from 0.5, in `null_sd`.
    advantage : largest tpr - fpr over all thresholds, which is the advantage of Yeom et al. (2018) for a fixed rule,
        taken at its best threshold. That threshold is chosen on the very records that it is judged on, so it is above 0
        even by pure chance.
    n_members, n_non_members : how many there are of each.
    scores, is_member : what was judged, (n,) each.

    >>> result = evaluate([0.9, 0.6, 0.7, 0.2], [1, 1, 0, 0])
    >>> result.auc, result.advantage, result.tpr_at(0.01)
    (0.75, 0.5, 0.5)
    """

    auc: float
    interval: tuple[float, float]
    null_sd: float
    z: float
    advantage: float
    n_members: int
    n_non_members: int
    scores: np.ndarray = field(repr=False, compare=False)
    is_member: np.ndarray = field(repr=False, compare=False)

    def roc(self) -> Roc:
        """Return the ROC curve: fpr, tpr and thresholds."""
        return roc(self.scores, self.is_member)

    def tpr_at(self, fpr: float) -> TPR:
        """Return the share of members caught while at most a share `fpr` of non-members is accused."""
        return tpr_at(self.scores, self.is_member, fpr)

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"AUC {self.auc:.2f} (95% interval {low:.2f} to {high:.2f}) over {self.n_members} members and "
            f"{self.n_non_members} non-members; pure chance would give 0.50 with standard deviation {self.null_sd:.2f}"
        )


def evaluate(scores: Any, is_member: Any) -> AttackResult:
    """Measure membership scores against the truth.

    >>> evaluate([1, 2, 3, 4, 5] * 4, [True] * 10 + [False] * 10)  # members and non-members score alike
    AUC 0.50 (95% interval 0.27 to 0.73) over 10 members and 10 non-members; pure chance would give 0.50 with
    standard deviation 0.13
    """
    scores, is_member = _check(scores, is_member)
    scores.flags.writeable = is_member.flags.writeable = False
    m, n = int(is_member.sum()), int((~is_member).sum())
    area, null_sd, curve = auc(scores, is_member), _null_sd(scores, m, n), roc(scores, is_member)
    return AttackResult(
        auc=area,
        interval=auc_interval(area, m, n, untied_share=_untied_share(scores, is_member)),
        null_sd=null_sd,
        z=(area - 0.5) / null_sd if null_sd > 0 else 0.0,  # every score equal: exactly chance
        advantage=float((curve.tpr - curve.fpr).max()),
        n_members=m,
        n_non_members=n,
        scores=scores,
        is_member=is_member,
    )


def _null_sd(scores: np.ndarray, m: int, n: int) -> float:
    """Standard deviation of the AUC by pure chance, m against n (Mann–Whitney, corrected for ties)."""
    ties = np.unique(scores, return_counts=True)[1].astype(float)
    correction = (ties**3 - ties).sum() / ((m + n) * (m + n - 1))
    return sqrt(max(m + n + 1 - correction, 0.0) / (12 * m * n))


def _untied_share(scores: np.ndarray, is_member: np.ndarray) -> float:
    """What ties leave of the variance of an AUC: 1 where there are none.

    It is 1 - Σ p³ over the distinct scores, p the mean of the two groups' shares of a score; or, where groups are of
    unequal size and the smaller one ties less, what the placements of the scores leave (DeLong), if that is more.
    """
    _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    if counts.max() == 1:
        return 1.0
    p = sum(np.bincount(which[group], minlength=len(counts)) / group.sum() for group in (is_member, ~is_member)) / 2
    each = placements(scores[is_member], scores[~is_member])
    area, (m, n) = each[0].mean(), map(len, each)
    measured = auc_error(each) ** 2 / _variance(area, m, n) if 0 < area < 1 and min(m, n) > 1 else 0.0
    return float(min(1.0, max(1 - (p[counts > 1] ** 3).sum(), measured)))


def _variance(theta: float, m: int, n: int) -> float:
    """The variance of an AUC of m against n whose true value is theta (Hanley and McNeil, as Newcombe has it)."""
    others = (m + n) / 2 - 1
    return theta * (1 - theta) * (1 + others * (1 - theta) / (2 - theta) + others * theta / (1 + theta)) / (m * n)


def auc_interval(auc: float, n_members: int, n_non_members: int, *, untied_share: float = 1.0) -> tuple[float, float]:
    """Return a 95% interval for an AUC that stays within 0 to 1 and has a width even at AUC 1.

    It is the score-type interval of Newcombe (Statistics in Medicine, 2006, part 2, method 5): all values θ that lie
    within 1.96 standard deviations of the measured AUC. The variance, taken *at θ*, is that of Hanley and McNeil (1982)
    with m−1 and n−1 both replaced by (m+n)/2−1. Ties make an AUC vary less: `untied_share` is what they leave of its
    variance where the scores know nothing, 1 without ties, and the variance at θ is multiplied by it (`evaluate` takes
    it from the scores). It raises ValueError for numbers out of range.

    >>> low, high = auc_interval(0.75, n_members=50, n_non_members=50)
    >>> round(low, 2), round(high, 2)
    (0.64, 0.83)
    """
    auc = _checks.fraction("auc", auc)
    m = _checks.whole_number("n_members", n_members, 1)
    n = _checks.whole_number("n_non_members", n_non_members, 1)
    share = _checks.fraction("untied_share", untied_share)
    low, high = _lower_limit(auc, m, n, share), 1 - _lower_limit(1 - auc, m, n, share)
    return low, high  # the variance is symmetric about a half


def _lower_limit(area: float, m: int, n: int, untied_share: float) -> float:
    """The θ below `area` at which (area - θ)² = 1.96² · variance(θ)."""
    from scipy.optimize import brentq

    if area == 0 or untied_share == 0:
        return area

    def beyond(theta: float) -> float:
        return (area - theta) ** 2 - Z95**2 * untied_share * _variance(theta, m, n)

    return brentq(beyond, 0.0, min(area, 1 - 1e-12))  # at area 1, θ = 1 is a second root: step inside it


def placements(inside: np.ndarray, outside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Place each score among those of the other group: two arrays of shares, (n_inside,) and (n_outside,).

    The first array holds the share of `outside` below each of `inside`; the second, the share of `inside` above each of
    `outside`. Equal scores count half. The mean of either array is the AUC.

    >>> beats, beaten = placements(np.array([0.9, 0.6]), np.array([0.7, 0.2]))
    >>> beats.tolist(), beaten.tolist(), beats.mean().item()
    ([1.0, 0.5], [0.5, 1.0], 0.75)
    """
    return _share_below(inside, outside), _share_below(-outside, -inside)


def _share_below(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    others = np.sort(others)
    below, not_above = (np.searchsorted(others, values, side=side) for side in ("left", "right"))
    return (below + not_above) / (2 * len(others))


def auc_error(each: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the standard error of an AUC from its `placements`, or of a difference of two AUCs from theirs subtracted.

    The formula is that of E. DeLong, D. DeLong and Clarke-Pearson (Biometrics, 1988).

    >>> round(auc_error(placements(np.array([0.9, 0.6]), np.array([0.7, 0.2]))), 2)
    0.35
    """
    return sqrt(sum(values.var(ddof=1) / len(values) for values in each))


def at_least(successes: Any, n: int, risk: float) -> Any:
    """Return the Clopper-Pearson lower limit of a rate: under a lower rate, so many successes are rarer than `risk`.

    `successes`, of `n` trials, may be an array. It raises ValueError for numbers out of range.

    >>> round(at_least(10, n=10, risk=0.05), 2)  # ten of ten does not show a rate of 1
    0.74
    """
    from scipy.stats import beta

    n, risk = _checks.whole_number("n", n, 1), _checks.number("risk", risk, 0, 1, above=True, below=True)
    successes = _checks.numbers("successes", successes, f"it should be whole numbers from 0 to {n}")
    if not ((successes >= 0) & (successes <= n) & (successes == np.round(successes))).all():
        raise ValueError(f"successes should be whole numbers from 0 to {n}, the number of trials")
    limit = np.where(successes > 0, beta.ppf(risk, np.maximum(successes, 1), n - successes + 1), 0.0)
    return limit if limit.ndim else float(limit)


# The strongest of several attacks


@dataclass(frozen=True)
class Strongest:
    """A `Strongest` is the best of several attacks on one target, with the price of having chosen it.

    Attributes
    ----------
    name : the attack with the largest AUC on all records, `best`.
    auc : what the attack that is best on one half of the records has on the other, a mean over many halvings.
    interval : (low, high), 95%, for `auc`, as in `AttackResult`.
    best : the AUC of `name` on the records that chose it, which flatters it.
    chosen : {name: share of the halves that chose it}.
    n_members, n_non_members : how many there are of each.

    >>> found = strongest({"works": [4, 3, 2, 1, 0, -1], "is a coin": [0, 1, 0, 1, 0, 1]}, [1, 1, 1, 0, 0, 0])
    >>> found.name, found.best, found.auc, found.chosen
    ('works', 1.0, 1.0, {'works': 1.0, 'is a coin': 0.0})
    """

    name: str
    auc: float
    interval: tuple[float, float]
    best: float
    chosen: dict[str, float]
    n_members: int
    n_non_members: int

    @property
    def price(self) -> float:
        """Return by how much the AUC falls when those who choose the attack do not judge it."""
        return self.best - self.auc

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"the strongest of {len(self.chosen)} attacks, {self.name}: AUC {self.auc:.3f} (95% interval {low:.3f} to "
            f"{high:.3f}) when chosen on one half of the records and judged on the other; {self.best:.3f} on those "
            f"that chose it"
        )


def strongest(
    scores: Mapping[str, Any],
    is_member: Any,
    *,
    n_halvings: int = 20,
    random_state: int | np.random.Generator | None = 0,
) -> Strongest:
    """Find the strongest of several attacks on one target, at the price of choosing.

    `scores` is {name: (n,) scores} of the same records. The best of several AUCs is above 0.5 even where every attack
    knows nothing. So members and non-members are halved at random; the attack that is best on one half is judged on the
    other, and the other way round; and that `n_halvings` times. Over many targets, see `mialab.trials.with_strongest`.

    It raises ValueError for bad scores, no attacks, and fewer than 2 members or non-members.

    >>> rng = np.random.default_rng(0)
    >>> coins = {f"coin {i}": rng.random(80) for i in range(10)}
    >>> strongest(coins, np.arange(80) < 40)
    the strongest of 10 attacks, coin 2: AUC 0.467 (95% interval 0.347 to 0.592) when chosen on one half of the records
    and judged on the other; 0.589 on those that chose it
    """
    if not isinstance(scores, Mapping) or not scores:
        raise ValueError(f"scores is a {type(scores).__name__}; it should be a dict of name: scores, and not empty")
    table = np.stack([_check(each, is_member)[0] for each in scores.values()])
    is_member = _membership(is_member)
    m, n = int(is_member.sum()), int((~is_member).sum())
    if min(m, n) < 2:
        raise ValueError(f"is_member has {m} members and {n} non-members; 2 of each are the least that can be halved")
    rng, held_out, votes = _checks.generator(random_state), [], np.zeros(len(table))
    for _ in range(_checks.whole_number("n_halvings", n_halvings, 1)):
        chooses = np.zeros(len(is_member), dtype=bool)
        for group in (is_member, ~is_member):
            chooses[rng.permutation(np.flatnonzero(group))[: group.sum() // 2]] = True
        for half in (chooses, ~chooses):
            best = int(np.argmax([auc(each[half], is_member[half]) for each in table]))
            votes[best] += 1
            held_out.append(auc(table[best, ~half], is_member[~half]))
    everywhere, area, names = [auc(each, is_member) for each in table], float(np.mean(held_out)), list(scores)
    best, shares = int(np.argmax(everywhere)), dict(zip(names, (votes / votes.sum()).tolist(), strict=True))
    return Strongest(names[best], area, auc_interval(area, m, n), everywhere[best], shares, m, n)


# Over many draws


class MeanInterval(NamedTuple):
    """A `MeanInterval` holds the mean over n draws with its 95% interval: mean, low, high, n and what the draws are.

    >>> found = mean_interval([0.6, 0.7, 0.8], over="seeds")
    >>> found.low < found.mean < found.high, found.n, found.over
    (True, 3, 'seeds')
    """

    mean: float
    low: float
    high: float
    n: int
    over: str = "draws"

    def __repr__(self) -> str:
        return f"{self.mean:.3f} (95% interval {self.low:.3f} to {self.high:.3f}, {self.n} {self.over})"


def mean_interval(values: Any, over: str = "draws") -> MeanInterval:
    """Return the mean of one figure over many draws, with its 95% t interval.

    `values` holds one number for each random draw (or what else `over` names), (n,). The draws all come from
    one data set and overlap, so the interval speaks of the mean over draws of *this* data set; it says nothing of
    other flowers. A t interval knows no bounds: for a share close to 1 its upper end may pass 1.

    A column of `mialab.trials.attack_each`, or the difference of two, is known by its index, "target in turn": two that
    were drawn as a pair had opposite members, and are one draw. Attacks that read shadows share them among all targets,
    for which see `mialab.trials.each_interval`.

    It raises ValueError for fewer than 2 draws, and for values that are not finite, or too large to square.

    >>> mean_interval([0.6, 0.7, 0.8])
    0.700 (95% interval 0.452 to 0.948, 3 draws)
    """
    from scipy.special import stdtrit

    if getattr(getattr(values, "index", None), "name", None) == IN_TURN:
        values, over = _by_pair(values), "pairs of targets"
    values = _checks.numbers("values", values, "it should be a list or array of one number for each split")
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values has shape {values.shape}; it should hold one number for each of at least 2 {over}")
    if not np.isfinite(values).all():
        raise ValueError("values holds NaN or infinite numbers; every split should give a finite figure")
    with np.errstate(over="ignore", invalid="ignore"):  # told in words below
        mean = float(values.mean())
        half = float(stdtrit(len(values) - 1, 0.975) * values.std(ddof=1) / sqrt(len(values)))
    if not np.isfinite([mean - half, mean + half]).all():
        raise ValueError(f"values holds numbers as large as {abs(values).max():.3g}, too large to square")
    return MeanInterval(mean, mean - half, mean + half, len(values), over)


def _by_pair(values: Any) -> Any:
    """The mean of each pair of targets, 2j and 2j + 1; of tables put together, of each table's own."""
    target = values.index.to_numpy()
    begins = np.append(True, (np.diff(target // 2) != 0) | (np.diff(target) <= 0))
    return values.groupby(np.cumsum(begins)).mean()


# Checks


def _check(scores: Any, is_member: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scores as (n,) finite floats and is_member as (n,) bools with both kinds present; both are copies."""
    two_series = hasattr(scores, "iloc") and hasattr(is_member, "iloc")  # pandas, which would match by index
    other_order = two_series and not scores.index.equals(is_member.index)
    scores = _checks.numbers("scores", scores, "it should be one number a record, higher for likelier members")
    is_member = _membership(is_member)
    if scores.ndim != 1:
        raise ValueError(f"scores has shape {scores.shape}; it should be one score a record: (n,)")
    if is_member.shape != scores.shape:
        raise ValueError(f"is_member has shape {is_member.shape} and scores {scores.shape}; they should be equal")
    if other_order:
        raise ValueError(
            "scores and is_member are pandas objects with different indexes; they should have one index, in one "
            "order (or pass .to_numpy() of each, to match them by position)"
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            "scores holds NaN or infinite values; every score should be a finite number "
            "(clip a probability before taking its logarithm)"
        )
    if is_member.all() or not is_member.any():
        raise ValueError("is_member holds one kind only; members (True) and non-members (False) are both needed")
    return scores, is_member


def _membership(is_member: Any) -> np.ndarray:
    """`is_member` as a new array of bools: True and False, or the whole numbers 1 and 0."""
    _checks.refuse_masked("is_member", is_member)
    wanted = "is_member should hold True or False (or 1 or 0) for each record"
    try:
        is_member = np.asarray(is_member)
    except (TypeError, ValueError):
        raise ValueError(f"{wanted}; it holds rows of unequal length") from None
    every = is_member.ravel().tolist()
    if not all(isinstance(value, bool | np.bool_ | Integral) and value in (0, 1) for value in every):
        raise ValueError(f"{wanted}; it holds {is_member.dtype} values such as {every[:3]}")
    return is_member.astype(bool)


def _check_threshold(threshold: float) -> float:
    if isinstance(threshold, bool) or not isinstance(threshold, Real) or isnan(threshold):
        raise ValueError(f"threshold is {threshold!r}; it should be one number")
    return float(threshold)
