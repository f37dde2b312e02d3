"""This module holds the words of the course, each with the sentence that defines it where it first appears.

It is the one source for notebooks, pages and hover text: `define("AUC")` says one, TERMS holds all. Where a word has an
everyday meaning too, the course's own is given.
"""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class Term:
    """A `Term` is a word, what it means, the notebook that defines it (two digits), and its other forms.

    >>> term = define("members")
    >>> term.name, term.notebook
    ('member', '00')
    """

    name: str
    means: str
    notebook: str
    forms: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{self.name}: {self.means} (notebook {self.notebook})."

    def _repr_html_(self) -> str:
        return (
            f"<p><strong>{html.escape(self.name)}</strong>: {html.escape(self.means)} (notebook {self.notebook}).</p>"
        )

    @property
    def spellings(self) -> tuple[str, ...]:
        """Return the name and its other forms, the longest first."""
        return tuple(sorted({self.name, *self.forms}, key=lambda form: (-len(form), form)))


TERMS = tuple(
    Term(*each)
    for each in (
        # Notebook 00, start here
        ("model", "a program that has learned from examples, and answers questions about new ones", "00", ("models",)),
        ("record", "what is written down about one person", "00", ("records",)),
        ("member", "a record that the model was trained on", "00", ("members",)),
        ("training set", "all members together", "00", ("training sets",)),
        ("stranger", "a record it was not trained on", "00", ("strangers", "non-member", "non-members")),
        ("membership inference attack", "guesses, from the model's answers, whether a record is a member or a stranger",
         "00", ("membership inference attacks",)),
        ("attacker", "may ask the model questions and read the answers", "00", ("attackers",)),
        ("black-box access", "may ask the model questions and read the answers", "00"),
        # 01, the flowers
        ("label", "the species that a botanist recorded for it", "01", ("labels",)),
        # 02, train a classifier
        ("classifier", "a model that takes measurements and answers with a label", "02", ("classifiers",)),
        ("logistic regression", "draws straight borders between the species", "02"),
        ("accuracy", "the share of records for which the model's label is the recorded one", "02"),
        ("baseline",
         "the laziest rule of all does not look at the flower: it always answers with the commonest label of the "
         "training set", "02"),
        ("decision tree", "sorts flowers with one yes-or-no question after another", "02", ("decision trees",)),
        ("95% interval", "two numbers between which the average of many more draws would most likely fall", "02",
         ("95% intervals",)),
        # 03, ask the model
        ("class score", "any number, the higher the better the species fits", "03", ("class scores",)),
        ("softmax", "turns class scores into probabilities", "03"),
        ("confidence", "the largest of its probabilities", "03", ("confidences",)),
        ("closed world",
         "the classes that the model knows are all that exists for it", "03"),
        ("calibrated", "right about as often as it says", "03"),
        # 04, members and strangers
        ("generalisation gap", "the accuracy on members minus the accuracy on strangers", "04",
         ("generalisation gaps",)),
        ("look-up",
         "finds the 15 members nearest to the question and lets them vote, and the nearer a member, the more its vote "
         "counts", "04"),
        ("confidence gap", "the mean confidence on members minus the mean confidence on strangers", "04",
         ("confidence gaps",)),
        ("leak", "when its answers help to tell members from strangers", "04", ("leaks", "leaked", "leaky")),
        # 06, the first attack
        ("target", "the model under attack", "06", ("targets",)),
        ("threshold", "turns scores into guesses: at least the threshold means \"member\"", "06", ("thresholds",)),
        ("true positive", "a member called a member", "06", ("true positives",)),
        ("false positive", "a stranger called a member: a false alarm", "06", ("false positives",)),
        ("true positive rate", "the share of members who are called members", "06", ("TPR",)),
        ("false positive rate", "the share of strangers who are called members", "06", ("FPR",)),
        ("advantage", "the difference of the two shares, TPR − FPR", "06"),
        ("ROC curve", "TPR against FPR, for every threshold", "06", ("ROC curves",)),
        ("AUC", "how often a member, drawn at random, has a higher score than a stranger, a tie counting one half",
         "06", ("AUCs",)),
        # 07, what an accusation is worth
        ("balanced accuracy", "the mean of two shares: members called members, and strangers called strangers", "07"),
        ("base rate", "the share of members in the crowd", "07"),
        ("precision", "the share of accusations that are right", "07"),
        ("threat model", "lists what the attacker may do and knows", "07", ("threat models",)),
        # 08, probing the black box
        ("black box", "a model that you may ask, and may not open", "08"),
        ("prediction service", "a program that answers questions about a model over the network", "08",
         ("prediction services",)),
        ("query", "one question about one record", "08", ("queries",)),
        ("query budget", "how many queries a caller may make", "08", ("query budgets",)),
        ("candidate", "a record about which the attacker wants a verdict", "08", ("candidates",)),
        ("hill climb", "adjust, ask again, keep what is better", "08",
         ("hill climbs", "hill climbing")),
        # 09, shadow models
        ("shadow model", "a model that the attacker trains to behave like the target", "09",
         ("shadow models", "shadow", "shadows")),
        ("pool", "the set of records on which the attacker can train shadows", "09"),
        ("synthetic", "a record that nobody measured: somebody made it up", "09"),
        ("fidelity", "how often a shadow gives the same answer as the target", "09"),
        ("epoch", "one pass of the training over its flowers", "09", ("epochs",)),
        # 10, the inference model
        ("attack model", "a classifier whose two classes are in and out", "10", ("attack models",)),
        ("training table", "holds shadows' answers, each with the truth about membership in that shadow", "10"),
        ("auditor",
         "attacks a model with the owner's leave and the owner's records, to learn how much it gives away", "10",
         ("auditors",)),
        ("log-odds", "log(p / (1 − p))", "10"),
        # 12, who is exposed
        ("exposure", "how often a model that had it as a member is surer of it than a model that had not", "12"),
        ("onion effect", "take away a layer, and another lies beneath", "12"),
        # 13, two strong attacks
        ("LiRA", "how much likelier is the target's answer if the record was in than if it was not", "13"),
        ("relative confidence", "the target's confidence in the recorded label divided by the usual one", "13"),
        ("RMIA", "asks of how many other records the candidate's relative confidence is the larger", "13"),
        # 14, why some models leak
        ("factor", "one thing that you can turn, such as the number of members or the depth of a tree", "14",
         ("factors",)),
        # 16, defences
        ("output defence", "leaves the model as it is, and says less", "16", ("output defences",)),
        ("training-time defence", "makes another model", "16", ("training-time defences",)),
        ("adaptive attacker", "knows the defence, and trains shadows that have it too", "16", ("adaptive attackers",)),
        ("frontier",
         "made of the choices that no other beats. One choice beats another if it is no worse in accuracy and in "
         "leakage, and better in one of them", "16"),
        # 17, differential privacy
        ("differential privacy",
         "for any two neighbours and any outcome, the probability with the one set is at most e^epsilon times the "
         "probability with the other", "17", ("epsilon-differentially private",)),
        ("delta", "a small allowance: the probability may be up to e^epsilon times as large plus delta", "17"),
        ("clip", "to limit how much one record may ask for", "17", ("clipped", "clipping")),
        ("privacy budget", "the epsilon and delta that the owner is ready to spend", "17"),
        ("sensitivity", "whoever joins or leaves, the sum moves by the clip at most", "17"),
        # 18, audit a promise
        ("power of a test", "how often it catches a promise that is broken by so much", "18"),
        ("canary", "a made-up record that a fair coin plants among the training data or leaves out", "18",
         ("canaries",)),
        # 20, when flowers are people
        ("disclosure", "someone learns about you what they did not know", "20", ("disclosures",)),
        ("personal data", "any information relating to an identified or identifiable living person", "20"),
        ("model card", "one page that says what a model is for, how well it works for whom, and what it gives away",
         "20", ("model cards",)),
    )
)  # fmt: skip

_BY_SPELLING = {form.lower(): term for term in TERMS for form in term.spellings}


def define(word: str) -> Term:
    """Return what a word of the course means, and where it is defined; small and capital letters are the same to it.

    It raises ValueError for a word that is not in the glossary.

    >>> define("non-members")
    stranger: a record it was not trained on (notebook 00).
    """
    found = _BY_SPELLING.get(str(word).strip().lower())
    if found is None:
        raise ValueError(f"word is {word!r}; it should be one of {', '.join(term.name for term in TERMS)}")
    return found
