"""The verdict of a check hangs on the answer alone: small changes to a reference are refused, whatever the seed.

They are refused by the cases that no seed changes, and again with three seeds; so in every chapter.
"""

from __future__ import annotations

import ast
import copy
import functools
import pickle
from collections.abc import Iterator

import numpy as np
import pytest

from mialab.exercises import chapters
from mialab.exercises._engine import _bench, _yours
from mialab.exercises._engine._calls import Observed, call, parameters, same
from mialab.exercises._engine._function import FunctionExercise

FUNCTIONS = {e.name: e for c in chapters() for e in c.exercises.values() if isinstance(e, FunctionExercise)}
SEEDS = 12
PATIENT = 60.0  # seconds: a first call may import a library
each = pytest.mark.parametrize("exercise", FUNCTIONS.values(), ids=lambda e: e.id)

# --- changes to a reference ------------------------------------------------------------------------------------------

NEIGHBOURS = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq, ast.GtE, ast.LtE), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,), ast.Div: (ast.FloorDiv, ast.Mult), ast.Mult: (ast.Div, ast.Add),
}  # fmt: skip
DIGITS = (0, 1, 3)
NAMES = {"max": "min", "argmax": "argmin", "min": "max", "argmin": "argmax"}


def mutants(exercise) -> Iterator[tuple[str, str]]:
    """What is changed, and the code of the reference with that change: one change at a time."""
    tree = ast.parse(exercise.right_code)
    for number, node in enumerate(ast.walk(tree)):
        for said, change in _changes_of(node, _partners(exercise)):
            changed = copy.deepcopy(tree)
            change(list(ast.walk(changed))[number])
            yield f"`{ast.unparse(node).split(chr(10))[0]}` {said}", ast.unparse(changed)
    yield from _changed_around(exercise, tree)


def _changes_of(node: ast.AST, partners: dict[str, list[str]]) -> Iterator:
    """Each change that can be made to one node: what it is called, and a function that makes it."""
    match node:
        case ast.Compare(ops=[op]):
            for other in NEIGHBOURS.get(type(op), ()):
                yield f"with {other.__name__}", lambda n, o=other: n.ops.__setitem__(0, o())
        case ast.BinOp(op=op):
            for other in NEIGHBOURS.get(type(op), ()):
                yield f"with {other.__name__}", lambda n, o=other: setattr(n, "op", o())
            if isinstance(op, ast.Sub | ast.Div):
                yield "turned round", lambda n: n.__dict__.update(left=n.right, right=n.left)
        case ast.Constant(value=bool(value)):
            yield "negated", lambda n, v=value: setattr(n, "value", not v)
        case ast.Constant(value=int(value) | float(value)):  # an axis, too
            for step in (1, -1):
                yield f"{step:+}", lambda n, v=value + step: setattr(n, "value", v)
        case ast.Attribute(attr=name) | ast.Name(id=name) if name in NAMES:
            field = "attr" if isinstance(node, ast.Attribute) else "id"
            yield f"as {NAMES[name]}", lambda n, f=field, v=NAMES[name]: setattr(n, f, v)
        case ast.Name(id=name, ctx=ast.Load()):
            for other in partners.get(name, []):
                yield f"replaced by {other}", lambda n, o=other: setattr(n, "id", o)
        case ast.Call(args=[_, _, *_]):
            for i in range(len(node.args) - 1):
                yield f"arguments {i} and {i + 1} swapped", lambda n, i=i: n.args.insert(i, n.args.pop(i + 1))
        case ast.FunctionDef():
            for i in range(1, len(node.body) - 1):
                yield f"without line {i}", lambda n, i=i: n.body.pop(i)


def _first_case(exercise) -> dict:
    case = next(iter(exercise.cases(np.random.default_rng(0))))
    return dict(zip(parameters(exercise.function), case, strict=True))


def _partners(exercise) -> dict[str, list[str]]:
    """For each argument the others that could stand in its place."""
    first = _first_case(exercise)
    return {a: [b for b in first if b != a and np.ndim(first[b]) == np.ndim(first[a])] for a in first}


def _changed_around(exercise, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """An argument cut off by one, rounded or left unread, all of them cut off, and the answer rounded."""
    first = _first_case(exercise)
    arrays = [name for name, value in first.items() if np.ndim(value)]
    numbers = [name for name, value in first.items() if not np.ndim(value) and isinstance(value, int | float)]
    cases = [dict(zip(first, args, strict=True)) for args, _ in draws(exercise)[1]]
    rounded = [n for n in arrays + numbers if np.asarray(first[n]).dtype.kind in "if" and _fractions(cases, n)]
    before = {f"`{n}` cut to [{cut}]": f"{n} = {n}[{cut}]" for n in arrays for cut in ("1:", ":-1")}
    before |= {f"all cut to [{cut}]": "; ".join(f"{n} = {n}[{cut}]" for n in arrays) for cut in ("1:", ":-1") if arrays}
    before |= {f"`{n}` to {d} digits": f"{n} = np.round({n}, {d})" for n in rounded for d in DIGITS}
    before |= {f"`{n}` always {v}": f"{n} = {v}" for n in numbers
               for v in ((0.5, 1.0) if isinstance(first[n], float) else (0, 3))}  # fmt: skip
    for said, line in before.items():
        changed = copy.deepcopy(tree)
        changed.body[0].body[1:1] = ast.parse(line).body
        yield said, ast.unparse(changed)
    for digits in DIGITS if _fractions([{"answer": answer} for _, answer in draws(exercise)[1]], "answer") else ():
        changed = copy.deepcopy(tree)
        end = changed.body[0].body[-1]
        end.value = ast.parse(f"np.round({ast.unparse(end.value)}, {digits})", mode="eval").body
        yield f"the answer to {digits} digits", ast.unparse(changed)


def _fractions(cases: list[dict], name: str) -> bool:
    """True if rounding changes a value of that name: whole numbers stay what they are, and texts cannot be rounded."""
    values = [np.asarray(case[name]) for case in cases]
    return any(value.dtype.kind == "f" and (value != np.round(value)).any() for value in values)


TWO = "of two numbers, which is named first makes no difference to the larger or the smaller"
EQUAL = {  # exercise -> change -> why it gives the same answers
    "effect": {"`def effect(more, less):` without line 1": "the module has the import, too"},
    "nearest_flower": {"`X - X[i]` turned round": "a distance is the same there and back"},
    "fidelity": {f"`X` to {d} digits": "the models read a whole number, the first of a record" for d in DIGITS},
    "attack_table": {"`1` +1": "NumPy takes any number below zero for the length that it is to find"},
    "score_candidates": {"`y == label` with GtE": "the labels rise, and each writes over what a smaller one wrote"},
    "likelihood_ratio": {f"`own - {one}.mean()` turned round": "it is squared" for one in ("inside", "outside")},
    "least_epsilon": {
        "`def least_epsilon(hits, alarms, n, delta):` without line 1": "the module has the import, too",
        "`max(0.0, np.log((tpr - delta) / fpr))` arguments 0 and 1 swapped": TWO,
        "`tpr > delta` with GtE": "where they are equal the logarithm is below zero, and 0 is the larger",
    },
    "clip_rows": {"`np.maximum(length / clip, 1)` arguments 0 and 1 swapped": TWO},
    "largest_tpr": {
        "`np.minimum(first, second)` arguments 0 and 1 swapped": TWO,
        "`np.clip(np.minimum(first, second), 0, 1)` arguments 0 and 1 swapped": "clip takes the larger of the two",
        "`0` -1": "neither bound is ever below zero",
    },
    "caught_with": {"`max(best, (accused & is_member).sum())` arguments 0 and 1 swapped": TWO},
}


@functools.cache
def draws(exercise) -> list[list[tuple]]:
    """The cases of three seeds with what should come out, and before them those that are the same whatever the seed."""
    drawn = [list(exercise.cases(np.random.default_rng(seed))) for seed in range(3)]
    first = {pickle.dumps(args) for args in drawn[0]}
    fixed = [args for args in drawn[1] if pickle.dumps(args) in first]
    return [[(args, exercise.oracle(*args)) for args in cases] for cases in (fixed, *drawn)]


def refused(exercise, function) -> list[bool]:
    """For each draw whether a case of it refuses the function."""

    def wrong(args, expected):
        made = call(function, args, exercise.seconds)
        return made.error is not None or not same(made.value, expected, exercise.tolerance)

    return [any(wrong(*case) for case in cases) for cases in draws(exercise)]


def tried(exercise) -> dict[str, list[bool]]:
    """For each change to the reference, in which draws it is refused."""
    found: dict[str, list[bool]] = {}
    for said, code in mutants(exercise):
        space = {**exercise.function.__globals__, "np": np}
        exec(compile(code, "<mutant>", "exec"), space)
        while said in found:
            said += " (again)"
        found[said] = refused(exercise, space[exercise.name])
    return found


@pytest.mark.long
def test_small_changes_to_a_reference_are_refused(capsys):
    made = equal = 0
    for exercise in FUNCTIONS.values():
        found = tried(exercise)
        passed = {said for said, seeds in found.items() if not all(seeds)}
        assert passed == set(EQUAL.get(exercise.name, {})), exercise.name
        assert not any(any(found[said]) for said in passed), exercise.name  # no luck
        made, equal = made + len(found), equal + len(passed)
    with capsys.disabled():
        print(f" {made} mutants: {made - equal} refused, {equal} equal to the reference "
              f"({(made - equal) / made:.0%} refused) ", end="")  # fmt: skip


# --- one verdict -----------------------------------------------------------------------------------------------------


def verdicts(exercise, seed, kept) -> dict[str, str]:
    """What a check says to every registered answer, right and wrong; `kept` has what came of the cases seen before."""

    def once(name, function, args):
        key = name, pickle.dumps(args)
        if key not in kept:
            kept[key] = function(*args) if name == "oracle" else call(function, args, PATIENT)
        return kept[key]

    cases = list(exercise.cases(np.random.default_rng(seed)))
    expected = [once("oracle", exercise.oracle, args) for args in cases]
    answers = {"worked": exercise.function, **exercise.also_right} | {n: w.answer for n, w in exercise.wrong.items()}
    seen = {name: [once(name, function, args) for args in cases] for name, function in answers.items()}
    known = [(name, wrong.diagnosis, seen[name]) for name, wrong in exercise.wrong.items()]
    names = parameters(exercise.function)
    how = {"tolerance": exercise.tolerance, "seconds": PATIENT}
    bench = _bench.Bench(exercise.name, names, cases, expected, lambda: known, **how)
    found = {n: bench.finding(Observed("function", parameters=tuple(names), calls=tuple(c))) for n, c in seen.items()}
    return {name: finding.diagnosis or finding.outcome for name, finding in found.items()}


def remembered(compare):
    """`compare`, which looks at the same two values only once: most cases are the same for every seed."""
    known: dict = {}

    def again(a, b, tolerance):
        if (id(a), id(b)) not in known:
            known[id(a), id(b)] = compare(a, b, tolerance), a, b  # kept, for an id is theirs while they live
        return known[id(a), id(b)][0]

    return again


@pytest.mark.long
@each
def test_an_answer_gets_one_verdict_whatever_the_seed(exercise, monkeypatch):
    monkeypatch.setattr(_bench, "same", remembered(same))
    should = {"worked": "correct", **dict.fromkeys(exercise.also_right, "correct")} | {n: n for n in exercise.wrong}
    kept: dict = {}
    for seed in range(SEEDS):
        assert verdicts(exercise, seed, kept) == should, seed


# --- what was once accepted and wrong, or refused and right ----------------------------------------------------------


def softmax_shifted_by(shift):
    def softmax(scores):
        grown = np.exp(scores - shift(scores))
        return grown / grown.sum(axis=1, keepdims=True)

    return softmax


def auc_from_thresholds(cuts):
    def auc_by_pairs(members, strangers):
        tpr, fpr = ([(group >= cut).mean() for cut in cuts] for group in (members, strangers))
        return np.trapezoid([0, *tpr, 1], [0, *fpr, 1])

    return auc_by_pairs


def precision_of_heads(people):
    def precision_when_rare(tpr, fpr, base_rate):
        members = int(people * base_rate)
        return tpr * members / (tpr * members + fpr * (people - members))

    return precision_when_rare


WRONG = [
    ("softmax", softmax_shifted_by(lambda s: s.mean(axis=1, keepdims=True))),
    ("softmax", softmax_shifted_by(lambda s: np.median(s, axis=1, keepdims=True))),
    ("softmax", softmax_shifted_by(lambda s: s.min(axis=1, keepdims=True))),
    *[("softmax", softmax_shifted_by(lambda s, k=k: s[:, [k]])) for k in range(3)],
    ("softmax", lambda scores: FUNCTIONS["softmax"].function(np.clip(scores, -700, 700))),
    ("nearest_flower", lambda X, i: (d := np.linalg.norm(X - X[i], axis=1).tolist()).index(sorted(d)[1])),
    ("auc_by_pairs", lambda members, strangers: FUNCTIONS["auc_by_pairs"].oracle(members.round(1), strangers.round(1))),
    ("auc_by_pairs", auc_from_thresholds(np.linspace(1, 0, 101))),
    ("is_member", lambda record, training_set: any(x in record for x in training_set)),
    ("is_member", lambda record, training_set: record in str(training_set)),
    ("baseline_accuracy", lambda y_in, y_out: max(np.mean(y_out == k) for k in np.unique(y_in))),
    ("baseline_accuracy", lambda y_in, y_out: np.mean([np.mean(y_out == k) for k in np.unique(y_in)])),
    ("baseline_accuracy", lambda y_in, y_out: np.mean(
        y_out == np.argmax([np.mean(y_in == k) for k in np.unique(y_in)]))),
    ("baseline_accuracy", lambda y_in, y_out: np.mean(y_out == max(np.unique(y_out), key=y_in.tolist().count))),
    ("baseline_accuracy", lambda y_in, y_out: np.mean(
        y_out == max(range(3), key=lambda k: round(np.mean(y_in == k), 2)))),
    *[("precision_when_rare", precision_of_heads(people)) for people in (100, 10_000, 1_000_000)],
    ("accuracy", lambda predicted, actual: (np.round(predicted, 1) == np.round(actual, 1)).mean()),
    ("accuracy", lambda predicted, actual: np.isclose(predicted, actual).mean()),
    ("accuracy_gap", lambda model, X_in, y_in, X_out, y_out: (
        (np.round(model.predict(X_in)) == y_in).mean() - (np.round(model.predict(X_out)) == y_out).mean())),
    ("accuracy_gap", lambda model, X_in, y_in, X_out, y_out: (
        round(model.score(X_in, y_in), 3) - round(model.score(X_out, y_out), 3))),
    ("guess_members", lambda confidence, threshold: (confidence > threshold) | np.isclose(confidence, threshold)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer"), WRONG)
def test_wrong_answers_that_were_once_accepted_are_refused(name, answer):
    exercise = FUNCTIONS[name]
    assert all(refused(exercise, answer))


def four_columns_written_out(X, i):
    best, nearest = np.inf, None
    for j in range(len(X)):
        apart = [(X[j, k] - X[i, k]) ** 2 for k in (0, 1, 2, 3)]
        if j != i and sum(apart) < best:
            best, nearest = sum(apart), j
    return nearest


def last_of_the_nearest(X, i):
    distance = np.linalg.norm(X - X[i], axis=1)
    distance[i] = np.inf
    return len(X) - 1 - distance[::-1].argmin()


def nearest_by_a_library(X, i):
    from sklearn.neighbors import NearestNeighbors

    others = np.delete(np.arange(len(X)), i)
    return others[NearestNeighbors(n_neighbors=1).fit(X[others]).kneighbors(X[[i]], return_distance=False).item()]


def the_loosest_of_the_best(own_scores, own_is_member, scores, is_member):
    def judge(s, t, cut):
        return ((s[t] >= cut).mean() + (s[~t] < cut).mean()) / 2

    return judge(scores, is_member, max(sorted(own_scores), key=lambda cut: judge(own_scores, own_is_member, cut)))


RIGHT = [
    ("nearest_flower", four_columns_written_out),
    ("nearest_flower", last_of_the_nearest),
    ("nearest_flower", nearest_by_a_library),
    ("baseline_accuracy", lambda y_in, y_out: np.mean(y_out == max((2, 1, 0), key=y_in.tolist().count))),
    ("honest_accuracy", the_loosest_of_the_best),
    ("auc_by_pairs", lambda members, strangers: auc_from_thresholds(
        np.unique(np.concatenate([members, strangers]))[::-1])(members, strangers)),
    ("confidence", lambda probabilities: np.maximum(probabilities[:, 0], probabilities[:, 1:].max(axis=1))),
    ("guess_members", lambda confidence, threshold: confidence - threshold >= 0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "answer"), RIGHT)
def test_right_answers_that_leave_a_tie_open_or_count_on_four_columns_are_accepted(name, answer):
    exercise = FUNCTIONS[name]
    assert not any(refused(exercise, answer))


# --- data as large as the notebook's ----------------------------------------------------------------------------------


def test_no_early_function_is_without_data_as_large_as_its_notebooks():
    assert all(c.exercises[e.name].real for c in chapters() if c.notebook[:2] <= "06" for e in c.exercises.values()
               if isinstance(e, FunctionExercise))  # fmt: skip


@pytest.mark.parametrize("exercise", [e for e in FUNCTIONS.values() if e.real], ids=lambda e: e.id)
def test_the_real_data_are_as_large_as_the_notebooks_and_a_good_answer_copes(exercise, monkeypatch):
    args = exercise.real()
    assert len(args) == len(parameters(exercise.function))
    sizes = [len(a) for a in args if np.ndim(a)]
    assert not sizes or 75 <= max(sizes) <= 150
    assert same(exercise.function(*args), exercise.oracle(*args), exercise.tolerance)
    for answer in (exercise.function, *exercise.also_right.values()):
        assert _yours._on_real_data(exercise, answer) == ""

    def small_only(*args):
        raise IndexError("too many")

    assert "on data as large as the notebook's" in _yours._on_real_data(exercise, small_only)
    assert f"{exercise.name}(" in _yours._on_real_data(exercise, small_only)
