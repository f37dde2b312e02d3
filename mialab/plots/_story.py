"""The article's steps as one family of diagrams: the strip of all steps, and below it what happens in this notebook."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mialab import _checks
from mialab.plots._picture import chart
from mialab.plots._style import MEMBER, STRANGER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

# The article's thought experiment: what the owner of the model does, then what the attacker does.
OWNER_STEPS = ("measure", "label", "train", "ask", "answer")
ATTACKER_STEPS = ("submit", "read the\nconfidence", "adjust", "gather", "shadow", "infer")

OWNER, ATTACKER, INK = "#444b57", "#8A1538", "#22262e"
# How each kind of box looks: members and strangers as in every chart, what the owner has, what the attacker has (its
# corners are sharp, for readers without colour).
KINDS = {
    "member": {"mark": "● ", "color": MEMBER["color"], "facecolor": "white", "edgecolor": MEMBER["color"]},
    "stranger": {"mark": "□ ", "color": STRANGER["color"], "facecolor": "white", "edgecolor": STRANGER["color"]},
    "owner": {"mark": "", "color": "white", "facecolor": OWNER, "edgecolor": OWNER},
    "attacker": {"mark": "", "color": "white", "facecolor": ATTACKER, "edgecolor": ATTACKER, "corners": "square"},
    "thing": {"mark": "", "color": INK, "facecolor": "#eceef1", "edgecolor": "#5f6672"},
}


@dataclass(frozen=True)
class Story:
    """A `Story` is one notebook's diagram: the steps of `now`, its `boxes`, and who does what in `says`.

    `boxes` is {name: (kind, column 0 to 4, row 0 to 1)}, `says` holds (subject, verb, target) for each arrow. It raises
    ValueError where `says` names what is no box.

    >>> told = STORIES["train a classifier"]
    >>> told.now, told.says[0]
    (('train',), ('the members', 'train', 'the classifier'))
    """

    now: tuple[str, ...]
    boxes: Mapping[str, tuple[str, float, float]]
    says: tuple[tuple[str, str, str], ...]

    def __post_init__(self) -> None:
        for subject, _, target in self.says:
            if not {subject, target} <= set(self.boxes):
                raise ValueError(f"says names {subject!r} or {target!r}, which is none of the boxes {list(self.boxes)}")


READ = "read the\nconfidence"
STORIES = {
    "start here": Story(
        (),
        {"the members": ("member", 0, 0), "the strangers": ("stranger", 0, 1), "the model": ("owner", 2, 0),
         "the attacker": ("attacker", 4, 0), "a guess,\nmember or stranger": ("thing", 4, 1)},
        (("the members", "train", "the model"), ("the strangers", "are unknown to", "the model"),
         ("the attacker", "asks", "the model"),
         ("the model", "answers", "the attacker"), ("the attacker", "makes", "a guess,\nmember or stranger")),
    ),
    "the flowers": Story(
        ("measure", "label"),
        {"a flower": ("thing", 0, 0.5), "a record of\n4 numbers": ("thing", 1.2, 0.5),
         "a labelled record": ("thing", 2.75, 0.5), "a member": ("member", 4.3, 0), "a stranger": ("stranger", 4.3, 1)},
        (("a flower", "gives", "a record of\n4 numbers"),
         ("a record of\n4 numbers", "plus a\nspecies is", "a labelled record"),
         ("a labelled record", "drawn for\ntraining is", "a member"),
         ("a labelled record", "left out is", "a stranger")),
    ),
    "train a classifier": Story(
        ("train",),
        {"the members": ("member", 0, 0), "the strangers": ("stranger", 0, 1), "the classifier": ("owner", 2, 0.5),
         "a species": ("thing", 4, 0.5)},
        (("the members", "train", "the classifier"), ("the strangers", "test", "the classifier"),
         ("the classifier", "names", "a species")),
    ),
    "ask the model": Story(
        ("ask", "answer", "submit", READ),
        {"a flower": ("thing", 0, 0.5), "the model": ("owner", 1.25, 0.5), "3 probabilities": ("thing", 2.6, 0.5),
         "a species": ("thing", 4.5, 0), "the confidence": ("thing", 4.5, 1)},
        (("a flower", "is put to", "the model"), ("the model", "answers", "3 probabilities"),
         ("3 probabilities", "name, by the\nlargest,", "a species"),
         ("3 probabilities", "hold, as the\nlargest,", "the confidence")),
    ),
    "members and strangers": Story(
        ("answer", READ),
        {"the members": ("member", 0, 0), "the strangers": ("stranger", 0, 1), "the model": ("owner", 1.4, 0.5),
         "certainty about\nmembers": ("member", 2.95, 0), "certainty about\nstrangers": ("stranger", 2.95, 1),
         "the gap": ("thing", 4.6, 0.5)},
        (("the members", "are put to", "the model"), ("the strangers", "are put to", "the model"),
         ("the model", "shows", "certainty about\nmembers"), ("the model", "shows", "certainty about\nstrangers"),
         ("certainty about\nmembers", "is one end of", "the gap"),
         ("certainty about\nstrangers", "is the other end of", "the gap")),
    ),
    "the recorded label": Story(
        ("label", "train", READ),
        {"a wrong label\nof a member": ("member", 0, 0), "a wrong label\nof a stranger": ("stranger", 0, 1),
         "the net": ("owner", 2, 0.5), "the label\nit was taught": ("member", 4.2, 0),
         "the species\nit believes in": ("stranger", 4.2, 1)},
        (("a wrong label\nof a member", "is taught to", "the net"),
         ("a wrong label\nof a stranger", "is unknown to", "the net"),
         ("the net", "repeats", "the label\nit was taught"), ("the net", "says", "the species\nit believes in")),
    ),
    "the first attack": Story(
        ("submit", READ, "infer"),
        {"the attacker": ("attacker", 0, 0.5), "the target": ("owner", 1.5, 0.5),
         "a confidence": ("thing", 3, 0.5), "a member": ("member", 4.5, 0), "a stranger": ("stranger", 4.5, 1)},
        (("the attacker", "submits a\nrecord to", "the target"), ("the target", "answers", "a confidence"),
         ("a confidence", "that is high means", "a member"), ("a confidence", "that is low means", "a stranger")),
    ),
    "what an accusation is worth": Story(
        ("infer",),
        {"the crowd": ("thing", 0, 0.5), "the attack": ("attacker", 1.5, 0.5), "a member": ("member", 3.1, 0),
         "a stranger": ("stranger", 3.1, 1), "a right accusation": ("thing", 4.6, 0),
         "a false alarm": ("thing", 4.6, 1)},
        (("the crowd", "is put to", "the attack"), ("the attack", "accuses", "a member"),
         ("the attack", "also accuses", "a stranger"), ("a member", "makes it", "a right accusation"),
         ("a stranger", "makes it", "a false alarm")),
    ),
    "probing the black box": Story(
        ("submit", READ, "adjust", "gather"),
        {"the attacker": ("attacker", 0.3, 0), "the service": ("owner", 3.7, 0), "a made-up flower": ("thing", 0.3, 1),
         "synthetic records": ("thing", 3.7, 1)},
        (("the attacker", "asks", "the service"), ("the service", "tells its confidence to", "the attacker"),
         ("the attacker", "adjusts", "a made-up flower"),
         ("a made-up flower", "that the service is sure of joins", "synthetic records")),
    ),
    "shadow models": Story(
        ("gather", "shadow"),
        {"the pool": ("thing", 0, 0.5), "a random half": ("member", 1.5, 0), "the other half": ("stranger", 1.5, 1),
         "a shadow model": ("attacker", 3.2, 0.5), "its answers\nto both": ("thing", 4.6, 0.5)},
        (("the pool", "lends", "a random half"), ("the pool", "holds back", "the other half"),
         ("a random half", "trains", "a shadow model"), ("the other half", "tests", "a shadow model"),
         ("a shadow model", "gives", "its answers\nto both")),
    ),
    "the inference model": Story(
        ("submit", READ, "adjust", "gather", "shadow", "infer"),
        {"the shadows": ("attacker", 0, 0), "the training table": ("thing", 1.6, 0),
         "the attack model": ("attacker", 3.2, 0), "a candidate": ("thing", 0, 1), "the target": ("owner", 1.6, 1),
         "a guess,\nmember or stranger": ("thing", 4.45, 1)},
        (("the shadows", "fill", "the training table"), ("the training table", "trains", "the attack model"),
         ("a candidate", "is put to", "the target"), ("the target", "sends its answer to", "the attack model"),
         ("the attack model", "makes", "a guess,\nmember or stranger")),
    ),
    "what the attacker must know": Story(
        ("shadow", "infer"),
        {"the recorded label": ("thing", 0, 0), "the type of model": ("thing", 0, 0.5), "real records": ("thing", 0, 1),
         "the attack": ("attacker", 2, 0.5), "a verdict": ("thing", 4, 0.5)},
        (("the recorded label", "sharpens", "the attack"), ("the type of model", "shapes", "the attack"),
         ("real records", "feed", "the attack"), ("the attack", "reaches", "a verdict")),
    ),
    "who is exposed": Story(
        ("shadow", "infer"),
        {"nets trained with\nthe flower": ("attacker", 0.2, 0), "nets trained\nwithout it": ("attacker", 0.2, 1),
         "answers about\nthe flower": ("thing", 2.3, 0.5), "its exposure": ("thing", 4.3, 0.5)},
        (("nets trained with\nthe flower", "give", "answers about\nthe flower"),
         ("nets trained\nwithout it", "give", "answers about\nthe flower"),
         ("answers about\nthe flower", "show", "its exposure")),
    ),
    "two strong attacks": Story(
        ("shadow", "infer"),
        {"the target": ("owner", 0, 0), "shadows": ("attacker", 0, 1), "its answer about\na record": ("thing", 2.0, 0),
         "what is usual\nfor this record": ("thing", 2.0, 1), "a score": ("attacker", 4.3, 0.5)},
        (("the target", "gives", "its answer about\na record"), ("shadows", "show", "what is usual\nfor this record"),
         ("its answer about\na record", "makes", "a score"),
         ("what is usual\nfor this record", "calibrates", "a score")),
    ),
    "why some models leak": Story(
        ("train", "infer"),
        {"one factor": ("thing", 0, 0.5), "the model": ("owner", 1.5, 0.5), "the attacks": ("attacker", 3, 0.5),
         "the effect": ("thing", 4.5, 0.5)},
        (("one factor", "turned alone\nalters", "the model"), ("the model", "is met by", "the attacks"),
         ("the attacks", "measure", "the effect")),
    ),
    "the article on trial": Story(
        ("train", "gather", "shadow", "infer"),
        {"a claim": ("thing", 0, 0.2), "experiments": ("attacker", 1.5, 0.2),
         "effects with\nintervals": ("thing", 3.1, 0.2), "a rule": ("owner", 3.1, 1.2),
         "a verdict": ("thing", 4.6, 0.6)},
        (("a claim", "is put to", "experiments"), ("experiments", "measure", "effects with\nintervals"),
         ("effects with\nintervals", "give", "a verdict"), ("a rule", "decides", "a verdict")),
    ),
    "defences": Story(
        ("train", "answer", "infer"),
        {"the members": ("member", 0, 0), "a training-time\ndefence": ("owner", 0, 1), "the model": ("owner", 1.9, 0),
         "an output\ndefence": ("owner", 1.9, 1), "the attacker": ("attacker", 4, 0.5)},
        (("the members", "train", "the model"), ("a training-time\ndefence", "restrains", "the model"),
         ("the model", "answers through", "an output\ndefence"),
         ("an output\ndefence", "says less to", "the attacker")),
    ),
    "differential privacy": Story(
        ("train", "infer"),
        {"each member": ("member", 0, 0.5), "its clipped\npull": ("thing", 1.4, 0.5), "noise": ("thing", 2.8, 1),
         "the model": ("owner", 2.8, 0), "any attacker": ("attacker", 4.3, 0)},
        (("each member", "gives", "its clipped\npull"), ("its clipped\npull", "moves", "the model"),
         ("noise", "blurs", "the model"), ("the model", "tells little to", "any attacker")),
    ),
    "audit a promise": Story(
        ("train", READ, "infer"),
        {"planted records": ("thing", 0, 0), "the members": ("member", 0, 1), "the private\nmodel": ("owner", 1.7, 0.5),
         "the auditor": ("attacker", 3.2, 0.5), "at least\nthis epsilon": ("thing", 4.7, 0.5)},
        (("planted records", "drawn by a\ncoin train", "the private\nmodel"),
         ("the members", "train", "the private\nmodel"),
         ("the private\nmodel", "answers", "the auditor"), ("the auditor", "shows", "at least\nthis epsilon")),
    ),
    "audit a hospital model": Story(
        ("submit", READ, "gather", "shadow", "infer"),
        {"its patients": ("member", 0, 0), "other people": ("stranger", 0, 1), "the service": ("owner", 1.7, 0),
         "shadows": ("attacker", 1.7, 1), "the auditor": ("attacker", 3.4, 0.5), "a report": ("thing", 4.7, 0.5)},
        (("its patients", "train", "the service"), ("its patients", "drawn by lot\ntrain", "shadows"),
         ("other people", "drawn by lot\ntrain", "shadows"),
         ("the service", "answers", "the auditor"), ("shadows", "are a yardstick for", "the auditor"),
         ("the auditor", "writes", "a report")),
    ),
    "when flowers are people": Story(
        ("answer", "infer"),
        {"a person": ("thing", 0, 0.5), "the model": ("owner", 1.6, 0), "the attacker": ("attacker", 1.6, 1),
         "a decision": ("thing", 3.1, 0), "a disclosure": ("thing", 3.1, 1), "the person": ("thing", 4.75, 0.5)},
        (("a person", "is judged by", "the model"), ("a person", "is looked up by", "the attacker"),
         ("the model", "proposes", "a decision"), ("the attacker", "makes", "a disclosure"),
         ("a decision", "lands on", "the person"), ("a disclosure", "lands on", "the person")),
    ),
}  # fmt: skip


def story_in_words(name: str) -> str:
    """Tell the diagram of a notebook in sentences, for its alt text.

    It raises ValueError for a name that is not in STORIES.

    >>> print(story_in_words("train a classifier"))
    The article's steps in this notebook: train. The members train the classifier. The strangers test the classifier.
    The classifier names a species.
    """
    told = _story(name)
    steps = ", ".join(" ".join(step.split()) for step in told.now) or "none yet, the whole story lies ahead"
    sentences = [" ".join(" ".join(words).split()) for words in told.says]
    return f"The article's steps in this notebook: {steps}. " + " ".join(f"{s[0].upper()}{s[1:]}." for s in sentences)


@chart(story_in_words, width=8.5, height=4.0)
def story(ax: Axes, name: str) -> Axes:
    """Draw the diagram of a notebook: all steps with today's filled, and below them who does what to whom.

    `name` is a key of STORIES, a notebook's title in small letters. It raises ValueError for another name.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> ax = story("train a classifier", ax=ax)
    >>> "□ the strangers" in [text.get_text() for text in ax.texts]
    True
    """
    told = _story(name)
    steps(told.now, ax=ax)
    ax.set(xlim=(-1.95, 5.75), ylim=(-2.75, 1.4))
    ax.plot([-1.9, 5.7], [-0.62, -0.62], color="#7a8290", linewidth=0.8)
    place = {box: (-1.0 + 1.28 * column, -1.15 - 1.2 * row) for box, (_, column, row) in told.boxes.items()}
    drawn = {box: _box(ax, *place[box], box, KINDS[kind]) for box, (kind, _, _) in told.boxes.items()}
    pairs = {(subject, target) for subject, _, target in told.says}
    for subject, verb, target in told.says:
        # Two arrows between the same two boxes bend away from each other.
        _arrow(ax, drawn[subject], drawn[target], verb, apart=(target, subject) in pairs)
    return ax


@chart(lambda now: f"The article's steps, {', '.join(now)} filled.", width=8.5, height=2.2)
def steps(ax: Axes, now: Collection[str]) -> Axes:
    """Draw the article's steps as two rows of boxes, the owner's and the attacker's; those in `now` are filled.

    It raises ValueError if `now` is no list, or names a step that is not in OWNER_STEPS or ATTACKER_STEPS.

    >>> import matplotlib.pyplot as plt
    >>> _, ax = plt.subplots()
    >>> ax = steps(["train"], ax=ax)
    >>> ax.texts[0].get_text(), len(OWNER_STEPS) + len(ATTACKER_STEPS)
    ('the owner', 11)
    """
    every = [*OWNER_STEPS, *ATTACKER_STEPS]
    if not isinstance(now, list | tuple | set | frozenset):
        raise ValueError(f"now is {now!r}; now should be a list of steps, some of {every}")
    unknown = [s for s in now if s not in every]
    if unknown:
        raise ValueError(f"now names {unknown[0]!r}, which is no step; it should hold some of {every}")
    for y, who, row in ((1.0, "owner", OWNER_STEPS), (0.0, "attacker", ATTACKER_STEPS)):
        ax.text(-0.72, y, f"the {who}", ha="right", va="center", fontweight="bold", color=KINDS[who]["edgecolor"])
        for x, name in enumerate(row):
            look = KINDS[who] | ({} if name in now else {"facecolor": "white", "color": INK})
            _box(ax, x, y, name, look)
            if x:
                ax.annotate("", (x - 0.40, y), (x - 0.60, y), arrowprops={"arrowstyle": "->", "color": "#5f6672"})
    ax.set(xlim=(-1.9, 5.6), ylim=(-0.5, 1.5))
    ax.axis("off")
    return ax


def _story(name: str) -> Story:
    return STORIES[_checks.one_of("name", name, STORIES)]


def _box(ax: Axes, x: float, y: float, words: str, look: Mapping[str, str]) -> Text:
    return ax.text(
        x, y, look["mark"] + words, ha="center", va="center", fontsize=9.5, color=look["color"],
        bbox={"boxstyle": f"{look.get('corners', 'round')},pad=0.45", "facecolor": look["facecolor"],
              "edgecolor": look["edgecolor"], "lw": 1.6},
    )  # fmt: skip


def _arrow(ax: Axes, start: Text, end: Text, verb: str, apart: bool) -> None:
    """An arrow from one box to another, with its verb at the middle; bent, if it is one of two."""
    ax.figure.draw_without_rendering()  # settles how wide the boxes are
    boxes = [text.get_bbox_patch().get_window_extent() for text in (start, end)]
    centres = [np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]) for box in boxes]
    across = centres[1] - centres[0]
    bend = -0.6 * ax.figure.dpi / np.hypot(*across) if apart else 0.0  # 0.3 inches aside, however long
    ax.annotate(
        "", end.get_position(), start.get_position(),
        arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.2, "patchA": start.get_bbox_patch(), "shrinkA": 1,
                    "patchB": end.get_bbox_patch(), "shrinkB": 1, "connectionstyle": f"arc3,rad={bend}"},
    )  # fmt: skip
    one, other = sorted(boxes, key=lambda box: box.x0)
    share = 0.5
    if one.x1 < other.x0:  # side by side: the middle of what is seen of the arrow
        share = ((one.x1 + other.x0) / 2 - centres[0][0]) / across[0]
    middle = centres[0] + share * across + bend / 2 * np.array([across[1], -across[0]])
    ax.text(
        *ax.transData.inverted().transform(middle), verb, ha="center", va="center", fontsize=8.5, color=INK,
        bbox={"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip
