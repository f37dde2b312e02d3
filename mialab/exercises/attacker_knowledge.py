"""Exercises of notebook 11, what the attacker must know."""

from __future__ import annotations

from mialab.exercises._engine._chapter import Chapter
from mialab.exercises._engine._kinds import Prediction, Written

chapter = Chapter("11_what_the_attacker_must_know")
recap = chapter.recap

without_the_label = chapter.add(
    Prediction(
        "without_the_label",
        question="Take the recorded label away from the attacker. On which target do they still find something?",
        options=["look-up", "tree", "net", "on none", "on all"],
        section="The recorded label",
    )
)

right_type = chapter.add(
    Prediction(
        "right_type",
        question="Which type must the shadows be, for their threshold to work on a target?",
        options=["only the target's own", "it depends: some other types do as well", "any type will do"],
        section="The type of the model",
    )
)

what_costs_more = chapter.add(
    Prediction(
        "what_costs_more",
        question="Made-up flowers lie elsewhere, and none of their labels is wrong. Which of the two costs more?",
        options=["where they lie", "their labels", "about the same"],
        section="Real or made-up records",
    )
)


# --- report ---------------------------------------------------------------------------------------------------------

report = chapter.add(
    Written(
        "report",
        points=4,
        minutes=9,
        section="A short report",
        words=60,
        rubric=[
            "says what the attacker needed, and what they did without",
            "says what they found out, in a measure such as AUC that a coin would not reach, with its number and how "
            "sure that is: over many draws, with an interval or a spread",
            "names who is falsely accused, and why",
            "says what it does not prove, about any one flower and about other models",
        ],
        example="The attacker needed leave to ask your service questions, a range for each measurement, a guess at the "
        "type of your model, and the flowers they were curious about with their species; they never saw the training "
        "set. With shadows trained on invented flowers they ranked your members above strangers in more than four "
        "pairs out of five, where a coin manages one in two: an AUC above 0.8. The 95% interval of that mean over "
        "many random draws is a few hundredths wide on either side; a single draw may be much further off. Falsely "
        "accused at a loose threshold are mostly setosas, nearly all of which get an answer of exactly 1 whether or "
        "not you trained on them; among the highest scores it is versicolors and virginicas deep among their own. So "
        "a high score is no proof about any one flower, and it says nothing about the next model that you "
        "train.",
        others=[
            "To try this, somebody needs permission to send queries and a list of candidates whose species they know. "
            "They then make flowers of their own, train copies of your model on them, and let the copies teach a "
            "second model what a memorised flower looks like. It works: an AUC above 0.8 where guessing gives 0.50, "
            "give or take a few hundredths over many draws. Among setosas it does not work at all, and strangers "
            "there are accused as readily as members. Nobody should be told “you were in it” on the strength of one "
            "score, nor should another model be judged by this one.",
            "Your weights and files stayed secret, and that did not help. Asking was enough, together with some "
            "records for the shadows and the recorded species of those to be judged. On average over our draws the "
            "attack's AUC was above 0.8, with an interval far above 0.5. Its errors are not spread evenly: a "
            "flower in the middle of its own kind is answered with certainty anyway. With a low bar such strangers "
            "are mostly setosas; at the top of the list, versicolors and virginicas. It shows that this model leaks "
            "on average; it settles no single case.",
        ],
        hints=[
            "One sentence or two for each of the four lines. Notebook 10 has the attack, 07 the falsely accused.",
            "For “how sure”, give a mean over draws with its interval, and how far single draws may lie from it.",
            "For “falsely accused”: of which flowers is the look-up model certain though it never met them?",
        ],
    )
)
