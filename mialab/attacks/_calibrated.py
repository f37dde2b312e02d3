"""LiRA and RMIA: each record is judged by what shadow models answer about that very record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mialab import _checks
from mialab.attacks._contract import Attack, ThreatModel, replicas
from mialab.attacks._pool import rows_in_pool
from mialab.attacks._signals import columns, log_odds, true_class_confidence

if TYPE_CHECKING:
    from mialab.shadows import Shadows

SMALLEST_SD = 0.01  # of log-odds: less than a hundredth, as among trees that all agree, is taken for chance
SMALLEST_PROBABILITY = 1e-6  # as `log_odds` keeps it: a ratio needs something to divide by
TIE = 1e-9  # log-odds, or logarithms of relative confidences, nearer than this are equal


class CalibratedAttack(Attack):
    """A `CalibratedAttack` is what LiRA and RMIA share: target and shadows are asked about the very same records.

    It reads, for each candidate, the confidence in its recorded label of the target and of every shadow. A candidate
    that was a member of too few shadows, or of all but too few, raises ValueError.

    >>> isinstance(LiRA(), CalibratedAttack), isinstance(RMIA(), CalibratedAttack)
    (True, True)
    >>> print(CalibratedAttack.threat_model)
    The attacker may ask the model any question and read its confidences, and knows the candidate's recorded label, the
    model's type, other records of the population and the training procedure.
    """

    threat_model = ThreatModel(true_label=True, model_type=True, other_records=True, training_procedure=True)

    def __init__(self, online: bool):
        self.online = _checks.flag("online", online)

    def fit(self, target: Any, shadows: Any = None) -> CalibratedAttack:
        """Point the attack at `target`; `shadows` are replicas of it, as `mialab.shadows.train_shadows` makes them.

        It raises ValueError for shadows of another kind, or of other classes than the target's.
        """
        self.shadows_ = replicas(type(self).__name__, target, shadows)
        return super().fit(target)

    def _read(self, X: Any, y: Any, index: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Confidence of the target (n,) and of each shadow (K, n); and which shadow had the record as a member."""
        own = true_class_confidence(self._fitted_target(), X, y)
        theirs, is_in = _shadow_confidence(self.shadows_, X, y, index)
        for needed, count, kind in ((self.online, is_in.sum(axis=0), "a"), (True, (~is_in).sum(axis=0), "no")):
            if needed and (count < 2).any():
                i = int(np.argmin(count))
                raise ValueError(
                    f"record {i} of X was {kind} member of {count[i]} of the {len(is_in)} shadows; "
                    f"{type(self).__name__}(online={self.online}) needs at least 2 with"
                    f"{'out' if kind == 'no' else ''} it"
                    + ("; for records outside the shadows' pool use online=False" if kind == "a" else "")
                )
        return own, theirs, is_in


def _shadow_confidence(shadows: Shadows, X: Any, y: Any, index: Any) -> tuple[np.ndarray, np.ndarray]:
    """Each shadow's confidence in the recorded label of each record, and whether it was a member, both (K, n).

    Records that are not in the pool were no members, and the shadows are asked about them.
    """
    rows = rows_in_pool(shadows, X, y, index)
    column = columns(shadows, y, len(rows))
    theirs, is_in = shadows.proba[:, rows, column], shadows.in_mask[:, rows]
    new = np.flatnonzero(rows < 0)
    if len(new):
        answers = shadows.predict_proba(_checks.take(_checks.candidates("X", X), new))
        theirs[:, new], is_in[:, new] = answers[:, range(len(new)), column[new]], False
    return theirs, is_in


class LiRA(CalibratedAttack):
    """The likelihood-ratio attack asks: is this answer likelier of a model with the record, or of one without it?

    It reads the confidence in the recorded label, as log-odds, off every shadow. For each record it fits two normal
    curves: one to the shadows that had it as a member, one to the others. The score is the logarithm of the ratio of
    their densities at the target's own log-odds.

    Parameters
    ----------
    online : True uses both curves; the candidates must be in the shadows' pool. False (offline) uses only the curve
        without the record, and the score is by how many standard deviations the target is surer than that (the paper's
        one-sided probability in the same order). Candidates may then be outside the pool.
    variance : "record", of each record by itself, or "fixed", one variance for members and one for others, pooled over
        the records of the pool, which is better with few shadows.

    >>> from mialab import shadows, targets
    >>> X, y = np.arange(12.0)[:, None], np.arange(12) % 3  # neighbours differ, so that only memory is right
    >>> trained = shadows.train_shadows(targets.make("one-nn"), X, y, n_shadows=8, random_state=0)
    >>> attack = LiRA(variance="fixed").fit(trained.models[0], trained.besides(0))
    >>> scores, is_member = attack.score_samples(X, y), trained.in_mask[0]
    >>> bool(scores[is_member].min() > scores[~is_member].max())
    True

    References
    ----------
    Carlini, Chien, Nasr, Song, Terzis, Tramèr, "Membership Inference Attacks From First Principles", IEEE S&P 2022:
    Algorithm 1 (online), section V-C (offline), section VI-C (number of shadows, fixed variance).
    """

    def __init__(self, online: bool = True, variance: str = "record"):
        super().__init__(online)
        self.variance = _checks.one_of("variance", variance, ("record", "fixed"))

    def fit(self, target: Any, shadows: Any = None) -> LiRA:
        """Point the attack at `target`; `shadows` are replicas of it, as `mialab.shadows.train_shadows` makes them.

        It raises ValueError for shadows of another kind, or of other classes than the target's.
        """
        super().fit(target, shadows)
        if self.variance == "fixed":
            odds, is_in = _tied(log_odds(shadows.confidence_in_label)), shadows.in_mask
            self.pooled_sd_ = {members: _pooled_sd(odds, is_in == members) for members in (True, False)}
        return self

    def score_samples(self, X: Any, y: Any, index: Any = None) -> np.ndarray:
        """Return the log of the likelihood ratio of each record, or offline its standardised log-odds, (n,).

        `index` (n,) may give the candidates' rows in the shadows' pool; it tells twins apart.
        """
        own, theirs, is_in = self._read(X, y, index)
        own, theirs = _tied(log_odds(own)), _tied(log_odds(theirs))
        without = self._curve(theirs, ~is_in, members=False)
        if not self.online:
            return (own - without.mean) / without.sd
        return self._curve(theirs, is_in, members=True).log_density(own) - without.log_density(own)

    def _curve(self, odds: np.ndarray, chosen: np.ndarray, members: bool) -> _Normal:
        """The normal curve of each record's `chosen` log-odds."""
        mean = odds.mean(axis=0, where=chosen)
        if self.variance == "record":
            return _Normal(mean, np.maximum(odds.std(axis=0, where=chosen), SMALLEST_SD))
        return _Normal(mean, self.pooled_sd_[members])


def _tied(odds: np.ndarray) -> np.ndarray:
    """Log-odds in whole multiples of the width of a tie: equal ones must tie, whatever the order of a sum."""
    return np.round(odds / TIE) * TIE


class _Normal(NamedTuple):
    """A normal distribution for each record."""

    mean: np.ndarray
    sd: np.ndarray | float

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """Of the distribution at x, less a constant that all share."""
        return -np.log(self.sd) - ((x - self.mean) / self.sd) ** 2 / 2


def _pooled_sd(odds: np.ndarray, chosen: np.ndarray) -> float:
    """One standard deviation for all columns of `odds`, (K, n), where `chosen`, each about its own mean."""
    seen = chosen.any(axis=0)
    odds, chosen = odds[:, seen], chosen[:, seen]
    squares = (odds - odds.mean(axis=0, where=chosen)) ** 2
    return max(float(np.sqrt(squares.mean(where=chosen))), SMALLEST_SD)


class RMIA(CalibratedAttack):
    """The robust membership inference attack asks: is the target surer of this record, by comparison, than of others?

    It divides the target's confidence in the recorded label by what is usual for this record, the mean over shadows
    with and without it: this is the record's relative confidence. The score is the share of a population of other
    records whose relative confidence is at most 1/gamma of the candidate's; equal counts half, so that where the
    candidates are among the population a record neither gains nor loses by being compared with itself.

    At gamma 1, the default, it is the relative confidence that ranks the records: the population, whichever it is, only
    turns it into a share, and changes no ranking but for ties. A larger gamma lets the population decide, and can rank
    worse or better: turn it before you trust it.

    Parameters
    ----------
    online : True takes for the usual confidence the mean of two means, over shadows with and without the record, which
        must be in their pool. False (offline) takes ((1 + a) · p_out + 1 - a) / 2 from shadows without it alone.
    gamma : how many times surer, 1 or more.
    offline_a : the a of the offline estimate, 0 to 1; 1 takes p_out for the usual confidence.

    `fit(target, shadows, population=None)` asks the target about each record of `population`, (X, y), by default the
    shadows' pool. Those outside the pool are rated offline.

    >>> from mialab import shadows, targets
    >>> X, y = np.arange(12.0)[:, None], np.arange(12) % 3  # neighbours differ, so that only memory is right
    >>> trained = shadows.train_shadows(targets.make("one-nn"), X, y, n_shadows=8, random_state=0)
    >>> attack = RMIA().fit(trained.models[0], trained.besides(0))
    >>> scores, is_member = attack.score_samples(X, y), trained.in_mask[0]
    >>> bool(scores[is_member].min() > scores[~is_member].max())
    True

    References
    ----------
    Zarifzadeh, Liu, Shokri, "Low-Cost High-Power Membership Inference Attacks", ICML 2024: section 3 (the ratio and
    gamma), appendix B.2 (the offline estimate of the usual confidence).
    """

    def __init__(self, online: bool = True, gamma: float = 1.0, offline_a: float = 0.3):
        super().__init__(online)
        self.gamma = _checks.number("gamma", gamma, 1)
        self.offline_a = _checks.fraction("offline_a", offline_a)

    def fit(self, target: Any, shadows: Any = None, population: tuple[Any, Any] | None = None) -> RMIA:
        """Point the attack at `target`, and ask it about the `population`, (X, y), to compare candidates with.

        It raises ValueError for shadows that are no replicas of the target, and for a population that is no pair.
        """
        super().fit(target, shadows)
        if population is None:
            X, y, index = shadows.X, shadows.y, np.arange(len(shadows.y))
        else:
            (X, y), index = _two("population", population), None
        own = true_class_confidence(target, X, y)
        self.population_ = np.sort(self._relative(own, *_shadow_confidence(shadows, X, y, index)))
        return self

    def score_samples(self, X: Any, y: Any, index: Any = None) -> np.ndarray:
        """Return the share of the population that each record outdoes by gamma times, (n,), from 0 to 1.

        `index` (n,) may give the candidates' rows in the shadows' pool; it tells twins apart.
        """
        bar = self._relative(*self._read(X, y, index)) - np.log(self.gamma)
        # Equal ones must tie, whatever the order of a sum: hence the width of a tie.
        below = np.searchsorted(self.population_, bar - TIE, side="left")
        not_above = np.searchsorted(self.population_, bar + TIE, side="right")
        return (below + not_above) / (2 * len(self.population_))

    def _relative(self, own: np.ndarray, theirs: np.ndarray, is_in: np.ndarray) -> np.ndarray:
        """Log of the relative confidence, (n,)."""
        p_out = theirs.mean(axis=0, where=~is_in)
        usual = ((1 + self.offline_a) * p_out + 1 - self.offline_a) / 2
        if self.online:
            known = is_in.any(axis=0)
            usual[known] = (theirs[:, known].mean(axis=0, where=is_in[:, known]) + p_out[known]) / 2
        own, usual = (np.log(np.maximum(p, SMALLEST_PROBABILITY)) for p in (own, usual))
        return own - usual


def _two(name: str, value: Any) -> tuple[Any, Any]:
    """A pair (X, y)."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ValueError(f"{name} is {type(value).__name__}; it should be a pair (X, y) of records and their labels")
    return value[0], value[1]
