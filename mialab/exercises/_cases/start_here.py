"""The data on which the answers of notebook 00 are tried."""

from __future__ import annotations


def guest_lists(rng):
    yield "Ada", ["Ada", "Ben"]
    yield "Ben", ["Ada", "Ben"]
    yield "Cas", ["Ada", "Ben"]
    yield "A", ["Ada"]  # names that contain each other, either way round
    yield "Adam", ["Ada", "Eve"]
    yield "Ann", ["Joann", "Anna"]
    yield "Ada Ben", ["Ada", "Ben"]
    yield "Ben", ["Bea"]
    yield "Ada", []
    yield "Ada", ["Ada"]
    yield "Ada", ["Ben", "Ada", "Ada"]  # twins
    yield "Cas", ["Cas", "Ada", "Ben"]  # no order
    yield "Ada", ["Cas", "Ben", "Ada"]
    names = ["Ada", "Adam", "Ann", "Anna", "Ben", "Cas", "Eve", "Hal"]
    for _ in range(4):
        yield str(rng.choice(names)), [str(n) for n in rng.choice(names, size=4, replace=False)]


def a_full_house():
    return "flower 149", [f"flower {row}" for row in range(150)]
