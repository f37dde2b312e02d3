"""Many small neural networks trained at once, each on its own subset of the same records.

Notebook 07 trains one net by hand, then many with `train_nets`. A replica of a target model is a tiny fit, and
an attack needs hundreds of them: nearly all of scikit-learn's time goes to starting each step, not to
arithmetic. Here one step moves a whole batch of nets, as products of stacked matrices.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from mialab import _checks

HELD_OUT = 0.1  # share of a net's own members that early stopping keeps apart, as in MLPClassifier
PATIENCE = 50  # epochs without a better held-out loss after which a net is left as it was at its best
CHUNK_BYTES = 2**20  # work space of one chunk of nets: what fits in a core's own cache is fastest


class NetClassifier(ClassifierMixin, BaseEstimator):
    """A neural network with one hidden layer of rectified linear units, or none: softmax regression.

    Parameters
    ----------
    hidden : number of hidden units; 0 is softmax regression.
    epochs : passes over the training records, each one Adam step on all of them.
    learning_rate : size of the first steps; it falls to zero along half a cosine.
    l2 : penalty l2 / (2 n) × the sum of squared weights (biases are free) beside the mean log-loss of n
        records, which is the convention of MLPClassifier's `alpha`.
    early_stopping : keep a tenth of the records apart, and the weights that had the smallest log-loss there.
    standardise : train on measurements less their mean, over their standard deviation.
    random_state : int, numpy Generator, or None.
    dtype : "float32" (fast) or "float64": the arithmetic of training. Answers are float64 in either.

    Attributes
    ----------
    classes_, n_features_in_ : as in scikit-learn; feature_names_in_ too after a DataFrame.
    coefs_, intercepts_ : weights (inputs, outputs) and biases (outputs,) of each layer, for measurements as they
        come: the standardisation is folded in.
    loss_ : mean log-loss on the records it trained on, without the penalty.

    Source: Kingma & Ba, "Adam", ICLR 2015.
    """

    def __init__(
        self,
        hidden: int = 16,
        epochs: int = 500,
        learning_rate: float = 0.02,
        l2: float = 1e-4,
        early_stopping: bool = False,
        standardise: bool = True,
        random_state: int | np.random.Generator | None = None,
        dtype: str = "float32",
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.l2 = l2
        self.early_stopping = early_stopping
        self.standardise = standardise
        self.random_state = random_state
        self.dtype = dtype

    def fit(self, X: Any, y: Any) -> NetClassifier:
        """Train on the records X (n, n_features) with labels y (n,); raises ValueError for bad data or settings."""
        validate_data(self, X, skip_check_array=True)  # notes the number and names of the columns
        X = _checks.records("X", X)
        net = train_nets(X, y, np.ones((1, len(X)), bool), **self.get_params())[0]
        self.classes_, self.coefs_, self.intercepts_, self.loss_ = net.classes_, net.coefs_, net.intercepts_, net.loss_
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class for each record of X, (n, n_classes)."""
        check_is_fitted(self)
        validate_data(self, X, skip_check_array=True, reset=False)
        return _probabilities(self.coefs_, self.intercepts_, _checks.records("X", X))

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each record of X, (n,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]


@dataclass(frozen=True, eq=False)
class Nets:
    """K trained nets: `len(nets)`, `nets[k]` (a fitted NetClassifier), `nets.predict_proba(X)`.

    Attributes
    ----------
    classes_ : (n_classes,) labels, one a column of the answers.
    coefs_, intercepts_ : for each layer, weights (K, inputs, outputs) and biases (K, outputs).
    loss_ : (K,) mean log-loss of each net on the records it trained on, without the penalty.
    settings : the settings they share, as NetClassifier takes them.
    """

    classes_: np.ndarray
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    loss_: np.ndarray
    settings: dict[str, Any]

    def __len__(self) -> int:
        return len(self.loss_)

    def __getitem__(self, k: int) -> NetClassifier:
        """Net k as a classifier of its own."""
        net = NetClassifier(**self.settings)
        net.classes_, net.n_features_in_, net.loss_ = self.classes_, self.coefs_[0].shape[1], float(self.loss_[k])
        net.coefs_ = [weights[k].copy() for weights in self.coefs_]
        net.intercepts_ = [biases[k].copy() for biases in self.intercepts_]
        return net

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class for each record of X by each net, (K, n, n_classes)."""
        X = _checks.records("X", X)
        n_features = self.coefs_[0].shape[1]
        if X.shape[1] != n_features:
            raise ValueError(f"X has {X.shape[1]} features, but the nets were trained on {n_features}")
        answers = np.empty((len(self), len(X), len(self.classes_)))
        for part in _chunks(len(self), max(1, 2**22 // (len(X) * self.coefs_[0].shape[2]))):
            answers[part] = _probabilities(
                [weights[part] for weights in self.coefs_], [biases[part] for biases in self.intercepts_], X
            )
        return answers

    def __repr__(self) -> str:
        return f"{len(self)} nets of {self.settings['hidden']} hidden units, mean training loss {self.loss_.mean():.3f}"


def train_nets(
    X: Any,
    y: Any,
    masks: Any,
    hidden: int = 16,
    epochs: int = 500,
    learning_rate: float = 0.02,
    l2: float = 1e-4,
    early_stopping: bool = False,
    standardise: bool = True,
    random_state: int | np.random.Generator | None = None,
    chunk: int | None = None,
    progress: bool = False,
    dtype: str = "float32",
) -> Nets:
    """Train K nets at once: net k on the records X[masks[k]] with labels y[masks[k]], and on nothing else.

    Parameters
    ----------
    X, y : (n, n_features) measurements and (n,) labels of at least two classes.
    masks : (K, n) bool array, True where the record is a member of that net's training set. Sizes may differ,
        but memory and time are those of the largest. Every net needs a record. A net that sees no record of
        some class keeps that class's column, and learns to answer it seldom.
    chunk : how many nets are in work at once; it bounds the memory, None chooses. Net k starts from random
        numbers of its own and each product is of one net, so answers do not depend on it.
    progress : write how many nets are done to the standard error.
    hidden, epochs, learning_rate, l2, early_stopping, standardise, random_state, dtype : see NetClassifier;
        means and standard deviations are those of each net's own members.

    Raises ValueError for bad data, masks, and settings, and for weights that outgrow `dtype`.
    """
    X = _checks.records("X", X)
    y = _checks.labels("y", y, len(X))
    masks = _checked_masks(masks, len(X))
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"y holds one class only, {classes[0]!r}; at least 2 classes are needed to train a classifier")
    settings = {
        "hidden": _checks.whole_number("hidden", hidden, 0),
        "epochs": _checks.whole_number("epochs", epochs, 1),
        "learning_rate": _positive("learning_rate", learning_rate),
        "l2": _positive("l2", l2, or_zero=True),
        "early_stopping": _checks.flag("early_stopping", early_stopping),
        "standardise": _checks.flag("standardise", standardise),
        "dtype": dtype,
    }
    if dtype not in ("float32", "float64"):
        raise ValueError(f'dtype is {dtype!r}; it should be "float32" or "float64"')
    if early_stopping and masks.sum(axis=1).min() < 2:
        raise ValueError("masks holds a net with one record; early_stopping needs 2, one of them to hold out")
    progress = _checks.flag("progress", progress)
    size = int(masks.sum(axis=1).max())
    if chunk is None:
        chunk = max(1, CHUNK_BYTES // (np.dtype(dtype).itemsize * size * (X.shape[1] + 3 * hidden + 3 * len(classes))))
    chunk = _checks.whole_number("chunk", chunk, 1)
    streams = _checks.generator(random_state).spawn(len(masks))
    trained = []

    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), np.errstate(all="ignore"):  # on products this small, threads wait for each other
        for part in _chunks(len(masks), chunk):
            trained.append(_train(X, codes, len(classes), masks[part], size, streams[part], **settings))
            if progress:
                print(f"\r{part.stop} of {len(masks)} nets trained", end="", file=sys.stderr, flush=True)
    if progress:
        print(file=sys.stderr)
    layers = range(len(trained[0][0]))
    coefs, intercepts = ([np.concatenate([t[i][j] for t in trained]) for j in layers] for i in (0, 1))
    loss = np.concatenate([t[2] for t in trained])
    if not all(np.isfinite(array).all() for array in [*coefs, *intercepts, loss]):
        raise ValueError(
            f"X or learning_rate is so large that the weights outgrew {dtype}; "
            "standardise the measurements, or lower learning_rate"
        )
    return Nets(classes, coefs, intercepts, loss, settings)


def _chunks(n: int, size: int) -> Iterator[slice]:
    """The slices that cut n things into runs of at most `size`."""
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _positive(name: str, value: Any, or_zero: bool = False) -> float:
    """`value` as a finite float above 0 (or at least 0)."""
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not np.isfinite(value) or value < 0 or (value == 0 and not or_zero):
        raise ValueError(f"{name} is {value!r}; it should be a number {'of 0 or more' if or_zero else 'above 0'}")
    return float(value)


def _checked_masks(masks: Any, n: int) -> np.ndarray:
    """`masks` as a (K, n) bool array with a member in each row."""
    masks = np.asarray(masks)
    if masks.dtype != bool:
        raise ValueError(f"masks holds {masks.dtype} values; it should be True for members and False for others")
    if masks.ndim != 2 or masks.shape[1] != n or len(masks) == 0:
        raise ValueError(f"masks has shape {masks.shape}; it should be (n_nets, {n}), a row a net, at least one")
    if not masks.any(axis=1).all():
        raise ValueError(f"masks[{masks.any(axis=1).argmin()}] has no member; every net needs a record to train on")
    return masks


def _probabilities(coefs: list[np.ndarray], intercepts: list[np.ndarray], X: np.ndarray) -> np.ndarray:
    """The answers (…, n, n_classes) of one net or a stack of nets, in double precision."""
    with np.errstate(over="ignore", invalid="ignore"):
        logits = X
        for layer, (weights, biases) in enumerate(zip(coefs, intercepts, strict=True)):
            inputs = np.maximum(logits, 0) if layer else X
            logits = inputs @ weights + biases[..., None, :]
        logits -= logits.max(axis=-1, keepdims=True)
        exponentials = np.exp(logits)
        answers = exponentials / exponentials.sum(axis=-1, keepdims=True)
    if np.isnan(answers).any():
        raise ValueError("X holds measurements so large that the net's sums overflow; scale them down")
    return answers


# Training. Arrays are stacks of one matrix a net, with a column a record: (nets, features or units, records).
# A last row of ones makes the bias one more weight.


def _train(
    X: np.ndarray,
    codes: np.ndarray,
    n_classes: int,
    masks: np.ndarray,
    size: int,
    streams: list[np.random.Generator],
    hidden: int,
    epochs: int,
    learning_rate: float,
    l2: float,
    early_stopping: bool,
    standardise: bool,
    dtype: str,
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Train one chunk of nets: the weights and biases of each layer, for raw measurements, and the losses."""
    K, d = len(masks), X.shape[1]
    inputs, targets = np.zeros((K, d + 1, size), dtype), np.zeros((K, n_classes, size), dtype)
    share, held_out = np.zeros((K, 1, size), dtype), np.zeros((K, 1, size), dtype)
    mean, scale = np.zeros((K, d)), np.ones((K, d))
    shapes = [(d + 1, hidden), (hidden + 1, n_classes)] if hidden else [(d + 1, n_classes)]
    flat = np.empty((K, sum(a * b for a, b in shapes)), dtype)
    inputs[:, d] = 1
    for k, (mask, rng) in enumerate(zip(masks, streams, strict=True)):
        members = rng.permutation(np.flatnonzero(mask)) if early_stopping else np.flatnonzero(mask)
        m = len(members)
        apart = int(np.ceil(HELD_OUT * m)) if early_stopping else 0
        if standardise:
            mean[k] = X[members].mean(axis=0)
            sd = X[members].std(axis=0)
            scale[k] = np.where(sd > 1e-12 * np.abs(mean[k]), sd, 1)  # a constant column stays at zero
        inputs[k, :d, :m] = ((X[members] - mean[k]) / scale[k]).T
        targets[k, codes[members], np.arange(m)] = 1
        held_out[k, 0, :apart] = 1 / max(apart, 1)
        share[k, 0, apart:m] = 1 / (m - apart)
        flat[k] = np.concatenate(
            [rng.uniform(-1, 1, a * b) * np.sqrt(6 / (a - 1 + b)) for a, b in shapes]
        )  # Glorot & Bengio 2010, as in MLPClassifier
    weights = _layers(flat, shapes)
    decay = np.zeros_like(flat)
    for layer in _layers(decay, shapes):
        layer[:, :, :-1] = l2 * share.max(axis=2, keepdims=True)
    net = _Work(inputs, targets, weights)
    gradient = np.empty_like(flat)
    gradients = _layers(gradient, shapes)
    first, second, spare = np.zeros_like(flat), np.zeros_like(flat), np.empty_like(flat)
    best, best_loss, best_epoch = flat.copy(), np.full(K, np.inf), np.zeros(K)
    for epoch in range(epochs):
        net.forward()
        if early_stopping:
            loss = net.loss(held_out)
            better = (loss < best_loss) & (epoch - best_epoch <= PATIENCE)
            best[better], best_loss[better], best_epoch[better] = flat[better], loss[better], epoch
            if (epoch - best_epoch > PATIENCE).all():
                break
        net.backward(share, gradients)
        np.multiply(decay, flat, out=spare)
        gradient += spare
        rate = learning_rate * 0.5 * (1 + np.cos(np.pi * epoch / epochs))
        _adam_step(flat, gradient, first, second, spare, rate, epoch + 1)
    if early_stopping:
        flat[:] = best
    net.forward()
    loss = net.loss(share).astype(float)
    matrices = [layer.transpose(0, 2, 1).astype(float) for layer in weights]
    coefs, intercepts = [w[:, :-1] for w in matrices], [w[:, -1] for w in matrices]
    coefs[0] = coefs[0] / scale[:, :, None]
    intercepts[0] = intercepts[0] - (mean[:, None] @ coefs[0])[:, 0]
    return coefs, intercepts, loss


def _layers(flat: np.ndarray, shapes: list[tuple[int, int]]) -> list[np.ndarray]:
    """Each layer's (nets, outputs, inputs + 1) weights as a view of the nets' flat rows."""
    views, start = [], 0
    for n_in, n_out in shapes:
        views.append(flat[:, start : start + n_in * n_out].reshape(len(flat), n_out, n_in))
        start += n_in * n_out
    return views


class _Work:
    """The nets' answers and gradients, in buffers that every epoch uses again."""

    def __init__(self, inputs: np.ndarray, targets: np.ndarray, weights: list[np.ndarray]):
        self.inputs, self.targets, self.weights = inputs, targets, weights
        self.answers = np.empty_like(targets)
        self.one_class = np.empty_like(targets[:, :1])
        if len(weights) > 1:
            K, h, _ = weights[0].shape
            self.units = np.ones((K, h + 1, inputs.shape[2]), inputs.dtype)
            self.back = np.empty((K, h, inputs.shape[2]), inputs.dtype)

    def forward(self) -> None:
        """Set `answers` to the probabilities (nets, classes, records)."""
        last = self.inputs
        if len(self.weights) > 1:
            units = np.matmul(self.weights[0], self.inputs, out=self.units[:, :-1])
            np.maximum(units, 0, out=units)
            last = self.units
        answers, one = np.matmul(self.weights[-1], last, out=self.answers), self.one_class
        answers -= answers.max(axis=1, keepdims=True, out=one)
        np.exp(answers, out=answers)
        answers /= answers.sum(axis=1, keepdims=True, out=one)

    def loss(self, share: np.ndarray) -> np.ndarray:
        """The log-loss of each net, (nets,), over the records that `share` weighs."""
        right = (self.answers * self.targets).sum(axis=1, keepdims=True)
        tiny = np.finfo(right.dtype).tiny
        return -(np.log(np.maximum(right, tiny)) * share).sum(axis=(1, 2))

    def backward(self, share: np.ndarray, gradients: list[np.ndarray]) -> None:
        """Set `gradients` to those of the log-loss over the records that `share` weighs."""
        error = self.answers  # of the logits: answer less target
        error -= self.targets
        error *= share
        if len(self.weights) > 1:
            np.matmul(error, self.units.transpose(0, 2, 1), out=gradients[1])
            back = np.matmul(self.weights[1][:, :, :-1].transpose(0, 2, 1), error, out=self.back)
            back *= self.units[:, :-1] > 0
            error = back
        np.matmul(error, self.inputs.transpose(0, 2, 1), out=gradients[0])


def _adam_step(
    flat: np.ndarray,
    gradient: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    spare: np.ndarray,
    rate: float,
    step: int,
    beta1: float = 0.9,
    beta2: float = 0.999,
) -> None:
    """Move `flat` one Adam step against `gradient`, all in place (Kingma & Ba 2015, algorithm 1)."""
    first *= beta1
    np.multiply(gradient, 1 - beta1, out=spare)
    first += spare
    second *= beta2
    gradient *= gradient
    gradient *= 1 - beta2
    second += gradient
    np.sqrt(second, out=spare)
    spare *= 1 / np.sqrt(1 - beta2**step)
    spare += 1e-8
    np.divide(first, spare, out=spare)
    spare *= rate / (1 - beta1**step)
    flat -= spare
