"""This room holds panels to play with; what a panel shows is a function of its settings, tested without a browser.

Every panel is an object that Jupyter shows: put it at the end of a cell. Its `answer["text"]` is what it says.
"""

from mialab.widgets._attacks import (
    overfitting_dial,
    overfitting_view,
    shadow_lab,
    shadow_view,
    threshold_explorer,
    threshold_view,
)
from mialab.widgets._defences import coin_panel, coin_view, defence_panel, defence_view
from mialab.widgets._flowers import (
    Game,
    answer_view,
    ask_the_model,
    describe_answer,
    garden_panel,
    garden_story,
    guess_the_member,
)
from mialab.widgets._view import View

__all__ = [
    "Game", "View", "answer_view", "ask_the_model", "coin_panel", "coin_view", "defence_panel", "defence_view",
    "describe_answer", "garden_panel", "garden_story", "guess_the_member", "overfitting_dial", "overfitting_view",
    "shadow_lab", "shadow_view", "threshold_explorer", "threshold_view",
]  # fmt: skip
