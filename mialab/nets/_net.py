"""Many small neural networks trained at once, each on its own subset of the same records.

Notebook 09 trains one net, then many. An attack needs hundreds of replicas of its target, and each is a tiny
fit: nearly all of scikit-learn's time goes to starting each step, not to arithmetic. Here one step moves a
whole stack of nets.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from mialab import _checks
from mialab._threads import one_thread
from mialab.nets._stack import Stack

HELD_OUT = 0.1  # share of a net's own members that early stopping keeps apart, as in MLPClassifier
PATIENCE = 50  # epochs without a smaller held-out loss, after which early stopping looks no further
CHUNK_BYTES = 2**21  # work space of the nets that are trained at once: what a core's cache holds is fastest
LARGEST = 1e150  # measurements beyond this have no standard deviation in double precision
LARGEST_CLIPPED = 1e9  # nor a gradient whose length single precision can hold: one record would decide who is refused


class NetClassifier(ClassifierMixin, BaseEstimator):
    """A `NetClassifier` is a neural network with one hidden layer of rectified linear units.

    Parameters
    ----------
    hidden : how many hidden units; 0 is softmax regression.
    epochs : how many Adam steps, each on all the training records (a few records at a time saved half the time on
        1,000 records and none on fewer, and made answers depend on the records' order).
    learning_rate : size of the first steps; from there it falls to zero along half a cosine. 0.005 with four
        times the epochs fits as well and comes closest to MLPClassifier (`make bench`).
    l2 : beside the mean log-loss of its n records the net pays l2 / (2 n) × the sum of squared weights (biases
        are free), which is the convention of MLPClassifier's `alpha`. Two classes have an output each.
    early_stopping : whether to hold a tenth of the records out, and keep the weights with the smallest log-loss there.
    standardise : whether to train on each measurement less its mean, in standard deviations, as StandardScaler does.
    clip, noise, sampling : private training (DP-SGD, with Adam's steps). In each step a record counts with probability
        `sampling`; its gradient is shortened to length `clip` at most, the gradients are added up, and normal noise
        of standard deviation noise × clip is added to every number of the sum. `mialab.privacy` says what that
        promises. It needs standardise=False and early_stopping=False, which read the members without noise, and a
        random_state that stays secret: who knows the seed knows the noise. clip=None trains without any of this.
    random_state : an int, a numpy Generator, or None.
    dtype : "float32" or "float64", the arithmetic of training. Answers are in double precision with either.

    Attributes
    ----------
    classes_, n_features_in_, feature_names_in_ : as in scikit-learn.
    coefs_, intercepts_ : for each layer, weights (inputs, outputs) and biases (outputs,), for measurements as they
        come: the standardisation is folded in.
    loss_ : mean log-loss on the records it was trained on, without the penalty and without those held out. NaN after
        private training: it would tell of the members without noise.

    >>> net = NetClassifier(hidden=4, epochs=200, random_state=0).fit([[0], [1], [8], [9]], ["a", "a", "b", "b"])
    >>> net.predict([[2], [7]]).tolist()
    ['a', 'b']
    >>> net.predict_proba([[2], [7]]).sum(axis=1).round(6).tolist()
    [1.0, 1.0]

    Sources: Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1. Abadi et al., "Deep
    Learning with Differential Privacy", CCS 2016, algorithm 1; here the clipped sum is not divided by the number of
    records, which Adam's steps do not feel and add-or-remove privacy should not tell.
    """

    def __init__(
        self,
        hidden: int = 16,
        epochs: int = 500,
        learning_rate: float = 0.02,
        l2: float = 1e-4,
        early_stopping: bool = False,
        standardise: bool = True,
        clip: float | None = None,
        noise: float = 0.0,
        sampling: float = 1.0,
        random_state: int | np.random.Generator | None = None,
        dtype: str = "float32",
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.l2 = l2
        self.early_stopping = early_stopping
        self.standardise = standardise
        self.clip = clip
        self.noise = noise
        self.sampling = sampling
        self.random_state = random_state
        self.dtype = dtype

    def fit(self, X: Any, y: Any) -> NetClassifier:
        """Train on records X (n, n_features) with labels y (n,); return the net itself.

        It raises ValueError as `train_nets` does.
        """
        everyone = np.ones((1, len(_checks.records("X", X))), dtype=bool)
        nets = train_nets(X, y, everyone, **self.get_params())
        validate_data(self, X, skip_check_array=True)  # notes how many columns there are, and a frame's names
        return self._take(nets, 0)

    def _take(self, nets: Nets, k: int) -> NetClassifier:
        """Become net k."""
        self.classes_, self.loss_ = nets.classes_, float(nets.loss_[k])
        self.coefs_ = [weights[k].copy() for weights in nets.coefs_]
        self.intercepts_ = [biases[k].copy() for biases in nets.intercepts_]
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class for each record of X, (n, n_classes).

        It raises ValueError for bad data, and scikit-learn's NotFittedError before `fit`.
        """
        check_is_fitted(self)
        measurements = _checks.records("X", X)
        validate_data(self, X, skip_check_array=True, reset=False)
        return _probabilities(self.coefs_, self.intercepts_, measurements)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable class of each record of X, (n,)."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]


@dataclass(frozen=True, eq=False)
class Nets:
    """A `Nets` holds K trained nets: `nets.predict_proba(X)` asks them all, `nets[k]` is one fitted NetClassifier.

    Attributes
    ----------
    classes_ : (n_classes,) labels, one for each column of the answers.
    coefs_, intercepts_ : for each layer, weights (K, inputs, outputs) and biases (K, outputs).
    loss_ : (K,) mean log-loss of each net on the records it was trained on.
    settings : what NetClassifier would take to train one such net.

    >>> X, y = [[0], [1], [8], [9]], ["a", "a", "b", "b"]
    >>> masks = np.array([[True, False, True, False], [False, True, False, True]])  # who trains which net
    >>> nets = train_nets(X, y, masks, hidden=4, epochs=200, random_state=0)
    >>> nets.predict_proba(X).shape, nets[1].predict([[9]]).tolist()
    ((2, 4, 2), ['b'])
    """

    classes_: np.ndarray
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    loss_: np.ndarray
    settings: dict[str, Any]

    def __len__(self) -> int:
        return len(self.loss_)

    def __getitem__(self, k: int) -> NetClassifier:
        net = NetClassifier(**self.settings)
        net.n_features_in_ = self.coefs_[0].shape[1]
        return net._take(self, operator.index(k))

    def subset(self, which: Any) -> Nets:
        """Return the nets at these places; `which` is as NumPy takes it: bools, numbers or a slice."""
        coefs, intercepts = ([each[which] for each in layers] for layers in (self.coefs_, self.intercepts_))
        return Nets(self.classes_, coefs, intercepts, self.loss_[which], self.settings)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class for each record of X by each net, (K, n, n_classes).

        It raises ValueError for bad data and for another number of measurements than the nets were trained on.
        """
        X = _checks.records("X", X)
        _, n_features, widest = self.coefs_[0].shape
        if X.shape[1] != n_features:
            raise ValueError(f"X has {X.shape[1]} features, but the nets were trained on {n_features} features")
        answers = np.empty((len(self), len(X), len(self.classes_)))
        for part in _chunks(len(self), max(1, 2**22 // (len(X) * widest))):
            coefs, intercepts = ([each[part] for each in layers] for layers in (self.coefs_, self.intercepts_))
            answers[part] = _probabilities(coefs, intercepts, X)
        return answers

    def __repr__(self) -> str:
        return f"{len(self)} nets of {self.settings['hidden']} hidden units, mean training loss {self.loss_.mean():.3f}"


def train_nets(
    X: Any, y: Any, masks: Any, *, chunk: int | None = None, progress: bool = False, **settings: Any
) -> Nets:
    """Train K nets at once: net k on the records X[masks[k]] with labels y[masks[k]], and on nothing else.

    Parameters
    ----------
    X, y : (n, n_features) measurements and (n,) labels of at least two classes.
    masks : (K, n) bool, True where a record is a member of that net's training set. Sizes may differ, though
        every net takes the time of the largest. A net that has no member of some class keeps a column for it.
    settings : as NetClassifier takes them: hidden, epochs, learning_rate, l2, early_stopping, standardise, clip,
        noise, sampling, random_state, dtype. Mean, standard deviation and held-out tenth are of each net's own members.
    chunk : how many nets are trained at once, which bounds the memory; None chooses. Answers do not depend on
        it: net k draws from random numbers of its own, and every matrix product is of one net.
    progress : whether to write to the standard error how many nets are done.

    It raises ValueError for bad data or settings, a net without members (with early stopping it needs two), and weights
    that overflow.

    >>> masks = np.array([[True, False, True, False], [False, True, False, True]])  # who trains which net
    >>> nets = train_nets([[0], [1], [8], [9]], ["a", "a", "b", "b"], masks, hidden=4, epochs=200, random_state=0)
    >>> len(nets), bool((nets.predict_proba([[0]])[:, 0, 0] > 0.5).all())  # both say that 0 is an "a"
    (2, True)
    """
    net = NetClassifier(**settings)
    _check_settings(net)
    X = _checks.records("X", X)
    if X.shape[1] == 0:
        raise ValueError(f"X has 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
    largest = LARGEST if net.clip is None else LARGEST_CLIPPED
    if np.abs(X).max() > largest:
        raise ValueError(f"X holds {np.abs(X).max():.3g}; every measurement should be within ±{largest:g}")
    y = _checks.labels("y", y, len(X))
    check_classification_targets(y)  # refuses measurements given as labels
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y holds one class only, {classes.tolist()[0]!r}; a classifier needs at least 2")
    masks = _checks.member_masks("masks", masks, len(X), at_least=2 if net.early_stopping else 1)
    size = int(masks.sum(axis=1).max())
    if chunk is None:
        net_bytes = np.dtype(net.dtype).itemsize * size * (X.shape[1] + 3 * net.hidden + 3 * len(classes))
        chunk = max(1, CHUNK_BYTES // net_bytes)
    chunk = _checks.whole_number("chunk", chunk, 1)
    progress = _checks.flag("progress", progress)
    streams = _checks.generator(net.random_state).spawn(len(masks))

    trained = []
    with one_thread(), np.errstate(all="ignore"):  # on products this small, threads wait for each other
        for part in _chunks(len(masks), chunk):
            trained.append(_train(X, codes, len(classes), masks[part], size, streams[part], net))
            if progress:
                print(f"\r{part.stop} of {len(masks)} nets trained", end="", file=sys.stderr, flush=True)
    if progress:
        print(file=sys.stderr)
    coefs, intercepts, losses = zip(*trained, strict=True)
    coefs, intercepts = ([np.concatenate(layer) for layer in zip(*each, strict=True)] for each in (coefs, intercepts))
    if not all(np.isfinite(layer).all() for layer in [*coefs, *intercepts]):
        raise ValueError(
            f"X, learning_rate or l2 is so large that weights overflow {net.dtype}; "
            "standardise the measurements, or choose smaller numbers"
        )
    return Nets(classes, coefs, intercepts, np.concatenate(losses), net.get_params() | {"random_state": None})


def _chunks(n: int, size: int) -> Iterator[slice]:
    """The slices that cut n things into runs of at most `size`."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _check_settings(net: NetClassifier) -> None:
    """Raise a ValueError that names the first setting that is no such thing."""
    _checks.whole_number("hidden", net.hidden, 0)
    _checks.whole_number("epochs", net.epochs, 1)
    _checks.flag("early_stopping", net.early_stopping)
    _checks.flag("standardise", net.standardise)
    for name in ("learning_rate", "l2", "noise"):
        _checks.number(name, getattr(net, name))
    _check_privacy(net)
    _checks.one_of("dtype", net.dtype, ("float32", "float64"))


def _check_privacy(net: NetClassifier) -> None:
    """Raise a ValueError for settings of private training that are no such thing, or that would undo it."""
    _checks.number("sampling", net.sampling, 0, 1, above=True)
    if net.clip is None:
        if net.noise or net.sampling != 1:
            raise ValueError("clip is None; noise and sampling are for private training, which needs a clip above 0")
        return
    _checks.number("clip", net.clip, above=True)
    for name, instead in (
        ("standardise", "scale the measurements by ranges that are public"),
        ("early_stopping", "choose epochs beforehand"),
    ):
        if getattr(net, name):
            raise ValueError(
                f"{name} is True, which reads the members without noise, so that nothing would be promised to them; "
                f"with a clip it should be False ({instead})"
            )


def _probabilities(coefs: list[np.ndarray], intercepts: list[np.ndarray], X: np.ndarray) -> np.ndarray:
    """The answers of one net (n, n_classes), or of a stack of nets (K, n, n_classes), in double precision."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums = X @ coefs[0] + intercepts[0][..., None, :]
        for weights, biases in zip(coefs[1:], intercepts[1:], strict=True):
            sums = np.maximum(sums, 0) @ weights + biases[..., None, :]
        sums = np.exp(sums - sums.max(axis=-1, keepdims=True))
        answers = sums / sums.sum(axis=-1, keepdims=True)
    if np.isnan(answers).any():
        raise ValueError(f"X holds {np.abs(X).max():.3g}, at which the net's sums overflow; are the units right?")
    return answers


def _train(
    X: np.ndarray,
    codes: np.ndarray,
    n_classes: int,
    masks: np.ndarray,
    size: int,
    streams: list[np.random.Generator],
    net: NetClassifier,
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Train a stack of nets with the settings of `net`: coefs_, intercepts_ and loss_ as `Nets` has them."""
    K = len(masks)
    stack = Stack(K, X.shape[1], net.hidden, n_classes, size, net.dtype)
    share, held_out, mean, scale = _load(stack, X, codes, masks, streams, net)
    l2 = net.l2 * share.max(axis=2)  # l2 / n of each net
    private = net.clip is not None
    if private:  # a sum, not a mean: how many members there are is not told either
        here, l2 = share[:, 0] > 0, np.full((K, 1), net.l2, net.dtype)
    best, best_loss, best_epoch = stack.flat.copy(), np.full(K, np.inf), np.zeros(K)
    for epoch in range(net.epochs):
        stack.answer()
        if net.early_stopping:
            loss = stack.loss(held_out)
            better = (loss < best_loss) & (epoch <= best_epoch + PATIENCE)  # each by its own clock, in any chunk
            best[better], best_loss[better], best_epoch[better] = stack.flat[better], loss[better], epoch
            if (epoch > best_epoch + PATIENCE).all():
                break
        if private:
            share[:, 0] = _drawn(here, net.sampling, streams) / net.sampling
        stack.find_gradient(share, l2, net.clip)
        if private and net.noise:
            stack.add_noise(net.noise * net.clip / net.sampling, streams)
        stack.adam_step(net.learning_rate * (1 + np.cos(np.pi * epoch / net.epochs)) / 2)
    if net.early_stopping:
        stack.flat[:] = best
    stack.answer()
    loss = np.full(K, np.nan) if private else stack.loss(share).astype(float)
    return *_unstandardised(stack.weights, mean, scale), loss


def _load(
    stack: Stack,
    X: np.ndarray,
    codes: np.ndarray,
    masks: np.ndarray,
    streams: list[np.random.Generator],
    net: NetClassifier,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give each net of the stack its first weights and its own members, standardised, with any held-out tenth first.

    Returns what each record counts in the mean log-loss of training, and in that of the held-out tenth, both
    (K, 1, size); and the mean and the standard deviation (K, d) that were taken out.
    """
    K, d = len(masks), X.shape[1]
    share, held_out = np.zeros((2, K, 1, stack.inputs.shape[2]), net.dtype)
    mean, scale = np.zeros((K, d)), np.ones((K, d))
    for k, (mask, rng) in enumerate(zip(masks, streams, strict=True)):
        stack.draw_weights(k, rng)
        members, n_apart = np.flatnonzero(mask), 0
        if net.early_stopping:
            members, n_apart = rng.permutation(members), int(np.ceil(HELD_OUT * len(members)))
            held_out[k, 0, :n_apart] = 1 / n_apart
        share[k, 0, n_apart : len(members)] = 1 / (len(members) - n_apart)
        own = X[members]
        if net.standardise:
            mean[k], sd = own.mean(axis=0), own.std(axis=0)
            scale[k] = np.where(sd > 1e-12 * np.abs(mean[k]), sd, 1)  # a constant column becomes 0, or rounding
        stack.inputs[k, :d, : len(members)] = ((own - mean[k]) / scale[k]).T
        stack.targets[k, codes[members], np.arange(len(members))] = 1
    return share, held_out, mean, scale


def _unstandardised(
    weights: list[np.ndarray], mean: np.ndarray, scale: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The stack's weights as `coefs_` and `intercepts_` for measurements as they come."""
    layers = [layer.transpose(0, 2, 1).astype(float) for layer in weights]
    coefs, intercepts = [layer[:, :-1] for layer in layers], [layer[:, -1] for layer in layers]
    coefs[0] = coefs[0] / scale[:, :, None]
    intercepts[0] = intercepts[0] - (mean[:, None] @ coefs[0])[:, 0]
    return coefs, intercepts


def _drawn(here: np.ndarray, sampling: float, streams: list[np.random.Generator]) -> np.ndarray:
    """Which of each net's records, `here` (K, size), count in this step: each by itself with probability `sampling`."""
    if sampling == 1:
        return here
    drawn = here.copy()
    for row, rng in zip(drawn, streams, strict=True):
        row[row] = rng.random(int(row.sum())) < sampling
    return drawn
