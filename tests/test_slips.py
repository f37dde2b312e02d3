"""Slips of every learner: what the exercises' framework says of them, whichever exercise it is."""

from __future__ import annotations

import inspect
import json
import re
import signal
import sys

import numpy as np
import pytest

from mialab.exercises import chapters
from mialab.exercises import first_attack as ex
from mialab.exercises._engine import _progress
from mialab.exercises._engine._bench import Bench
from mialab.exercises._engine._calls import call, observe, show
from mialab.exercises._engine._function import FunctionExercise
from mialab.exercises._engine._kinds import Prediction, Written
from mialab.exercises._engine._plain import observed_from_json, observed_to_json
from mialab.exercises._engine._scripted import Parrot
from mialab.exercises._engine._slips import family
from mialab.exercises.handout import Question

pytestmark = pytest.mark.usefixtures("no_workbook")

SHARES = (1 / 3, 0.25, 0.7142857, 0.5, 2 / 7, 0.1234567)
COMMON = {"section": "Somewhere", "question": "What will it be?"}
CLOCKS = [getattr(signal, name) for name in ("SIGALRM", "SIGPROF") if hasattr(signal, name)]
WRITTEN = {"points": 1, "minutes": 1, "section": "Somewhere", "hints": [""] * 3}


def found(answer, right=lambda x: x, cases=SHARES):
    """What a bench with these cases, and no known mistakes, makes of an answer."""
    expected = [right(case) for case in cases]
    bench = Bench("f", ["x"], [(c,) for c in cases], expected, lambda: [], tolerance=1e-6, seconds=4.0)
    return bench.finding(observe(answer, bench.cases, bench.seconds))


def words(panel) -> str:
    return " ".join(repr(panel).split())


# --- one number reads as a number -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("returned", "reads"),
    [(3.88349515, "3.8835"), (np.float64(0.25), "0.25"), (False, "False"), (np.nan, "nan"), (7, "7")],
)
def test_one_number_is_shown_as_a_plain_number(returned, reads):
    assert show(np.asarray(returned)) == reads
    assert f"returned `{reads}`; it should be `" in " ".join(found(lambda x: returned).text)


def test_digits_enough_are_shown_to_tell_two_numbers_apart():
    text = " ".join(found(lambda x: x + 0.02, cases=(12345.67,)).text)
    assert "returned `12345.69`; it should be `12345.67`" in text


# --- errors of NumPy ------------------------------------------------------------------------------------------------


def _one_distance_for_all(x):
    distance = np.linalg.norm(np.ones((3, 2)))
    distance[0] = np.inf


SLIPS = [  # apart from what they should be told: the message repeats the line
    lambda x: np.ones((3, 2)) - np.ones(3),
    lambda x: np.ones(3) - np.ones(4),
    lambda x: np.ones(3).__setitem__(slice(None), np.ones(2)),
    lambda x: np.ones(3)[np.ones(6, bool)],
    lambda x: np.ones((3, 2)) @ np.ones(3),
    lambda x: np.dot(np.ones((3, 2)), np.ones(3)),
    lambda x: 1 if np.ones(3) > 0 else 0,
    lambda x: confident,  # noqa: F821 - the slip itself
    lambda x: confidence,  # noqa: F821 - a function of another notebook
    lambda x: np.linalg.norm(np.ones((3, 2))).argsort()[1],
    _one_distance_for_all,
    lambda x: np.linalg.norm(np.ones((3, 2)))[0],
    lambda x: Parrot([[x]], [0]).fit([[x]], [0]),
]
TOLD = [
    r"unequal shapes.*Rows and columns\?.*`keepdims=True`.*`\[:, None\]`",
    "unequal length.*same records",
    "unequal length.*same records",
    "mask.*one True or False for each row",
    "meet in `@` must be equal",
    "meet in `dot` must be equal",
    "want one value and got an array",
    "in the function's first line",
    "function of another notebook is not here: write out what it does",
    "is `axis=1` missing",
    "is `axis=1` missing",
    "is `axis=1` missing",
    "trained already",
]


@pytest.mark.parametrize(("slip", "told"), list(zip(SLIPS, TOLD, strict=True)), ids=[told[:14] for told in TOLD])
def test_errors_of_numpy_are_put_into_words_beside_them(slip, told):
    finding = found(slip)
    assert finding.diagnosis == "raised"
    assert re.search(r"stopped with `(Value|Index|Name|Type|Attribute)Error: ", finding.text[0])
    assert re.search(told, finding.text[0])


def test_other_errors_get_no_advice():
    def slip(x):
        return [][0]

    error = "IndexError: list index out of range"
    assert found(slip).text[0] == f"`f(x=0.333333)` stopped with `{error}` at the line `return [][0]`."


# --- rounded, or in per cent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [1, 2, 3, 4])
def test_a_rounded_answer_is_named(digits):
    assert found(lambda x: round(x, digits)).diagnosis == "rounded"
    assert found(lambda x: np.round([x, 1 - x], digits), right=lambda x: np.array([x, 1 - x])).diagnosis == "rounded"


def test_a_five_at_the_end_may_be_rounded_either_way():
    cases = (0.125, 0.375, 0.625, 0.875)
    assert found(lambda x: np.ceil(100 * x) / 100, cases=cases).diagnosis == "rounded"
    assert found(lambda x: np.floor(100 * x) / 100, cases=cases).diagnosis == "rounded"


@pytest.mark.parametrize(
    ("answer", "cases"),
    [
        (lambda x: 0.5, (0.48, 0.5, 0.52, 0.47, 0.53, 0.46)),  # agrees with each, and knows nothing of them
        (lambda x: 0.5, (0.5001, 0.1, 0.9)),
        (lambda x: 0.3 if x < 0.5 else 0.5, SHARES),  # the first case agrees, not all of them
        (lambda x: 0.3 if x < 0.5 else 0.7, (1 / 3, 0.7142857)),  # coarse, and by luck near on both
        (lambda x: 0.3 if x == SHARES[0] else 1 / 0, SHARES),
        (lambda x: round(x, 2) if x < 0.5 else x, SHARES),
    ],
)
def test_an_unrounded_wrong_answer_is_not_called_rounded(answer, cases):
    assert found(answer, cases=cases).diagnosis in ("other", "raised", "always_the_same")


def test_a_hundredfold_answer_is_told_that_a_share_is_asked():
    finding = found(lambda x: 100 * x)
    assert finding.diagnosis == "in_percent"
    assert finding.text[0] == "Your answer is in per cent; a share from 0 to 1 is asked. Write 80% as 0.8."
    assert found(lambda x: round(100 * x, 1)).diagnosis == "in_percent"
    gap = found(lambda x: 100 * (x - 0.5), right=lambda x: x - 0.5)
    assert gap.diagnosis == "in_percent" and "a number from -1 to 1" in gap.text[0]


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (lambda x: 100 * x if x < 0.5 else x, lambda x: x),  # not in every case
        (lambda x: 1000 * x, lambda x: 10 * x),  # not a share
        (lambda x: 100 * int(10 * x), lambda x: int(10 * x)),  # a count
        (lambda x: 100 * np.ones(2), lambda x: x),
    ],
)
def test_other_answers_are_not_called_per_cent(answer, right):
    assert found(answer, right=right).diagnosis in ("other", "wrong_shape", "times_one_number")


# --- three dots left in place ---------------------------------------------------------------------------------------


def test_three_dots_that_are_returned_are_not_attempted():
    def dots(confidence, threshold):
        return ...

    def more_before_them(confidence, threshold):
        print(confidence >= threshold)
        return ...

    for answer in (dots, more_before_them):
        assert ex.guess_members.check(answer).outcome == "not attempted"
    assert _progress.load()[0]["exercises"] == {}


def test_a_grader_sees_them_the_same_way():
    bench = ex.guess_members.bench(np.random.default_rng(0))
    seen = observe(lambda confidence, threshold: ..., bench.cases, 4.0)
    through = observed_from_json(json.loads(json.dumps(observed_to_json(seen))), len(bench.cases))
    assert bench.finding(through).outcome == "not attempted"


def test_three_dots_on_one_way_through_are_named():
    finding = found(lambda x: x if x < 0.5 else ...)
    assert finding.diagnosis == "returned_nothing"
    assert "still returns the three dots" in finding.text[0]


# --- guesses --------------------------------------------------------------------------------------------------------


def test_stock_hints_of_a_guess_fit_its_kind():
    number, word = Prediction("a", between=(0, 100), **COMMON), Prediction("b", options=["up", "down"], **COMMON)
    assert number.hints[::2] == word.hints[::2]
    assert "the least" in number.hints[1] and "between" in number.hints[1]
    assert "options" in word.hints[1] and "between" not in word.hints[1]
    assert not any("gives everything away" in hint for hint in (*number.hints, *word.hints))


def test_a_guess_may_have_hints_of_its_own():
    stock = Prediction("a", between=(0, 1), **COMMON).hints
    assert Prediction("a", between=(0, 1), hints="About it.", **COMMON).hints == (stock[0], "About it.", stock[2])
    assert Prediction("a", between=(0, 1), hints=["1", "2", "3"], **COMMON).hints == ("1", "2", "3")


@pytest.mark.parametrize(
    "typed",
    ["the target’s own", "  The  Target's OWN ", "“the target's own”", "the targetʼs own", '"the target‘s own"'],
)
def test_an_option_is_known_however_it_is_typed(typed):
    guess = Prediction("type", options=["the target's own", "L2", "look-up"], **COMMON)
    assert guess.check(typed).outcome == "correct"
    assert guess.replay().startswith("You guessed the target's own.")
    assert guess.check("look\N{NON-BREAKING HYPHEN}up").outcome == "correct"


def test_an_option_is_played_back_as_it_is_written():
    guess = Prediction("type", options=["L2", "top-1"], **COMMON)
    guess.check("l2")
    assert "You guessed L2." in guess.replay()
    assert guess.check("L2 or top-1").diagnosis == "not_an_option"


# --- time is up -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="no alarms here")
def test_two_clocks_that_ring_at_once_leave_nothing_behind():
    """The second ring comes when the first has ended the answer: it must not end what comes after."""

    def both_ring(confidence, threshold):
        signal.pthread_sigmask(signal.SIG_BLOCK, CLOCKS)
        for clock in CLOCKS:
            signal.raise_signal(clock)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, CLOCKS)

    before = sys.gettrace(), [signal.getsignal(clock) for clock in CLOCKS]
    assert call(both_ring, (np.array([0.5]), 0.5), 4.0).error.kind == "TooSlow"
    assert (sys.gettrace(), [signal.getsignal(clock) for clock in CLOCKS]) == before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == signal.getitimer(signal.ITIMER_PROF)[0] == 0


# --- calls that are off ---------------------------------------------------------------------------------------------


def question(kind="choice"):
    plain = {"kind": kind, "points": 1, "minutes": 1, "options": ["a", "b"], "hints": ["one", "two"]}
    return Question("q", plain, True)


def test_a_hint_takes_no_number_and_says_so():
    for exercise, name in ((ex.guess_members, "guess_members"), (question(), "q")):
        assert f"`hint` takes no number: run `ex.{name}.hint()`, and again for the next" in words(exercise.hint(2))
        assert exercise.hint().title.startswith("Hint 1 of")  # none was used up


def test_a_check_takes_one_answer_and_says_so():
    for exercise, name in ((ex.always_member, "always_member"), (question(), "q")):
        verdict = exercise.check("a", "c")
        assert (verdict.outcome, verdict.diagnosis) == ("not yet", "more_than_one")
        assert f"`check` takes one answer: `ex.{name}.check({name})`" in words(verdict)
    assert _progress.load()[0]["exercises"] == {}  # a slip in the call is no attempt


def test_one_is_one():
    written = Written("memo", rubric=["says why"], example="", others=[], **WRITTEN)
    assert "1 word is too few to argue with" in words(written.check("yes"))
    assert "2 words are too few to argue with" in words(written.check("oh yes"))
    assert repr(question()) == "q: 1 point, about 1 minute."


def test_a_rubric_shorter_than_an_answer_is_still_called_the_rubric():
    points = ["names what was measured and how often", "says what it does not prove about one flower"]
    written = Written("memo", rubric=points, example="", others=[], **WRITTEN)
    assert len(" ".join(points).split()) < written.words
    assert written.check("\n".join(points)).diagnosis == "the_rubric"
    assert written.check(points[0]).diagnosis == "too_short"


TASK = next(e for chapter in chapters() for e in chapter.exercises.values() if e.name == "tell_a_colleague")
LOREM = (
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore "
    "magna aliqua. Ut enim ad minim veniam, quis nostrud exercitation ullamco laboris nisi."
)
FILLERS = [
    "asdf " * 30,
    "asdf qwer zxcv hjkl uiop qwertz asdfgh jklö yxcv bnm dfgh sdfg rtzu fghj vbnm cvbn xcvb wert ertz tzui uiop poiu "
    "lkjh mnbv nbvc",
    "I don't know. " * 10,
    "I don't know what to write here. " * 5,
    LOREM,
    "leak " * 40,
    "bla bla blah " * 12,
    "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    " ".join(map(str, range(60))),
    "... " * 40,
    "sdkfj wlkrt xcvn bdfg qwrt plkj mnbv zxcv tyhg fghj klmn wrtp sdfg hjkl xcvb nmlk ptrw qsdf ghjk lmnb vcxz bvcn "
    "sdlk jfgh qpwr",
    "yes no maybe " * 10,
    "TODO " * 26,
    TASK.rubric[0] + ". " + TASK.rubric[1] + ". " + TASK.rubric[2] + ". I don't know.",
    'A colleague says: "95% on the test set, so it has not memorised anyone. We can publish it." Answer in two or '
    "three sentences, at least 25 words. A person grades this, a point for each line.",
    "Exercise: tell a colleague. Answer in two or three sentences, at least 25 words. A person grades this, a point "
    "for each line. Alone? Write first, then compare.",
]
SERIOUS = [
    "Test accuracy only counts right labels. The look-up model and logistic regression were equally accurate, but the "
    "gap was 0.13 for one of them. Measure the confidence gap over 100 splits.",
    "no. accuracy is about NEW flowers, a leak is about how sure it is on OLD ones. in the notebook knn had gap .13 "
    "at same accuracy. we need to look at confidences, many splits!!",
    "I am not sure it is safe. 95% says nothing about members: members got 1.00 and strangers 0.87, so anyone can "
    "tell them apart. Let us compare both groups over fifty splits first.",
    "95 % auf Testdaten heißt nur, dass neue Blüten richtig benannt werden. Ob Mitglieder anders beantwortet werden, "
    "sieht man daran nicht. Im Notebook war der Abstand 0,13. Wir sollten ihn über viele Aufteilungen messen.",
    "La précision compte les bonnes étiquettes, pas la confiance. Dans le cahier, deux modèles aussi précis avaient "
    "des écarts de 0,13 et 0,01. Il faut mesurer cet écart sur de nombreux tirages avant de publier.",
    "La exactitud cuenta aciertos y no dice cuán seguro está el modelo. En el cuaderno dos modelos iguales tenían "
    "brechas de 0,13 y 0,02. Antes de publicarlo mediría la brecha en muchas particiones.",
    "测试准确率只说明新样本的标签是否正确，并不说明模型对训练样本是否更有把握。"
    "笔记本里两个模型准确率相同，置信度差距却是零点一三和零。应该在许多划分上测量差距。",
    "テストの正解率は新しい花のラベルが正しいかだけを数えます。ノートでは差が0.13のモデルもありました。"
    "公開する前に、何度も分けて自信の差を測るべきです。",
    "Přesnost na testu počítá jen správné názvy. Strč prst skrz krk: zda si model pamatuje členy, z toho nepoznáš. "
    "V sešitu byl rozdíl 0,13 při stejné přesnosti. Změřme ho na sto rozděleních.",
    "Точность на тесте считает верные метки. Утечка видна в том, насколько уверенно модель отвечает членам и чужим. "
    "В тетради разрыв был 0,13 при той же точности. Измерим его на многих разбиениях.",
    "It says that test accuracy counts right labels; a leak shows in members and strangers being answered "
    "differently. For example kNN: gap 0.13, tree: 0.00, both 0.95 accurate. So I'd measure the gap, 100 splits.",
    "- accuracy: right or wrong, new data only\n- example: lookup 0.95 and still 1.00 on each member, 0.87 on others"
    "\n- better: mean confidence gap, repeated on many random splits, with its interval",
    "Not yet! A high score on new people and a good memory for old people can go together, as with our 1-NN (gap "
    "0.13). Check how sure it is on both, on many splits.",
    "We cannot conclude that. The model may label everyone correctly and still be surer of people it has seen. That "
    "was the case for the look-up model: 0.13. We should measure it, many times.",
    "Doğruluk yalnızca doğru etiketleri sayar. Model eğitimde gördüğü çiçeklerden daha emin olabilir: defterde fark "
    "0,13 idi, doğruluk aynıydı. Yayınlamadan önce bu farkı birçok bölmede ölçmeliyiz, tek birinde değil.",
]


@pytest.mark.parametrize("text", FILLERS, ids=range(len(FILLERS)))
def test_filler_and_the_prompt_itself_are_not_handed_in(text):
    assert TASK.judge(text).outcome == "not yet"
    assert TASK.judge(text).diagnosis in ("same_words", "no_sentences", "the_rubric")


@pytest.mark.parametrize("text", SERIOUS, ids=range(len(SERIOUS)))
def test_serious_short_answers_are_handed_in_whatever_their_language(text):
    assert TASK.judge(text).outcome == "correct", TASK.judge(text).diagnosis


# --- slips that are found by their shape ------------------------------------------------------------------------------

SHAPES = [
    ("accuracy", "def f(p, q):\n    for x, y in zip(p, q):\n        return float(x == y)", "first_only"),
    ("accuracy", "def f(p, q):\n    for x, y in zip(p, q):\n        n = 0\n        n += x == y\n    return n / len(p)",
     "last_only"),
    ("accuracy", "def f(p, q):\n    return (p == q).sum() / 150", "fixed_size"),
    ("accuracy", "def f(p, q):\n    return round((p == q).mean(), 2)", "rounded"),
    ("baseline_accuracy", "def f(y, z):\n    return (z == y[0]).mean()", "first_of_y_in"),
    ("baseline_accuracy", "def f(y, z):\n    return (z == np.bincount(y).argmax()).sum()", "sum"),
    ("nearest_flower", "def f(X, i):\n    d = np.linalg.norm(X - X[i], axis=1)\n    d[i] = np.inf\n"
     "    return d.argmin() + 1", "one_more"),
    ("confidence", "def f(p):\n    return p.min(axis=1)", "smallest_for_largest"),
    ("confidence", "def f(p):\n    return p[:, 0]", "first_column"),
    ("guess_members", "def f(c, t):\n    return c >= 0.5", "threshold_is_0.5"),
    ("guess_members", "def f(c, t):\n    return (c >= t).astype(int)", "not_true_or_false"),
    ("auc_by_pairs", "def f(m, s):\n    return np.mean([(x > y) + (x == y) / 2 for x, y in zip(m, s)])",
     "side_by_side"),
    ("auc_by_pairs", "def f(m, s):\n    for x in m:\n        return ((x > s) + (x == s) / 2).mean()",
     "first_of_members"),
    ("precision_when_rare", "def f(t, f, b):\n    return t * (1 - b) / (t * (1 - b) + f * b)", "one_minus_base_rate"),
    ("precision_when_rare", "def f(t, f, b):\n    return t * b / (f * (1 - b))", "odds"),
    ("is_member", "def f(r, t):\n    for x in t:\n        found = x == r\n    return found", "last_only"),
    ("is_member", "def f(r, t):\n    for x in t:\n        return x == r", "first_only"),
    ("membership_mask", "def f(r, n):\n    m = np.zeros(n, bool)\n    m[r - 1] = True\n    return m",
     "member_rows_off_by_one"),
    ("recorded_confidence", "def f(p, y):\n    return [row[k - 1] for row, k in zip(p, y)]", "labels_off_by_one"),
    ("accuracy_gap", "def f(m, a, b, c, d):\n    return 0.25", "always_the_same"),
    ("confidence", "def f(p):\n    return p[:, :-1].max(axis=1)", "all_but_the_last_column"),
    ("confidence_gap", "def f(m, a, b):\n    a, b = m.predict_proba(a), m.predict_proba(b)\n"
     "    return a.max(axis=0).mean() - b.max(axis=0).mean()", "other_axis"),
    ("confidence_gap", "def f(m, a, b):\n    a, b = m.predict_proba(a), m.predict_proba(b)\n"
     "    return np.mean([max(x) - max(y) for x, y in zip(a, b)])", "cut_to_the_shorter"),
    ("softmax", "def f(s):\n    return np.exp(s - s.max(axis=1, keepdims=True))", "rows_scaled"),
    ("guess_members", "def f(c, t):\n    return c >= 0.9", "threshold_is_0.9"),
    ("guess_members", "def f(c, t):\n    return c.round(2) >= t", "confidence_rounded"),
    ("auc_by_pairs", "def f(m, s):\n    return sum((x > y) + (x == y) / 2 for x, y in zip(m, s)) / len(m)",
     "side_by_side"),
    ("auc_by_pairs", "def f(m, s):\n    return sum((x > y) + (x == y) / 2 for x in m for y in s) / len(m) ** 2",
     "length_of_members_for_strangers"),
    ("auc_by_pairs", "def f(m, s):\n    return np.mean([(x >= y) + (x == y) / 2 for x in m for y in s])",
     "ties_of_members"),
    ("auc_by_pairs", "def f(m, s):\n    return ((m > s.mean()) + (m == s.mean()) / 2).mean()",
     "mean_of_strangers"),
    ("score_candidates", "def f(m, p, y):\n    one = m[y[0]]\n"
     "    return one.predict_proba(p)[:, list(one.classes_).index(True)]", "first_y_for_all"),
    ("auc_of_right", "def f(a, b):\n    return (a.mean() - b.mean()) / 2", "by_one_number"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        (lambda x: 0.5, lambda x: round(x)),  # two right answers: a rule may well give one of them always
        (lambda x: x > 9, lambda x: x > 0.3),  # False always
        (lambda x: x + 0.1 if x < 0.5 else x + 0.2, lambda x: x),
        (lambda x: 2.1 * x if x < 0.5 else 2.2 * x, lambda x: x),
        (lambda x: np.array([[x, 2 * x], [x, 1.9 * x]]), lambda x: np.array([[1, 2], [1, 2]]) / 3),
    ],
)
def test_what_no_pattern_fits_gets_no_name(answer, right):
    assert found(answer, right=right).diagnosis == "other"


def test_an_answer_that_is_off_by_one_and_the_same_number_is_told_the_number():
    assert "0.25 less than the right one in every case" in found(lambda x: x - 0.25).text[0]
    assert "3 times the right one in every case" in found(lambda x: [x * 3], right=lambda x: [x]).text[0]
    assert found(lambda x: [x * 3, 3 - 3 * x], right=lambda x: [x, 1 - x]).diagnosis == "times_one_number"


def diagnoses(name, code, seeds):
    """What the exercise of this name says to the code's `f`, on the cases of each seed."""
    known = (e for chapter in chapters() for e in (chapter.exercises | chapter.retired).values())
    exercise = next(e for e in known if e.name == name)
    space = {"np": np}
    exec(code, space)
    names = ", ".join(inspect.signature(exercise.function).parameters)
    answer = eval(f"lambda {names}: f({names})", {"f": space["f"]})
    return {exercise.judge(answer, random_state=seed).diagnosis for seed in seeds}


@pytest.mark.parametrize(("name", "code", "diagnosis"), SHAPES, ids=[f"{s[0]}-{s[2]}" for s in SHAPES])
def test_a_slip_is_known_by_its_shape_in_an_exercise_that_never_heard_of_it(name, code, diagnosis):
    assert diagnoses(name, code, range(5)) == {diagnosis}


LEAST = "from mialab.metrics import at_least as a\ndef f(h, r, n, d):\n    return max(0, np.log({}))"
BARE = [
    ("least_epsilon", LEAST.format("(h / n - d) / (r / n)"), "as_counted"),
    ("least_epsilon", LEAST.format("(a(h, n, 0.025) - d) / (r / n)"), "alarms_as_counted"),
    ("least_epsilon", LEAST.format("(a(h, n, 0.025) - d) / a(r, n, 0.025)"), "alarms_too_low"),
    ("least_epsilon", LEAST.replace("max(0, np.log({}))", "np.log((a(h, n, 0.025) - d) / (1 - a(n - r, n, 0.025)))"),
     "not_cut_off"),
    ("clip_rows", "def f(g, c):\n    return g * c / np.linalg.norm(g, axis=1, keepdims=True)", "all_to_the_clip"),
    ("caught_with", "def f(s, m, k):\n    return (s[m] >= np.sort(s[~m])[::-1][k]).sum()", "splits_ties"),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("name", "code", "diagnosis"), BARE, ids=[b[2] for b in BARE])
def test_a_known_mistake_is_known_also_by_who_divides_by_zero_or_runs_over_the_end(name, code, diagnosis):
    assert diagnoses(name, code, [0]) == {diagnosis}


def test_an_answer_that_is_right_but_for_the_edges_is_told_of_the_edges_alone():
    code = "def f(s, m, k):\n    return (s[m] > np.sort(s[~m])[::-1][k]).sum()"
    assert diagnoses("caught_with", code, [0]) == {"raised"}


def test_a_slip_that_cannot_be_made_is_left_out_and_none_is_right():
    for chapter in chapters():
        for exercise in chapter.exercises.values():
            if isinstance(exercise, FunctionExercise):
                bench = exercise.bench(np.random.default_rng(0))
                made = list(family(exercise.function, bench.parameters, bench.cases, bench.expected))
                assert all(len(calls) == len(bench.cases) for *_, calls in made), exercise.name
    assert [name for name, _, _ in family(lambda x: x["a"], ["x"], [({"a": "b"},)], ["b"])] == []
