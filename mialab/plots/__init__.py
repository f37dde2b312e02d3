"""This room draws figures: a chart draws on `ax=` and returns it, or makes its own figure and shows it with its words.

`show` gives a figure its alt text. Members and strangers, and the three species, have one colour and one marker each in
the whole course.
"""

from mialab.plots._charts import (
    flowers_on_plane,
    garden_map,
    halves,
    intervals,
    probabilities,
    roc_curve,
    trade_off,
    trend,
    trends,
    two_groups,
)
from mialab.plots._picture import Picture, show
from mialab.plots._story import ATTACKER_STEPS, OWNER_STEPS, STORIES, Story, steps, story, story_in_words
from mialab.plots._style import CHANCE, MARKERS, MEMBER, PALETTE, SPECIES, STRANGER

__all__ = [
    "ATTACKER_STEPS", "CHANCE", "MARKERS", "MEMBER", "OWNER_STEPS", "PALETTE", "SPECIES", "STORIES", "STRANGER",
    "Picture", "Story", "flowers_on_plane", "garden_map", "halves", "intervals", "probabilities", "roc_curve", "show",
    "steps", "story", "story_in_words", "trade_off", "trend", "trends", "two_groups",
]  # fmt: skip
