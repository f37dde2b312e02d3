"""How much less time a net takes among many than alone in scikit-learn, at equal training loss.

Run `python tests/bench_nets.py`, with `--quick` for fewer models. The nets of `mialab.nets` and those of
MLPClassifier behind a StandardScaler train on the same random halves, on one BLAS thread (and once more on as
many as BLAS likes). Ours run for the fewest epochs at which their mean training loss (log-loss without penalty) is
no larger than theirs. CPU time of the process, ours and theirs in turn, medians over rounds.
Larger steps need fewer epochs, so there is a line for two of ours, and one that gives MLPClassifier ours.
"""

import argparse
import contextlib
import time
import warnings
from statistics import median

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.datasets import load_iris as load_plain_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from mialab.data import load_iris, wrong_labels
from mialab.metrics import auc, mean_interval
from mialab.nets import NetClassifier, train_nets
from mialab.shadows import shadow_members

SMALL, STEP = 0.005, NetClassifier().learning_rate  # first steps of ours; MLPClassifier's are 0.001 throughout
CASES = {  # data, hidden units, nets that we train, at least how many times less time
    "Iris, 16 hidden": (load_plain_iris, 16, 256, 60),
    "Iris, 64 hidden": (load_plain_iris, 64, 256, 20),
    "breast cancer, 16 hidden": (load_breast_cancer, 16, 64, 12),
    "breast cancer, 64 hidden": (load_breast_cancer, 64, 64, 12),
    "digits, 64 hidden": (load_digits, 64, 16, 4),
}
CASES_OF_PEAK = {16: 256, 64: 64, 256: 16}  # hidden units: nets


def mlp(hidden, seed, **settings):
    """scikit-learn's net behind a scaler, with iterations enough to stop by its own rule."""
    return make_pipeline(StandardScaler(), MLPClassifier(hidden, random_state=seed, **{"max_iter": 5000} | settings))


def rivals(hidden, X, y, masks, loss):
    """(name, settings, our step): scikit-learn's nets, the others stopped once as low in loss as the first."""
    found = [("adam", {}, SMALL), ("adam", {}, STEP)]
    for name, settings in {f"adam, step {STEP}": {"learning_rate_init": STEP}, "lbfgs": {"solver": "lbfgs"}}.items():
        for max_iter in range(2, 400):
            settings = settings | {"max_iter": max_iter}
            if train_theirs(hidden, X, y, masks, settings)[1] <= loss:
                break
        found.append((name, settings, STEP))
    return found


def train_theirs(hidden, X, y, masks, settings):
    """scikit-learn's nets one by one: CPU seconds a model, mean training loss, answers (K, n, C)."""
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        models = [mlp(hidden, k, **settings).fit(X[mask], y[mask]) for k, mask in enumerate(masks)]
    seconds = (time.process_time() - start) / len(masks)
    P = np.stack([model.predict_proba(X) for model in models])
    likelihood = P[:, np.arange(len(y)), y][masks]
    return seconds, -np.log(np.maximum(likelihood, 1e-300)).mean(), P


def train_ours(hidden, X, y, masks, step, epochs):
    """Our nets at once: CPU seconds a model, training losses (K,), answers (K, n, C)."""
    start = time.process_time()
    nets = train_nets(X, y, masks, hidden=hidden, learning_rate=step, epochs=epochs, random_state=0)
    seconds = (time.process_time() - start) / len(masks)
    return seconds, nets.loss_, nets.predict_proba(X)


def epochs_for(loss, hidden, X, y, masks, step):
    """The fewest epochs, found by halving, at which our mean training loss is no larger than `loss`."""
    too_few, enough = 0, 4096
    while enough - too_few > 1:
        epochs = (too_few + enough) // 2
        low = train_ours(hidden, X, y, masks, step, epochs)[1].mean() <= loss
        too_few, enough = (too_few, epochs) if low else (epochs, enough)
    return enough


def accuracy(P, y, masks):
    """Share of strangers whose label is the most probable class."""
    return (P.argmax(axis=2) == y)[~masks].mean()


def speed(n_theirs, n_rounds):
    """Print how many times less time ours take, against each rival and at equal loss."""
    print("Times less CPU time a model, at a training loss no larger\n")
    print(f"{'':26s}{'rival':18s}{'loss':>8s}{'ours':>8s}{'step':>7s}{'epochs':>7s}{'ms':>8s}{'ours':>8s}", end="")
    print(f"{'times':>7s}{'bar':>5s}{'default threads':>17s}{'accuracy':>10s}{'ours':>6s}")
    for case, (load, hidden, n_ours, bar) in CASES.items():
        X, y = load(return_X_y=True)
        masks = shadow_members(y, n_ours, len(y) // 2, 0)
        few = masks[:n_theirs]
        with threadpool_limits(1):
            loss = train_theirs(hidden, X, y, few, {})[1]
            others = rivals(hidden, X, y, few, loss)
        for name, settings, step in others:
            rounds = {1: [], None: []}
            for threads in [1, None] * n_rounds:
                with threadpool_limits(1) if threads else contextlib.nullcontext():
                    theirs = train_theirs(hidden, X, y, few, settings)
                    if not rounds[1]:
                        epochs = epochs_for(theirs[1], hidden, X, y, few, step)
                    ours = train_ours(hidden, X, y, masks, step, epochs)
                rounds[threads].append((theirs[0], ours[0], theirs[0] / ours[0]))
            ms, our_ms, times = (median(each) for each in zip(*rounds[1], strict=True))
            any_threads = median(times for *_, times in rounds[None])
            right, our_right = (accuracy(P[:n_theirs], y, few) for P in (theirs[2], ours[2]))
            losses = f"{theirs[1]:8.4f}{ours[1][:n_theirs].mean():8.4f}{step:7}{epochs:7d}"
            times = (
                f"{ms * 1000:8.2f}{our_ms * 1000:8.2f}{times:7.1f}{bar if name == 'adam' else '':>5}{any_threads:17.1f}"
            )
            print(f"{case:26s}{name:18s}{losses}{times}{right:10.3f}{our_right:6.3f}", flush=True)


def share_of_peak(n_rounds):
    """Print how much of what the machine does in one large matrix product our nets do while they train on Iris."""
    (X, y), square, epochs = load_plain_iris(return_X_y=True), np.ones((1024, 1024), "float32"), 200
    print("\nThe layers' products, in floating-point operations a second, as a share of one large product's")
    for hidden, n_nets in CASES_OF_PEAK.items():
        masks, shares = shadow_members(y, n_nets, len(y) // 2, 0), []
        of_a_net = (
            epochs * (len(y) // 2) * 2 * 3 * (hidden * (X.shape[1] + 1) + 3 * (hidden + 1))
        )  # forward, twice back
        for _ in range(n_rounds + 2):
            with threadpool_limits(1):
                start = time.process_time()
                square @ square
                peak = 2 * 1024**3 / (time.process_time() - start)
                shares.append(of_a_net / train_ours(hidden, X, y, masks, STEP, epochs)[0] / peak)
        print(f"{hidden:4d} hidden: {median(shares):.1%}", flush=True)
    print(
        "The rest is passes over arrays too small to reuse (a bend, an exponential, Adam's means), one NumPy call each."
    )


def parity(n_nets):
    """Print the differences in accuracy and in leak on identical subsets of Iris, with clean and wrong labels."""
    flowers, hidden = load_iris(), 16
    X = flowers.X
    print(f"\nOn {n_nets} identical halves of Iris, 16 hidden units: scikit-learn's adam, ours, difference ± 95%")
    for fraction in (0.0, 0.2):
        y = wrong_labels(flowers.y, fraction, 0)
        masks = shadow_members(y, n_nets, len(y) // 2, 0)
        with threadpool_limits(1):
            _, loss, theirs = train_theirs(hidden, X, y, masks, {})
        figures = {
            "test accuracy": lambda P, mask, y=y: (P.argmax(axis=1) == y)[~mask].mean(),
            "membership AUC": lambda P, mask, y=y: auc(P[np.arange(len(y)), y], mask),
        }
        for step in (SMALL, STEP):
            epochs = epochs_for(loss, hidden, X, y, masks, step)
            _, losses, ours = train_ours(hidden, X, y, masks, step, epochs)
            print(
                f"{fraction:.0%} wrong labels: loss {loss:.4f}, ours {losses.mean():.4f}, {epochs} epochs, step {step}"
            )
            for name, figure in figures.items():
                their, our = (np.array([figure(*pair) for pair in zip(P, masks, strict=True)]) for P in (theirs, ours))
                mean, low, high, *_ = mean_interval(our - their)
                print(f"    {name:15s} {their.mean():.4f}  {our.mean():.4f}  {mean:+.4f} ± {(high - low) / 2:.4f}")


def main():
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer models, one round")
    quick = parser.parse_args().quick
    speed(n_theirs=2 if quick else 6, n_rounds=1 if quick else 3)
    share_of_peak(n_rounds=1 if quick else 3)
    parity(n_nets=16 if quick else 256)


if __name__ == "__main__":
    main()
