"""What the attacks show: each statistic of each attack against chance, and against the blind baseline.

Two kinds of statistic count: the AUC, and the members caught at few false alarms, where a leak of a few people shows
that the AUC does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mialab.metrics import AttackResult, auc_error, placements

if TYPE_CHECKING:
    import pandas as pd

RISK = 0.05
POWER = 0.8
FPR = 0.01
SUSPECT = 0.15  # the blind score is believed sooner than an attack: wrongly, it costs a comparison
WORTH_FINDING = 0.6  # an audit that could not have found this AUC says so
DRAWS = 300  # of the bootstrap
SPREAD = 1.4  # a cross-validated AUC varies so many times as much as one of scores fixed beforehand (measured)
AUC = "AUC"


def statistics(n_non_members: int) -> dict[str, int | None]:
    """What is tested of each attack, and how many false alarms it allows; None for the AUC."""
    few = int(FPR * n_non_members)
    return {AUC: None, "above every non-member": 0} | ({f"at {few} false alarms": few} if few else {})


def caught(result: AttackResult, allowed: int) -> int:
    """How many members are accused by the loosest threshold that accuses at most so many non-members."""
    outside = np.sort(result.scores[~result.is_member])[::-1]
    return int((result.scores[result.is_member] > outside[allowed]).sum())


def log_chance(result: AttackResult, allowed: int | None) -> float:
    """The logarithm of the probability that scores which know nothing do as well.

    Of the AUC it is the normal approximation to the Mann-Whitney test, corrected for ties. Of k members caught at a
    false alarms it is exact: among the k + a highest of all records are at most a non-members (hypergeometric; ties
    make it larger than need be).
    """
    from scipy.special import logsumexp
    from scipy.stats import hypergeom, norm

    m, n = result.n_members, result.n_non_members
    if allowed is None:
        return float(norm.logsf(result.z))
    drawn = caught(result, allowed) + allowed
    return min(0.0, float(logsumexp(hypergeom.logpmf(np.arange(allowed + 1), m + n, n, drawn))))


def value(result: AttackResult, allowed: int | None) -> float:
    """The AUC, or the share of members that are caught."""
    return result.auc if allowed is None else caught(result, allowed) / result.n_members


def lead(result: AttackResult, blind: AttackResult, allowed: int | None, random_state: int) -> tuple[float, float]:
    """How far an attack is ahead of the blind baseline on the same records, and the standard error of that.

    Of two AUCs it is DeLong's; of two shares caught it is that of a paired bootstrap, thresholds drawn anew. A baseline
    that does worse than guessing counts as one that guesses.
    """
    ahead = value(result, allowed) - max(value(blind, allowed), 0.5 if allowed is None else 0.0)
    inside, outside = np.flatnonzero(result.is_member), np.flatnonzero(~result.is_member)
    if allowed is None:
        each = [placements(one.scores[inside], one.scores[outside]) for one in (result, blind)]
        return ahead, auc_error((each[0][0] - each[1][0], each[0][1] - each[1][1]))
    rng, differences = np.random.default_rng(random_state), []
    for _ in range(DRAWS):
        some_in, some_out = rng.choice(inside, len(inside)), rng.choice(outside, len(outside))
        shares = []
        for one in (result, blind):
            bar = np.partition(one.scores[some_out], -1 - allowed)[-1 - allowed]
            shares.append((one.scores[some_in] > bar).mean())
        differences.append(shares[0] - shares[1])
    return ahead, max(float(np.std(differences)), 1 / len(inside))  # a member caught or not, where none ever varies


def widened(blind: AttackResult) -> AttackResult:
    """The blind baseline with the spread and the interval that cross-validation gives it."""
    low, high = (blind.auc + SPREAD * (end - blind.auc) for end in blind.interval)
    return replace(blind, interval=(max(0.0, low), min(1.0, high)), null_sd=SPREAD * blind.null_sd, z=blind.z / SPREAD)


def beats_chance(blind: AttackResult) -> bool:
    """Whether the blind baseline tells members from strangers, so that an attack has to do better than it."""
    each = [log_chance(blind, allowed) for allowed in statistics(blind.n_non_members).values()]
    return bool(len(each) * np.exp(min(each)) < SUSPECT)


def weigh(results: dict[str, AttackResult], blind: AttackResult, random_state: int) -> pd.DataFrame:
    """One row for each attack and statistic: what it shows, against chance and against the blind baseline.

    `chance` is corrected for the number of rows (Bonferroni). A row leaks if it beats chance and is ahead of the blind
    baseline: by more than luck in one of twenty, and where that baseline itself beats chance, at the corrected level.
    `low` and `high` are the 95% interval of the lead, given where the row beats chance or is about the AUC.
    """
    import pandas as pd
    from scipy.stats import norm

    tests = statistics(blind.n_non_members)
    n_tests, rows = len(results) * len(tests), []
    enough = norm.isf(RISK / n_tests if beats_chance(blind) else RISK)
    for attack, result in results.items():
        for statistic, allowed in tests.items():
            evidence = log_chance(result, allowed)
            chance = min(1.0, n_tests * float(np.exp(evidence)))
            ahead, error = value(result, allowed) - value(blind, allowed), np.nan
            if allowed is None or chance < RISK:
                ahead, error = lead(result, blind, allowed, random_state)
            rows.append(
                {"attack": attack, "statistic": statistic, "value": value(result, allowed), "chance": chance,
                 "blind": value(blind, allowed), "lead": ahead, "low": ahead - 1.96 * error,
                 "high": ahead + 1.96 * error, "leaks": bool(chance < RISK and ahead > enough * error),
                 "log_chance": evidence}
            )  # fmt: skip
    return pd.DataFrame(rows)


def smallest_auc(m: int, n: int, n_tests: int) -> float:
    """The AUC that m and n records would show with 80% probability, in one of so many tests (normal approximation)."""
    from scipy.stats import norm

    spread = np.sqrt((m + n + 1) / (12 * m * n))
    return float(min(1.0, 0.5 + (norm.isf(RISK / n_tests) + norm.ppf(POWER)) * spread))


def smallest_count(m: int, n: int, n_tests: int) -> int:
    """How many of m members above all n non-members would be found, in one of so many tests."""
    k, log_p = 0, 0.0
    while np.exp(log_p) * n_tests >= RISK and k < m:
        log_p += np.log(m - k) - np.log(m + n - k)
        k += 1
    return k


def outcome(evidence: pd.DataFrame, blind: AttackResult) -> str:
    """What the evidence comes to, in one of four words."""
    if evidence["leaks"].any():
        return "leaks"
    if beats_chance(blind):
        return "cannot judge"
    doubtful = (evidence["chance"] < RISK).any()  # better than guessing, and not clearly ahead of the blind baseline
    enough = smallest_auc(blind.n_members, blind.n_non_members, len(evidence)) <= WORTH_FINDING
    return "no leak found" if enough and not doubtful else "too little evidence"
