"""Exercises of notebook 10, the inference model."""

from __future__ import annotations

import numpy as np

from mialab.exercises._cases import inference_model as data
from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Choice, Prediction

chapter = Chapter("10_the_inference_model")
recap = chapter.recap


# --- attack_table ---------------------------------------------------------------------------------------------------


@chapter.function(
    points=3,
    minutes=7,
    section="A table of answers",
    cases=data.shadows_answers,
    oracle=data.table_by_loops,
    hints=[
        "K shadows answered n questions each, so the table has K·n rows. For shadow 0: its n answers, the n labels, "
        "its n ins and outs. Then the same for shadow 1, and so on.",
        "`proba.reshape(K * n, C)` lays the shadows one below the other, and `in_mask.ravel()` does the same with the "
        "ins and outs. The labels come round again for each shadow: `np.tile(y, K)`.",
        "`np.column_stack([proba.reshape(-1, C), np.tile(y, K), in_mask.ravel()])`, with `K, n, C = proba.shape`.",
    ],
    means="This table is all that the attack learns from: what a model answers, what was recorded, and whether the "
    "record was in. The last column is one that nobody has for the target.",
    why="`reshape` and `ravel` run through the last axis first, so the records of one shadow stay together, and "
    "`np.tile` repeats the labels in the same rhythm. Every record appears K times, now in, now out.",
)
def attack_table(proba, in_mask, y):
    """One row (K·n, C + 2) for each shadow and record: C probabilities, the recorded label, 1.0 for in or 0.0 for out.

    All n records of shadow 0 come first, then those of shadow 1, … proba (K, n, C), in_mask (K, n), y (n,).
    """
    n_shadows, _, n_classes = proba.shape
    answers = proba.reshape(-1, n_classes)
    return np.column_stack([answers, np.tile(y, n_shadows), in_mask.ravel()])


@attack_table.right
def _shadow_by_shadow(proba, in_mask, y):
    return np.vstack([np.column_stack([proba[k], y, in_mask[k]]) for k in range(len(proba))])


@attack_table.right
def _by_a_third_axis(proba, in_mask, y):
    labels = np.broadcast_to(y, in_mask.shape)
    whole = np.concatenate([proba, labels[:, :, None], in_mask[:, :, None]], axis=2)
    return whole.reshape(-1, whole.shape[2])


@attack_table.right
def _row_by_row(proba, in_mask, y):
    n_shadows, n, _ = proba.shape
    return [[*proba[k, i], y[i], float(in_mask[k, i])] for k in range(n_shadows) for i in range(n)]


@attack_table.mistake(
    "You repeat each label on the spot, 0 0 0 1 1 1, while the answers run through all the records and start again. "
    "Repeat the whole of `y` instead: `np.tile(y, K)`."
)
def _each_label_repeated(proba, in_mask, y):
    n_shadows, _, n_classes = proba.shape
    return np.column_stack([proba.reshape(-1, n_classes), np.repeat(y, n_shadows), in_mask.ravel()])


@attack_table.mistake(
    "You put record 0 of all the shadows first, then record 1. Each row is right, but the order is not the one asked "
    "for: all the records of shadow 0 first."
)
def _records_before_shadows(proba, in_mask, y):
    n_shadows, _, n_classes = proba.shape
    answers = proba.transpose(1, 0, 2).reshape(-1, n_classes)
    return np.column_stack([answers, np.repeat(y, n_shadows), in_mask.T.ravel()])


@attack_table.mistake(
    "In and out are swapped: a member's row ends with 1.0. An attack trained on this table would accuse the strangers."
)
def _in_and_out_swapped(proba, in_mask, y):
    return _shadow_by_shadow(proba, ~in_mask, y)


@attack_table.mistake(
    "You put the class that the shadow finds most probable in the place of the recorded label. That adds nothing to "
    "the probabilities; what memorising leaves behind shows against the label that somebody recorded, `y`."
)
def _predicted_for_recorded(proba, in_mask, y):
    n_classes = proba.shape[2]
    return np.column_stack([proba.reshape(-1, n_classes), proba.argmax(axis=2).ravel(), in_mask.ravel()])


@attack_table.mistake(
    "You leave out the records that were out. An attack that has seen members only has nothing to tell them from: keep "
    "every record, with 0.0 at the end of the row."
)
def _members_only(proba, in_mask, y):
    table = _shadow_by_shadow(proba, in_mask, y)
    return table[table[:, -1] == 1]


@attack_table.mistake(
    "`reshape(C, K * n).T` has the right shape and mixes everything: `reshape` does not turn axes round. The classes "
    "are the last axis already, so `proba.reshape(K * n, C)` leaves each answer whole."
)
def _answers_torn_apart(proba, in_mask, y):
    n_shadows, _, n_classes = proba.shape
    return np.column_stack([proba.reshape(n_classes, -1).T, np.tile(y, n_shadows), in_mask.ravel()])


@attack_table.mistake(
    "The answers are in the right order, the ins and outs are not: `in_mask.T` runs through the shadows first. "
    "`in_mask.ravel()` runs through the records of each shadow, as the answers do."
)
def _mask_turned_round(proba, in_mask, y):
    n_shadows, _, n_classes = proba.shape
    return np.column_stack([proba.reshape(-1, n_classes), np.tile(y, n_shadows), in_mask.T.ravel()])


@attack_table.mistake(
    "The last two columns are swapped: the recorded label comes first, and in or out at the very end."
)
def _last_two_swapped(proba, in_mask, y):
    n_classes = proba.shape[2]
    return _shadow_by_shadow(proba, in_mask, y)[:, [*range(n_classes), n_classes + 1, n_classes]]


@attack_table.mistake(
    "The recorded label is missing. The same answer can be an easy one for a setosa and a telling one for a virginica: "
    "put `y` between the probabilities and the in or out."
)
def _without_the_label(proba, in_mask, y):
    return np.column_stack([proba.reshape(-1, proba.shape[2]), in_mask.ravel()])


# --- score_candidates -----------------------------------------------------------------------------------------------


def _says_member(model, rows):
    """The column of True, for the wrong answers that get this far."""
    return model.predict_proba(rows)[:, model.classes_.tolist().index(True)]


@chapter.function(
    points=3,
    minutes=7,
    section="The attack model",
    cases=data.target_answers,
    oracle=data.scores_by_loops,
    hints=[
        "Start from an array of n zeros. For each label: which records have it, and which attack model is theirs?",
        "`rows = y == label` selects the records, `attack_models[label].predict_proba(proba[rows])` has two columns. "
        "`classes_` of that model says which one is True.",
        "In a loop over `np.unique(y)`: `scores[rows] = answer[:, list(model.classes_).index(True)]`. Writing through "
        "the mask `rows` keeps the order.",
    ],
    means="From an answer and a recorded label to one score: with these lines the attacker can rank anybody.",
    why="Each species has an attack model of its own, as what is a telling answer differs between them. The mask that "
    "selects the rows also says where their scores belong, and `classes_` says which column is “member”.",
)
def score_candidates(attack_models, proba, y):
    """Probability of True that the attack model of each record's own label (in a dict) gives to its row of `proba`."""
    scores = np.zeros(len(y))
    for label in np.unique(y):
        model, rows = attack_models[label], y == label
        column = list(model.classes_).index(True)
        scores[rows] = model.predict_proba(proba[rows])[:, column]
    return scores


@score_candidates.right
def _one_by_one(attack_models, proba, y):
    scores = []
    for answer, label in zip(proba, y, strict=True):
        model = attack_models[label]
        scores.append(model.predict_proba(answer.reshape(1, -1))[0][model.classes_][0])
    return scores


@score_candidates.right
def _every_model_on_every_record(attack_models, proba, y):
    scores = np.full(len(y), np.nan)
    for label, model in attack_models.items():
        scores = np.where(y == label, model.predict_proba(proba)[:, np.flatnonzero(model.classes_)[0]], scores)
    return scores


@score_candidates.mistake(
    "You take the log-odds of the answers first. Here the rows of `proba` come ready for the attack models: hand them "
    "on as they are."
)
def _log_odds_first(attack_models, proba, y):
    clipped = np.clip(proba, 1e-6, 1 - 1e-6)
    return score_candidates.function(attack_models, np.log(clipped / (1 - clipped)), y)


@score_candidates.mistake(
    "You take column 1 whatever it stands for. Look up which column is True in the model's own `classes_`: in some "
    "of these it is the first."
)
def _always_column_1(attack_models, proba, y):
    return [attack_models[label].predict_proba([row])[0, 1] for row, label in zip(proba, y, strict=True)]


@score_candidates.mistake(
    "You take column 0 whatever it stands for. Mostly that is the probability of “out”: look up which column is True "
    "in the model's own `classes_`."
)
def _always_column_0(attack_models, proba, y):
    return [attack_models[label].predict_proba([row])[0, 0] for row, label in zip(proba, y, strict=True)]


@score_candidates.mistake(
    "That is the probability of “out”, 1 minus the score. Higher should mean more likely a member: take the column of "
    "True."
)
def _probability_of_out(attack_models, proba, y):
    return 1 - np.array([_says_member(attack_models[label], [row])[0] for row, label in zip(proba, y, strict=True)])


@score_candidates.mistake(
    "You return decisions, member or not. An attacker wants to know who is likelier than whom: use `predict_proba`, "
    "not `predict`."
)
def _decisions(attack_models, proba, y):
    return np.array([attack_models[label].predict([row])[0] for row, label in zip(proba, y, strict=True)])


@score_candidates.mistake(
    "You return decisions as zeros and ones. An attacker wants to know who is likelier than whom: use "
    "`predict_proba`, not `predict`."
)
def _decisions_as_numbers(attack_models, proba, y):
    return _decisions(attack_models, proba, y).astype(float)


@score_candidates.mistake(
    "You ask the attack model of the species that the target finds most probable. Ask the one of the recorded label, "
    "`y`: where the two differ the target was wrong, and that is where memorising shows."
)
def _model_of_the_predicted(attack_models, proba, y):
    scores = []
    for row in proba:
        scores.append(_says_member(attack_models[int(row.argmax())], [row])[0])
    return np.array(scores)


@score_candidates.mistake(
    "You put the scores of one species behind those of another, and lose whose they are. Write them back where they "
    "came from: `scores[rows] = …`."
)
def _species_by_species(attack_models, proba, y):
    return np.concatenate([_says_member(attack_models[label], proba[y == label]) for label in np.unique(y)])


@score_candidates.mistake(
    "You ask the same attack model about every record. Each recorded label has one of its own: `attack_models[label]`."
)
def _one_model_for_all(attack_models, proba, y):
    return _says_member(next(iter(attack_models.values())), proba)


@score_candidates.mistake(
    "You average over all the attack models. Only the one of the record's own label has learnt what members of that "
    "species look like."
)
def _average_of_all(attack_models, proba, y):
    return np.mean([_says_member(model, proba) for model in attack_models.values()], axis=0)


@score_candidates.mistake(
    "You use the label as a place in a list of models. Labels need not be 0, 1, 2: look the model up by its label, "
    "`attack_models[label]`."
)
def _label_as_place(attack_models, proba, y):
    models = list(attack_models.values())
    return np.array([_says_member(models[label], [row])[0] for row, label in zip(proba, y, strict=True)])


# --- which_species --------------------------------------------------------------------------------------------------

which_species = chapter.add(
    Prediction(
        "which_species",
        question="For which species will the attack model learn least from the look-up model's answers?",
        options=["setosa", "versicolor", "virginica", "all alike"],
        section="What has it learnt?",
    )
)


# --- predict_chain --------------------------------------------------------------------------------------------------

predict_chain = chapter.add(
    Prediction(
        "predict_chain",
        question="With what AUC will the whole attack, over the service, tell the look-up model's members from "
        "strangers?",
        between=(0, 1),
        section="The whole attack, and you built it",
    )
)


# --- noise_or_not ---------------------------------------------------------------------------------------------------

noise_or_not = chapter.retire(
    Choice(
        "noise_or_not",
        points=2,
        minutes=4,
        section="Where it finds nothing, and what changes that",
        options={
            "a": (
                "There are fewer synthetic records than real ones, so the shadows trained on them have less to learn "
                "from.",
                "The attacker can make as many as the questions last, and the shadows train on as many. It is not the "
                "number: something is missing from each of them.",
            ),
            "b": (
                "The service answers a wrong label with an error.",
                "The service never sees a label. It is sent measurements and answers with probabilities.",
            ),
            "c": (
                "The real other flowers include the target's members.",
                "They are other flowers: none of them trained the target. Their shadows learn what memorising looks "
                "like, not who was memorised.",
            ),
            "d": (
                "Synthetic records take the target's own answers as labels, so none contradicts its surroundings.",
                "A shadow on such records never has to memorise a label against its neighbours, so its answers show "
                "no trace of that. A fifth of the real flowers have such labels, and their shadows show it.",
            ),
        },
        answer="d",
        hints=[
            "Who wrote the label of a synthetic record? Who wrote that of a real other flower?",
            "What gives members away under wrong labels is a label that only memorising can explain. Which pool holds "
            "such labels?",
            "A synthetic flower is kept because the model is sure of its class. Can its label be a surprise?",
        ],
    )
)


from mialab.exercises.attacker_knowledge import report  # noqa: E402, F401  notebook 11 asks for it now
