"""This room draws figures: each chart draws on the `ax` it is given, returns it, and computes nothing.

`show` gives a figure its alt text. Members and strangers, and the three species, have one colour and one marker each in
the whole course.
"""

from mialab.plots._charts import (
    flowers_on_plane,
    garden_map,
    intervals,
    probabilities,
    roc_curve,
    trade_off,
    trend,
    two_groups,
)
from mialab.plots._picture import Picture, show
from mialab.plots._story import ATTACKER_STEPS, OWNER_STEPS, STORIES, Story, steps, story, story_in_words
from mialab.plots._style import CHANCE, MARKERS, MEMBER, PALETTE, SPECIES, STRANGER

__all__ = [
    "ATTACKER_STEPS", "CHANCE", "MARKERS", "MEMBER", "OWNER_STEPS", "PALETTE", "SPECIES", "STORIES", "STRANGER",
    "Picture", "Story", "flowers_on_plane", "garden_map", "intervals", "probabilities", "roc_curve", "show", "steps",
    "story", "story_in_words", "trade_off", "trend", "two_groups",
]  # fmt: skip
