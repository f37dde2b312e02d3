"""The arithmetic of `mialab.nets`: a stack of nets in training, moved one step at a time.

Notebook 17 builds the private step by hand: clip what each record asks for, add them up, add noise.
"""

from __future__ import annotations

import numpy as np


class Stack:
    """K nets in training, with work space that every step uses again.

    Arrays are stacks of one matrix a net, with a column a record: (K, measurements or units or classes, size). Under
    the measurements and under the units lies a row of ones, so that a bias is one more weight.
    """

    def __init__(self, K: int, d: int, hidden: int, n_classes: int, size: int, dtype: str):
        self.shapes = [(hidden, d + 1), (n_classes, hidden + 1)] if hidden else [(n_classes, d + 1)]
        n_weights = sum(n_out * n_in for n_out, n_in in self.shapes)
        self.flat, self.gradient, self.spare, self.mean, self.square = np.zeros((5, K, n_weights), dtype)
        self.weights, self.gradients = self._layers(self.flat), self._layers(self.gradient)
        self.inputs = np.zeros((K, d + 1, size), dtype)
        self.targets, self.answers = np.zeros((2, K, n_classes, size), dtype)
        self.units = np.ones((K, hidden + 1, size), dtype) if hidden else self.inputs
        self.active, self.blame = np.zeros((2, K, hidden, size), dtype)
        self.inputs[:, d] = 1
        self.steps = 0

    def _layers(self, flat: np.ndarray) -> list[np.ndarray]:
        """Each layer's matrices (K, outputs, inputs + 1) as a view of the rows of `flat`."""
        parts = np.split(flat, np.cumsum([n_out * n_in for n_out, n_in in self.shapes])[:-1], axis=1)
        return [part.reshape(len(flat), *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def draw_weights(self, k: int, rng: np.random.Generator) -> None:
        """Set net k's first weights and biases, uniform in ±√(6 / (inputs + outputs)) as MLPClassifier's are."""
        widths = [np.full(n_out * n_in, np.sqrt(6 / (n_in - 1 + n_out))) for n_out, n_in in self.shapes]
        self.flat[k] = rng.uniform(-1, 1, self.flat.shape[1]) * np.concatenate(widths)

    def answer(self) -> None:
        """Set `answers` to the probabilities of each class for each record."""
        first, *last = self.weights
        if last:
            units = np.matmul(first, self.inputs, out=self.units[:, :-1])
            np.greater(units, 0, out=self.active)  # 0 or 1; NumPy's maximum with a number is four times slower
            units *= self.active
        answers = np.matmul(last[0] if last else first, self.units, out=self.answers)
        answers -= answers.max(axis=1, keepdims=True)
        np.exp(answers, out=answers)
        answers /= answers.sum(axis=1, keepdims=True)

    def loss(self, share: np.ndarray) -> np.ndarray:
        """Each net's log-loss, (K,), over the records that `share` (K, 1, size) counts, after `answer`."""
        right = (self.answers * self.targets).sum(axis=1, keepdims=True)
        return -(np.log(np.maximum(right, np.finfo(right.dtype).tiny)) * share).sum(axis=(1, 2))

    def find_gradient(self, share: np.ndarray, l2: np.ndarray, clip: float | None = None) -> None:
        """Set `gradient` to that of the loss over `share`, plus l2 (K, 1) / 2 × squared weights, after `answer`.

        With `clip`, each record's own gradient is first shortened to that length at most. It is never written out: in
        a layer it is the outer product of an error and an input, whose length is the product of theirs (Goodfellow,
        "Efficient Per-Example Gradient Computations", 2015).
        """
        error = self.answers  # what the loss gains from each class's sum: answer less target
        error -= self.targets
        if clip is None:
            error *= share
        if len(self.weights) > 1:
            blame = np.matmul(self.weights[1][:, :, :-1].transpose(0, 2, 1), error, out=self.blame)
            blame *= self.active
        if clip is not None:
            squares = _squares(error) * _squares(self.units)
            if len(self.weights) > 1:
                squares += _squares(blame) * _squares(self.inputs)
                blame *= share * np.minimum(1, clip / np.sqrt(squares))
            error *= share * np.minimum(1, clip / np.sqrt(squares))
        np.matmul(error, self.units.transpose(0, 2, 1), out=self.gradients[-1])
        if len(self.weights) > 1:
            np.matmul(blame, self.inputs.transpose(0, 2, 1), out=self.gradients[0])
        for gradient, layer in zip(self.gradients, self.weights, strict=True):
            gradient[:, :, :-1] += l2[:, :, None] * layer[:, :, :-1]

    def add_noise(self, sd: float, streams: list[np.random.Generator]) -> None:
        """Add normal noise of this standard deviation to every number of `gradient`, net k's from streams[k]."""
        for gradient, rng in zip(self.gradient, streams, strict=True):
            gradient += sd * rng.standard_normal(len(gradient), dtype=gradient.dtype)

    def adam_step(self, rate: float, beta1: float = 0.9, beta2: float = 0.999) -> None:
        """Move all weights one step against the gradient, by running means of it and of its square."""
        self.steps += 1
        self.mean *= beta1
        self.mean += np.multiply(self.gradient, 1 - beta1, out=self.spare)
        self.square *= beta2
        self.gradient *= self.gradient
        self.square += np.multiply(self.gradient, 1 - beta2, out=self.spare)
        step = np.sqrt(self.square, out=self.spare)
        step /= np.sqrt(1 - beta2**self.steps)
        step += 1e-8
        np.divide(self.mean, step, out=step)
        step *= rate / (1 - beta1**self.steps)
        self.flat -= step


def _squares(columns: np.ndarray) -> np.ndarray:
    """The squared length of each column of (K, m, size), as (K, 1, size)."""
    return np.einsum("kmi,kmi->ki", columns, columns)[:, None]
