"""Exercises of notebook 20, when flowers are people."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import flowers_are_people as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction, Written

chapter = Chapter("20_when_flowers_are_people")
recap = chapter.recap

what_it_says = chapter.add(
    Choice(
        "what_it_says",
        points=2,
        minutes=2,
        section="What membership alone reveals",
        options={
            "a": (
                "Nothing: the model predicts the length of a stay, and says nothing about addiction.",
                "What the model predicts does not matter here. Who was in its training set does: they were all "
                "patients of that ward.",
            ),
            "b": (
                "That the politician was probably treated for addiction.",
                "All members were patients of that ward, so membership is the diagnosis. Probably, because an attack "
                "gives a probability, and the falsely accused would be harmed in the same way.",
            ),
            "c": (
                "How long the politician stayed in hospital.",
                "That is the label, and the attacker may even have needed it for the attack. Membership alone does "
                "not tell it.",
            ),
            "d": (
                "Nothing yet, for the training data were anonymised: names had been removed.",
                "The attacker brought the record themselves and knows whose it is. Names in the training data are not "
                "needed. And taking out names is not anonymisation in EU or UK law: at most it is pseudonymisation, "
                "and the data stay personal for whoever can undo it.",
            ),
        },
        answer="b",
        hints=[
            "Look away from what the model predicts. Whose records was it trained on?",
            "What do all members of this training set have in common?",
            "Does it take a name in the data, if the attacker brings the record?",
        ],
    )
)

closed_world = chapter.add(
    Prediction(
        "closed_world",
        question="Of 100 answers about versicolors that it never saw, how many are wrong with confidence above 0.9?",
        between=(0, 100),
        section="Sure of what it never saw",
        hints=[
            "Do not look it up: a guess is worth most when it comes before the answer.",
            "This net has two names to give, and neither is right. So how many answers are wrong? And how sure were "
            "the nets above of a flower that is like nothing they saw?",
            "Any number from 0 to 100 is accepted. Write one down, then run the cell below it.",
        ],
    )
)


# --- errors_that_pass -----------------------------------------------------------------------------------------------


@chapter.function(
    points=2,
    minutes=4,
    section="The rubber stamp",
    cases=data.reviews,
    oracle=data.passed_by_loops,
    hints=[
        "Which errors does the reviewer never see? Those with a confidence at or above the threshold.",
        "`wrong & (confidence >= threshold)` are the errors that pass. Count them.",
        "Divide by the number of all errors, `wrong.sum()`; where there is none, return 0.",
    ],
    means="Looking only where the model is unsure lets through exactly the errors that it is sure of.",
    why="The reviewer corrects what is below the threshold. An error at or above it is never looked at. The share is "
    "of the errors, not of the cases, because it is the errors that land on people.",
)
def errors_that_pass(confidence, wrong, threshold):
    """The share of all errors that nobody looks at, a number; 0.0 if there are no errors.

    confidence (n,): the model's, in each case; wrong (n,) bool: True where its answer is wrong. A reviewer looks at all
    cases with a confidence below `threshold`, and only at those, and corrects every error among them.
    """
    if not wrong.any():
        return 0.0
    return (wrong & (confidence >= threshold)).sum() / wrong.sum()


@errors_that_pass.right
def _one_minus_caught(confidence, wrong, threshold):
    if wrong.sum() == 0:
        return 0.0
    return 1 - (confidence[wrong] < threshold).mean()


@errors_that_pass.right
def _by_a_loop(confidence, wrong, threshold):
    errors = [c for c, w in zip(confidence, wrong, strict=True) if w]
    return sum(c >= threshold for c in errors) / len(errors) if errors else 0.0


@errors_that_pass.mistake("That is the share of errors that are *caught*. The rest passes.")
def _caught(confidence, wrong, threshold):
    return (confidence[wrong] < threshold).mean() if wrong.any() else 0.0


@errors_that_pass.mistake("You divide by the number of cases. Asked is the share of the errors.")
def _of_all_cases(confidence, wrong, threshold):
    return (wrong & (confidence >= threshold)).mean()


@errors_that_pass.mistake(
    "You divide by the number of cases that nobody looks at. That is how wrong the sure answers are, another question."
)
def _of_the_sure_ones(confidence, wrong, threshold):
    sure = confidence >= threshold
    return wrong[sure].mean() if sure.any() else 0.0


@errors_that_pass.mistake(
    "A case exactly at the threshold is not below it, so nobody looks at it: use `>=` for those that pass."
)
def _at_the_threshold(confidence, wrong, threshold):
    return (wrong & (confidence > threshold)).sum() / wrong.sum() if wrong.any() else 0.0


@errors_that_pass.mistake("You return how many errors pass. Divide by the number of all errors.")
def _count(confidence, wrong, threshold):
    return float((wrong & (confidence >= threshold)).sum())


@errors_that_pass.mistake("You take the right answers for the wrong ones: `wrong` is True where the answer is wrong.")
def _the_right_ones(confidence, wrong, threshold):
    return errors_that_pass.function(confidence, ~wrong, threshold)


# --- card -----------------------------------------------------------------------------------------------------------

card = chapter.add(
    Written(
        "card",
        points=4,
        minutes=8,
        section="A model card",
        words=60,
        rubric=[
            "says whose records trained the model, and what being among them tells about a person",
            "says in plain words what someone with access could find out, how likely, and for whom most",
            "names what was tested, and at least one thing that was not",
            "says what is done about it and whom a person can turn to, and promises no more than was shown",
        ],
        example="This model was trained on the records of 1,000 people whose blood was tested in our study. It does "
        "not contain your name. But someone who already has your measurements, and may put questions to the model, "
        "could try to find out whether you took part. Shown one participant and one other person, the test picked the "
        "right one 86 times in 100. That is not the chance of being right about you, which depends on how many "
        "people are suspected. About three in ten of you could be picked out, with ten false accusations among a "
        "thousand others, by someone who holds all our records; by an outsider about one in six. We tried three "
        "kinds of attack, not all that exist, and only with other patients' records in hand. We are replacing the "
        "model by one that limits what a single record can change, and until then only staff may ask it. If you want "
        "to know more, or want to object or ask for erasure, write to our data protection officer; we will tell you "
        "what is possible, including for the model.",
        others=[
            "Your record was one of a thousand from the clinic's study, and to be among them means that your blood was "
            "tested there. The model answers questions about risk. We tested whether its answers betray who was in "
            "the study: an attacker with skill, with your measurements and with the right to ask can often tell, "
            "and picked out about three in ten with hardly a false accusation. A simple look at the model's confidence "
            "does not reveal it at few false alarms; a better method does. We have not tested every method, nor "
            "attackers who may ask for years. From next month we use a version with a mathematical limit on each "
            "person's influence. Please call the privacy office with questions or objections.",
            "What we hold: measurements of blood, age and sex of study participants, used to train a forest of "
            "decision trees. What could go wrong: by asking the model about you, a person who knows your values may "
            "conclude that you participated, which says that you were a patient here. In an audit with two thousand "
            "records the best method ranked participants above others in about 86 of 100 pairs. That is an average, "
            "some of you are far more exposed than others and we cannot tell each of you how much. Not examined: other "
            "attacks, and whether your values could be guessed. Access is now limited and logged, and a private model "
            "will follow. The data protection officer answers every letter.",
        ],
        hints=[
            "Write to one of the patients, not to a colleague. One or two sentences for each line of the rubric.",
            "Take the findings from notebook 19, and say each in words: of ten pairs, of a thousand patients.",
            "What would you want to know if it were your record, and what could you do about it?",
        ],
    )
)


# --- no longer asked ----------------------------------------------------------------------------------------------


@chapter.retired_function(
    points=3,
    minutes=7,
    section="Unequal errors",
    cases=data.judged_groups,
    oracle=data.errors_by_loops,
    hints=[
        "For one group: which records are in it, and what share of *those* was judged wrongly?",
        "`(answer != y)[group == g].mean()` is the share for group g.",
        "Do it for each g of `np.unique(group)`, and put the shares into an array.",
    ],
    means="One error rate for all is an average of these, weighted by the size of the groups: large groups drown small "
    "ones.",
    why="The share is taken within each group, so that a small group counts as much as a large one. What the group is "
    "need not be the label: it may be age, or the hospital.",
)
def errors_by_group(y, answer, group):
    """The share of wrong answers within each group, in the order of np.unique(group), (n_groups,).

    y (n,): the true labels; answer (n,): the model's; group (n,): a number for the group of each record.
    """
    wrong = answer != y
    return np.array([wrong[group == g].mean() for g in np.unique(group)])


@errors_by_group.right
def _by_counts(y, answer, group):
    _, place = np.unique(group, return_inverse=True)
    return np.bincount(place, weights=answer != y) / np.bincount(place)


@errors_by_group.right
def _by_pandas(y, answer, group):
    import pandas as pd

    return pd.Series(answer != y).groupby(group).mean().to_numpy()


@errors_by_group.mistake("That is the share that was right. Errors are asked for: use `!=`.")
def _right_ones(y, answer, group):
    return 1 - errors_by_group.function(y, answer, group)


@errors_by_group.mistake(
    "You divide by the number of all records. So a small group has a small number whatever happens in it: divide by "
    "the size of the group."
)
def _of_all_records(y, answer, group):
    wrong = answer != y
    return np.array([(wrong & (group == g)).mean() for g in np.unique(group)])


@errors_by_group.mistake("You say which group the errors fall in. Asked is how often a member of a group is misjudged.")
def _of_all_errors(y, answer, group):
    wrong = answer != y
    return np.array([(group[wrong] == g).sum() / max(1, wrong.sum()) for g in np.unique(group)])


@errors_by_group.mistake("You return numbers of errors. Divide by the size of each group.")
def _counts(y, answer, group):
    wrong = answer != y
    return np.array([(wrong & (group == g)).sum() for g in np.unique(group)], dtype=float)


@errors_by_group.mistake("You return percentages. A share lies between 0 and 1: leave out the factor 100.")
def _percentages(y, answer, group):
    return 100 * errors_by_group.function(y, answer, group)


@errors_by_group.mistake("You return one number for all records. Take the share in each group by itself.")
def _one_for_all(y, answer, group):
    return np.full(len(np.unique(group)), (answer != y).mean())


@errors_by_group.mistake("You group by the true label. The groups are in `group`, and need not be the labels.")
def _by_label(y, answer, group):
    return np.array([(answer != y)[y == g].mean() for g in np.unique(y)])


@errors_by_group.mistake("You group by what the model answered. The groups are in `group`, whatever the answer was.")
def _by_answer(y, answer, group):
    return np.array([(answer != y)[answer == g].mean() for g in np.unique(answer)])


@errors_by_group.mistake(
    "The shares are right, in the order in which the groups first appear. Asked is the order of `np.unique(group)`."
)
def _first_come(y, answer, group):
    wrong = answer != y
    return np.array([wrong[group == g].mean() for g in dict.fromkeys(group.tolist())])
