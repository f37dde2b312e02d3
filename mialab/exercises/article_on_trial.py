"""Exercises of notebook 15, the article on trial."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import article_on_trial as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Dial, Prediction, Written

chapter = Chapter("15_the_article_on_trial")
recap = chapter.recap

# --- for_or_against -------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=5,
    section="The rule",
    cases=data.effects,
    oracle=data.sides_by_loops,
    hints=[
        "Two things make an experiment count: its interval excludes zero, and its mean is large enough.",
        "`mean, low, high = effects.T` gives three columns. Being for the claim is `(low > 0) & (mean >= smallest)`.",
        "Being against it is the mirror image, with `high < 0` and `mean <= -smallest`. True minus False is 1: "
        "subtract the two as integers.",
    ],
    means="One rule for all claims. It was written after we had seen many effects: so try it with another `smallest`, "
    "and see whether a verdict turns.",
    why="An interval that includes zero shows nothing either way, however large its mean. One that excludes zero by a "
    "hair shows an effect too small to matter. Only effects that are both sure and large enough count.",
)
def for_or_against(effects, smallest):
    """For each of m experiments: 1 if it is for the claim, -1 if it is against it, 0 if it shows neither.

    effects (m, 3): mean, low and high of each effect, signed so that the claim predicts a positive one. For the claim:
    low > 0 and mean >= smallest. Against it: high < 0 and mean <= -smallest.
    """
    mean, low, high = effects.T
    is_for = (low > 0) & (mean >= smallest)
    is_against = (high < 0) & (mean <= -smallest)
    return is_for.astype(int) - is_against.astype(int)


@for_or_against.right
def _by_a_loop(effects, smallest):
    sides = []
    for mean, low, high in effects:
        sides.append(1 if low > 0 and mean >= smallest else -1 if high < 0 and -mean >= smallest else 0)
    return sides


@for_or_against.right
def _by_sign(effects, smallest):
    mean, low, high = effects[:, 0], effects[:, 1], effects[:, 2]
    return np.where((low * high > 0) & (np.abs(mean) >= smallest), np.sign(mean), 0)


@for_or_against.mistake(
    "You look at the mean alone. A mean whose interval includes zero shows nothing: ask for `low > 0`, or `high < 0`."
)
def _means_only(effects, smallest):
    mean = effects[:, 0]
    return (mean >= smallest).astype(int) - (mean <= -smallest).astype(int)


@for_or_against.mistake(
    "You leave out `smallest`. An effect can be sure and yet too small to matter: ask for `mean >= smallest` as well."
)
def _however_small(effects, smallest):
    return for_or_against.function(effects, 0.0)


@for_or_against.mistake(
    "You count an experiment that shows nothing as one against the claim. Against it is only an interval wholly "
    "below zero."
)
def _nothing_is_against(effects, smallest):
    return np.where(for_or_against.function(effects, smallest) == 1, 1, -1)


@for_or_against.mistake(
    "You find the experiments for the claim and none against it. Turn the rule round for those: `high < 0` and "
    "`mean <= -smallest`."
)
def _never_against(effects, smallest):
    return np.maximum(for_or_against.function(effects, smallest), 0)


@for_or_against.mistake("The signs are turned round: a positive effect is what the claim predicts.")
def _turned_round(effects, smallest):
    return -for_or_against.function(effects, smallest)


@for_or_against.mistake(
    "You ask the whole interval to lie beyond `smallest`. The rule asks that of the mean; the interval need only "
    "exclude zero."
)
def _whole_interval_beyond(effects, smallest):
    return (effects[:, 1] >= smallest).astype(int) - (effects[:, 2] <= -smallest).astype(int)


@for_or_against.mistake(
    "You ask whether the interval includes zero and drop the direction. An effect below zero is against the claim: -1."
)
def _without_direction(effects, smallest):
    return np.abs(for_or_against.function(effects, smallest))


more_classes = chapter.add(
    Prediction(
        "more_classes",
        question="Ten classes in place of two, with as many members of each class as before. What happens to the AUC "
        "of the attack?",
        options=["rises", "falls", "stays"],
        section="What an attacker must fake",
    )
)


# --- enough_of_each -------------------------------------------------------------------------------------------------

enough_of_each = chapter.add(
    Dial(
        "enough_of_each",
        points=2,
        minutes=2,
        section="Turn a verdict",
        unit="a whole number of digits, from 12 to 80",
        between=(12, 80),
        whole=True,
        measure=data.what_two_classes_leak_more,
        turns=lambda found: found >= 0.01,
        says="With {setting:g} digits in each of the ten classes, over 4 draws, two classes of 12 each leak "
        "{found:+.3f} more.",
        right=(70, 60, 80),
        stays=(12, 20),
        hints=[
            "The two classes stay as they are. What would make a net of ten classes leak less?",
            "With more records of a class each one matters less, as fewer members gave more away in notebook 14.",
            "Thirty of each is not clearly enough. Try twice as many.",
        ],
        means="“Few classes are easier” is contradicted where each class has as many records, and turns where the many "
        "classes are the better fed ones. A verdict is about what was held fixed.",
        why="Two things differ between a small and a large data set: the number of classes, and the records of each. "
        "The first raises the leak, the second lowers it.",
    )
)

judge = chapter.add(
    Written(
        "judge",
        points=4,
        minutes=7,
        section="The verdicts",
        words=60,
        rubric=[
            "names the claim in words of one's own, and what it would predict",
            "says what was changed and what was held fixed, and which attack measured the leak",
            "gives the effect with its interval, and the verdict that follows from the rule",
            "admits a doubt: few records, small models, the choice of attack; and says on what data or with what "
            "model the verdict might be another",
        ],
        example="The article says that models which fit their training set too closely are the ones that leak. If "
        "so, a deeper tree should leak more. I took the tree on the sepals and let it grow deeper, with 75 "
        "members in every comparison, and measured the attack on the recorded label. From depth 1 to depth 12 its "
        "AUC rose by 0.125 in the notebook's table (95% interval 0.114 to 0.136 over its draws), so by our rule the "
        "experiment is for the claim. But longer training on four measurements showed no effect (−0.002, −0.015 to "
        "0.011), so the claim holds partly, and overfitting is not the whole story. The flowers are few and the models "
        "tiny; on a large image model with millions of records the same dial might do much more, or much less.",
        others=[
            "Claim: tables with few measurements are easier to attack than images or many classes. If that were so, "
            "two classes should leak more than ten, with as many members of each. I kept thirty digits a class, used "
            "the same net, and compared two classes with ten by the recorded-label attack: the AUC went up with the "
            "number of classes, interval well above zero, so this half of the claim is contradicted. My doubt: these "
            "are eight by eight pixel digits, not photographs, and a convolutional model on large images may behave "
            "otherwise.",
            "I chose that knowing the type of a model is enough. If so, a shadow of that type, trained on made-up "
            "flowers, should lend a threshold that catches members. With the look-up model it did, over eight draws, "
            "and the interval excluded zero; with the tree by plain confidence there was nothing, so the verdict is "
            "partly. And a shadow of another type did as well there. I doubt that a threshold is the best use of a "
            "shadow, and would expect more of it where wrong labels make a net remember.",
        ],
        hints=[
            "One or two sentences for each line of the rubric. Which lab of this notebook belongs to your claim?",
            "Copy the effect and its interval from the table of verdicts, and say in words what they compare.",
            "For the doubt, ask what you would say if someone disliked the verdict: too few flowers, the wrong "
            "model, the wrong attack?",
        ],
    )
)


# --- no longer asked ----------------------------------------------------------------------------------------------

why_noise = chapter.retire(
    Choice(
        "why_noise",
        points=2,
        minutes=3,
        section="What an attacker must fake",
        options={
            "a": (
                "The noise holds information about the species that no one can see, and such information is what "
                "leaks out.",
                "The columns were drawn at random, without a look at the species. What a model finds in them holds for "
                "its members only.",
            ),
            "b": (
                "With many columns each member has a pattern of its own, by which the net can learn its label by "
                "heart.",
                "Such a fit helps nobody outside the training set. So members are answered well and strangers badly, "
                "and that is what the attack reads.",
            ),
            "c": (
                "More columns make the net less sure, and unsure answers leak.",
                "About members it becomes no less sure: it fits every one of them. It is the strangers who are "
                "answered worse.",
            ),
            "d": (
                "The attacker reads the members' noise columns out of the answers.",
                "The attacker sees three probabilities, no columns. They know the candidate's measurements already; "
                "what they want to know is whether it was a member.",
            ),
        },
        answer="b",
        hints=[
            "Compare the accuracy on members and on strangers as columns are added.",
            "How could a net tell one member from another, if it had sixty random numbers of each?",
            "It is easier to remember than to understand when every record carries a name tag.",
        ],
    )
)


# --- first_of_each --------------------------------------------------------------------------------------------------


@chapter.retired_function(
    points=3,
    minutes=7,
    section="More classes",
    cases=data.pools,
    oracle=data.positions_by_hand,
    hints=[
        "Take the classes one after the other: `np.unique(y)`. For each you want the first records *in the order*.",
        "`y[order]` are the labels in that order, so `order[y[order] == label]` are the positions of one class in that "
        "order.",
        "Take `[:n_per_class]` of each, put the pieces together with `np.concatenate`, and sort.",
    ],
    means="Pools in which every class has as many records as any other: now two classes and ten can be compared.",
    why="`order` is a shuffle of all positions. Within it, the records of a class stand in random order too, so the "
    "first few of them are a random draw of that class.",
)
def first_of_each(order, y, n_per_class):
    """Positions in y of the first n_per_class records of every class, as they come in `order`; sorted, ascending.

    order (n,): the positions 0 … n−1, shuffled; y (n,): labels of any kind.
    """
    of_each = [order[y[order] == label][:n_per_class] for label in np.unique(y)]
    return np.sort(np.concatenate(of_each))


@first_of_each.right
def _by_counting(order, y, n_per_class):
    taken = {label: 0 for label in y.tolist()}
    chosen = []
    for position in order:
        label = y.tolist()[position]
        if taken[label] < n_per_class:
            taken[label] += 1
            chosen.append(position)
    return sorted(chosen)


@first_of_each.right
def _by_places(order, y, n_per_class):
    place = np.argsort(order)  # where each record stands in the order
    same_class = y[:, None] == y
    ahead = (same_class & (place[None, :] < place[:, None])).sum(axis=1)
    return np.flatnonzero(ahead < n_per_class)


@first_of_each.mistake(
    "You never use `order`: these are the first records of each class as they stand in `y`, not a random draw of them."
)
def _without_the_order(order, y, n_per_class):
    return np.sort(np.concatenate([np.flatnonzero(y == label)[:n_per_class] for label in np.unique(y)]))


@first_of_each.mistake(
    "You take n_per_class records in all. Each class gives n_per_class: take that many from every one of them."
)
def _that_many_in_all(order, y, n_per_class):
    return np.sort(order[:n_per_class])


@first_of_each.mistake(
    "You return places within `order`. What is wanted are positions in `y`: look up what stands at those places, "
    "`order[place]`."
)
def _places_for_positions(order, y, n_per_class):
    return np.sort(np.concatenate([np.flatnonzero(y[order] == label)[:n_per_class] for label in np.unique(y)]))


@first_of_each.mistake(
    "You take the first n_per_class × (number of classes) records of the order, whatever their class. Some classes "
    "then give more than others: count each class by itself."
)
def _the_first_of_all(order, y, n_per_class):
    return np.sort(order[: n_per_class * len(np.unique(y))])


@first_of_each.mistake("The positions are right. Return them sorted, in ascending order: `np.sort`.")
def _not_sorted(order, y, n_per_class):
    return np.concatenate([order[y[order] == label][:n_per_class] for label in np.unique(y)])


@first_of_each.mistake("You return True and False. Return the positions themselves: `np.flatnonzero` of that.")
def _a_mask(order, y, n_per_class):
    return np.isin(np.arange(len(y)), first_of_each.function(order, y, n_per_class))


@first_of_each.mistake("You take the last records of each class in the order. Take the first: `[:n_per_class]`.")
def _the_last(order, y, n_per_class):
    return np.sort(np.concatenate([order[y[order] == label][-n_per_class:] for label in np.unique(y)]))
