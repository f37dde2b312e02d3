"""How large epsilon must truly be for an audit to refute a claim, by the best of attackers.

Run `python tests/bench_epsilon.py` (`--quick`: 10 made-up audits a figure instead of 100). The attacker sees the noisy
sum itself; whoever asks a trained model sees less. Infinity stands for what an audit of this size can never show.
"""

import argparse

from mialab.privacy import least_caught

DELTA = 1e-5


def main(n_trials):
    print(f"Least epsilon that is caught four times in five, at delta {DELTA:g}")
    for claim in (0.5, 1.0, 2.0, 4.0):
        for n in (200, 1000, 5000):
            many, one = (least_caught(claim, n, DELTA, n_trials=n_trials, one_run=one) for one in (False, True))
            print(
                f"  claim {claim:g}: {n:5d} trainings {many:6.1f}; one training, {n:5d} planted {one:6.1f}", flush=True
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 audits a figure")
    main(10 if parser.parse_args().quick else 100)
