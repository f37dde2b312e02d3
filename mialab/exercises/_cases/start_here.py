"""The data on which the answers of notebook 00 are tried."""

from __future__ import annotations


def guest_lists(rng):
    yield "Ada", ["Ada", "Ben"]
    yield "Ben", ["Ada", "Ben"]
    yield "Cas", ["Ada", "Ben"]
    yield "Ada", []
    yield "A", ["Ada"]
    yield "Ada", ["Ben", "Ada", "Ada"]
    names = ["Ada", "Ben", "Cas", "Dee", "Eve", "Fay", "Gus", "Hal"]
    for _ in range(6):
        yield str(rng.choice(names)), [str(n) for n in rng.choice(names, size=4, replace=False)]
