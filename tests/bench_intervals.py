"""How often the 95% intervals over targets that attack each other hold the truth, over many sets of shadows.

Run `python tests/bench_intervals.py` (`--quick`: 20 sets instead of 1,000). The truth is the mean over all sets. For
each model and attack: the coverage of `summarise`, which takes pairs of targets for the draws, and of `each_interval`,
which allows for shared shadows as well; and how wide each is beside the true spread.
"""

import argparse
from dataclasses import replace

import numpy as np

from mialab.attacks import RMIA, LiRA, ThresholdAttack
from mialab.audit._inputs import Remembered
from mialab.data import load_iris
from mialab.nets import NetClassifier
from mialab.shadows import train_shadows
from mialab.targets import make
from mialab.trials import attack_each, each_interval, summarise

FLOWERS = load_iris()
ATTACKS = {"threshold": ThresholdAttack(), "LiRA": LiRA(), "RMIA": RMIA(), "RMIA offline": RMIA(online=False)}
MODELS = {
    "logistic": NetClassifier(hidden=0, epochs=150, learning_rate=0.1),
    "net": NetClassifier(hidden=16, epochs=100),
    "look-up": make("knn-lookup"),
    "tree": make("tree"),
}


def both(model, seed):
    """Mean, low and high of each attack by either way, (2, n_attacks, 3)."""
    shadows = train_shadows(model, FLOWERS.X, FLOWERS.y, n_shadows=16, random_state=seed)
    # Each is asked about the pool once, not 113 times.
    shadows = replace(shadows, models=[Remembered(each, shadows.X) for each in shadows.models])
    pairs = summarise(attack_each(shadows, ATTACKS).filter(like="auc_"))
    return np.stack([pairs.to_numpy(), each_interval(shadows, ATTACKS, random_state=seed).to_numpy()])


def main(n_sets):
    for name, model in MODELS.items():
        found = np.stack([both(model, seed) for seed in range(n_sets)])
        mean, low, high = np.moveaxis(found, 3, 0)
        truth, spread = mean.mean(axis=0), mean.std(axis=0, ddof=1)
        covered = ((low <= truth) & (truth <= high)).mean(axis=0)
        width = np.median(high - low, axis=0) / (2 * 1.96 * spread)
        for attack, pairs, halves, narrow, wide in zip(ATTACKS, *covered, *width, strict=True):
            print(
                f"{name:<9}{attack:<14}pairs of targets {pairs:.1%} (width {narrow:.2f} of the true one), "
                f"halves {halves:.1%} ({wide:.2f})",
                flush=True,
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 sets of shadows")
    main(20 if parser.parse_args().quick else 1000)
