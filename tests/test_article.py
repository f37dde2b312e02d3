"""Each sentence of the article is treated by a cell of the course: the table says which, and the cells stay there.

A row is what the article says, in our words and its order; the notebook; and a text that stands in a cell of it. Where
a notebook is rewritten, its texts here change with it.
"""

from __future__ import annotations

import nbformat
import pytest
from hover import without_hover
from refresh_notebooks import notebooks

ARTICLE = [
    # what is at stake
    ("models find patterns in data, and answer from them", "02", "## Train on half"),
    ("a good model does as well on new data: it generalises", "04", "To *generalise* is to do as well on new records"),
    ("in practice it answers unfamiliar data otherwise", "04", "## The confidence gap"),
    ("it is usually surer about its training data", "15", "*Members usually get higher confidence"),
    ("the difference is the basis of an attack", "06", "## A rule with one number"),
    # how the attack works
    ("the attack finds out whether a record was in the training set", "00", "Can you find out whether *one particular"),
    ("success exposes what is sensitive, in medicine or finance", "20", "## What membership alone reveals"),
    ("no need of data, weights or architecture", "00", "**black-box access**"),
    ("to know the type of the model is often enough", "15", "*Knowing the type is enough.*"),
    ("or the platform that it was built on", "08", "## What does the platform tell?"),
    ("Vertex AI and SageMaker make the attack more feasible", "08", "## Words first"),
    ("with them one trains models without the technical details", "08", "## Words first"),
    ("the same tools let an attacker replicate a configuration", "09", "## One shadow by hand"),
    # the thought experiment, the owner's steps
    ("a thought experiment on the Iris flowers", "00", "## The story in a few words"),
    ("four measurements of flowers of three species", "01", "## Records and labels"),
    ("each with its correct species as the label", "01", "**label**"),
    ("they train a classifier", "02", "## Train on half"),
    ("it is fed new measurements", "03", "## A question and an answer"),
    ("it answers with probabilities, and so the likeliest species", "03", "## From scores to probabilities"),
    # the attacker's steps
    ("new measurements are submitted", "06", "## Ask about everyone"),
    ("a prediction comes back with its confidence", "03", "## Confidence"),
    ("a mix of old and new data: what was seen may get more confidence", "04", "## Two models, equally good"),
    ("inputs are adjusted and asked again until the model is surer", "08", "## Adjust and ask again"),
    ("how sure it is of different inputs tells a member", "08", "## Adjust a candidate"),
    ("high-confidence records are gathered", "08", "## What a flower costs"),
    ("shadow models are trained on them", "09", "## A pair, then hundreds"),
    ("which mimic the target", "15", "*Shadow models mimic the target.*"),
    ("and train a final inference model", "10", "## The attack model"),
    ("which tells of any record whether it was a member", "12", "## The map of the garden"),
    # how dangerous it is
    ("the risk is serious for medical, biometric and financial data", "20", "## What membership alone reveals"),
    ("a diagnosis may be learnt without the data set", "19", "## The patients"),
    ("privacy is violated and data protection law broken", "20", "## What the law says"),
    ("trust and reputation suffer", "20", "## Trust and reputation"),
    # why some models leak
    ("confidence works across services and types of model", "11", "## The type of the model"),
    ("strangers with high scores are false positives", "07", "## False alarms with names"),
    ("the overlap blurs what is a leak and what is generalisation", "07", "## How far does luck go?"),
    ("not all systems are equally exposed", "14", "## Models of a kind"),
    ("structured data of few dimensions is easier, being easier to fake", "15", "**The reason** first."),
    ("images and many classes are harder", "15", "**the leak**, over five families"),
    ("overfitting is a major factor", "14", "**overfitting**, a model tailored to its training data"),
    ("it comes of too few samples", "14", "## Fewer records"),
    ("or of training for too long", "14", "## Longer training"),
    ("it makes a model worse on new inputs", "14", "## Does the gap tell?"),
    ("an overfitted model answers its training data more strongly", "05", "## Too long training"),
    ("a model that generalises resists", "15", "*Models that generalise resist.*"),
    # what can be done
    ("a balance of accuracy and generalisation", "16", "## The price"),
    ("differential privacy", "17", "## A coin that lies for you"),
    ("less granular outputs", "16", "## Say less"),
    ("regularisation against overfitting", "16", "## Train with more care"),
    ("last: the iris classifier and the pitfalls of algorithmic decisions", "20", "## The rubber stamp"),
]
BOOKS = {path.name[:2]: nbformat.read(path, as_version=4) for path in notebooks()}


@pytest.mark.parametrize(("says", "number", "text"), ARTICLE, ids=[says for says, *_ in ARTICLE])
def test_a_sentence_of_the_article_is_treated_where_the_table_says(says, number, text):
    assert any(text in without_hover(cell.source) for cell in BOOKS[number].cells), f"notebook {number} lacks {text!r}"


def test_every_notebook_but_those_beyond_the_article_treats_some_of_it():
    beyond = {"13", "18"}  # stronger attacks, audits of a promise
    assert set(BOOKS) - beyond == {number for _, number, _ in ARTICLE}
