"""Every exercise of the course against its whole matrix of answers, and against answers that misbehave."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import time
from decimal import Decimal
from fractions import Fraction

import nbformat
import numpy as np
import pandas as pd
import pytest
from refresh_notebooks import execute

from mialab.exercises import chapters, progress_table, the_flowers
from mialab.exercises._engine import _apart, _calls
from mialab.exercises._engine._calls import parameters
from mialab.exercises._engine._function import FunctionExercise
from mialab.exercises._engine._panel import Panel

pytestmark = pytest.mark.usefixtures("no_workbook")

EXERCISES = [e for chapter in chapters() for e in chapter.exercises.values()]
FUNCTIONS = [e for e in EXERCISES if isinstance(e, FunctionExercise)]
NAMED = {e.name: e for e in EXERCISES}

each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
each_function = pytest.mark.parametrize("exercise", FUNCTIONS, ids=lambda e: e.id)
some_functions = pytest.mark.parametrize("exercise", FUNCTIONS[::4], ids=lambda e: e.id)  # one judge looks at all


@pytest.fixture
def here(monkeypatch):
    """Answers are called in this process, as where the system cannot fork: that is quicker."""
    monkeypatch.setattr(_calls, "apart", lambda work, seconds: None)


@each
def test_every_exercise_is_complete(exercise):
    assert len(exercise.also_right) >= 2
    assert len(exercise.wrong) >= 4
    assert len(exercise.hints) == 3
    assert len(set(exercise.hints)) == 3
    assert exercise.points >= 1
    assert exercise.minutes >= 1
    assert exercise.section
    assert all(len(w.diagnosis.split()) >= 4 for w in exercise.wrong.values())


@pytest.mark.long
@each
def test_right_answers_are_accepted(exercise):
    """With other seeds too: see tests/test_mutants.py."""
    for name, answer in {"worked": exercise.right_answer, **exercise.also_right}.items():
        assert exercise.check(answer, random_state=0).outcome == "correct", name


@each
def test_the_worked_answer_as_code_is_accepted(exercise):
    """What `.solution()` shows, pasted into an empty notebook cell, passes: it needs nothing but NumPy and the
    course."""
    names: dict = {}
    exec(
        "import numpy as np\nfrom mialab.metrics import choose_threshold, balanced_accuracy, accuracy_at\n"
        + exercise.right_code,
        names,
    )
    assert exercise.check(names[exercise.name]).outcome == "correct"


@pytest.mark.long
@each
def test_known_wrong_answers_get_their_own_diagnosis(exercise, here):
    for name, wrong in exercise.wrong.items():
        verdict = exercise.check(wrong.answer, random_state=0)
        assert (verdict.outcome, verdict.diagnosis) == ("not yet", name)
        assert any(wrong.diagnosis[:60] in paragraph for paragraph in verdict.body), name


@each
def test_the_untouched_stub_is_not_attempted(exercise):
    names: dict = {}
    exec(exercise.stub, names)  # every stub parses and runs
    assert exercise.check(names[exercise.name]).outcome == "not attempted"
    assert exercise.check().outcome == "not attempted"
    assert exercise.check(None).outcome == "not attempted"


@each_function
def test_no_stub_holds_its_solution(exercise):
    stub, solution = ast.parse(exercise.stub).body[0], ast.parse(exercise.right_code).body[0]
    assert stub.args.args and [a.arg for a in stub.args.args] == [a.arg for a in solution.args.args]
    assert ast.get_docstring(stub) == ast.get_docstring(solution)
    body = stub.body[1:]
    assert len(body) == 1
    assert ast.unparse(body[0]) == "..."


def test_ids_are_unique_names():
    ids = [e.id for e in EXERCISES]
    assert len(set(ids)) == len(ids) >= 20
    assert len({e.kind for e in EXERCISES}) == 6


# --- answers that misbehave: every function exercise tells what happened --------------------------------------------


def _arity(exercise, body):
    """A function with the exercise's own arguments."""
    names = ", ".join(parameters(exercise.function))
    space: dict = {"np": np, "time": time}
    exec(f"def {exercise.name}({names}):\n    {body}", space)
    return space[exercise.name]


def _verdict(exercise, body):
    verdict = exercise.check(_arity(exercise, body), random_state=0)
    assert verdict.outcome == "not yet"
    assert "Traceback" not in repr(verdict) and "Traceback" not in verdict._repr_html_()
    return verdict


@each_function
def test_answers_that_raise_are_told_the_error_and_the_call(exercise):
    verdict = _verdict(exercise, "raise RuntimeError('my own mistake')")
    assert verdict.diagnosis == "raised"
    text = " ".join(repr(verdict).split())
    assert "RuntimeError: my own mistake" in text
    assert f"{exercise.name}(" in text


@pytest.mark.long
@pytest.mark.parametrize(
    "loop",
    [
        "\n    while True: pass",
        "time.sleep(60)",
        "\n    while True:\n        try: time.sleep(60)\n        except Exception: pass",
        "\n    while True:\n        try: time.sleep(0.01); int('x')\n        except: pass",
    ],
    ids=["spins", "sleeps", "catches", "bare except"],
)
def test_answers_that_hang_are_stopped_here_too(loop, monkeypatch, here):
    """By one watch for all exercises: it is tried on one."""
    monkeypatch.setattr(FUNCTIONS[0], "seconds", 0.2)
    assert _verdict(FUNCTIONS[0], loop).diagnosis == "too_slow"
    assert sys.gettrace() is None or "coverage" in repr(sys.gettrace())


def _forked(body, monkeypatch, seconds=0.3, right=False):
    """The verdict on an answer that is called in a process of its own."""
    if sys.platform != "linux":
        pytest.skip("no process of its own here")
    monkeypatch.setattr(FUNCTIONS[0], "seconds", seconds)
    answer = FUNCTIONS[0].right_code.split("return ")[-1]
    return FUNCTIONS[0].check(_arity(FUNCTIONS[0], f"\n    {body}\n    return {answer if right else None}"))


@pytest.mark.parametrize(
    "body",
    [
        "\n    while True:\n        try: 1 / 0\n        except: pass",
        "\n    try: time.sleep(1e6)\n    finally: time.sleep(1e6)",
        "sum(range(10**12))",
        "10 ** 10**9",
        "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65)); time.sleep(1e6)",
        "import threading; t = threading.Thread(target=time.sleep, args=(1e6,)); t.start(); t.join()",
        "import os; os.fork() or time.sleep(1e6); time.sleep(1e6)",
        "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
    ],
)
def test_nothing_that_an_endless_answer_does_keeps_it(body, monkeypatch):
    verdict = _forked(body, monkeypatch)
    assert verdict.diagnosis == "too_slow" and "had not answered after 0.3 seconds" in repr(verdict).replace("\n ", "")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("import os; os._exit(0)", "all of Python ended"),
        ("import os; os.kill(os.getpid(), 9)", "all of Python ended"),
        ("import os; os.kill(os.getpid(), 14)", "all of Python ended"),
        ("import os; os.closerange(3, 1000)", "all of Python ended"),
        ("import os; os.fork() or time.sleep(1e6); os._exit(0)", "all of Python ended"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("f = lambda: f(); f()", "RecursionError"),
        ("input('?')", "cannot ask with input()"),
    ],
)
def test_an_answer_that_ends_python_or_asks_stops_no_notebook(body, says, monkeypatch):
    verdict = _forked(body, monkeypatch, 20.0)
    assert verdict.diagnosis == "raised" and says in " ".join(repr(verdict).split())


def test_an_answer_that_forks_or_leaves_work_behind_is_judged_once(monkeypatch, capfd):
    assert _forked("import os; os.fork()", monkeypatch, 20.0, right=True).outcome == "correct"
    assert _forked("import os; os.fork() or time.sleep(1e6)", monkeypatch, 20.0, right=True).outcome == "correct"
    print("once")
    assert capfd.readouterr().out.count("once") == 1


def test_what_an_answer_says_reaches_the_learner_from_its_process(monkeypatch, capsys):
    import IPython.utils.capture  # noqa: F401 - a notebook has it

    verdict = _forked("import sys; print('to me'); print('trouble', file=sys.stderr)", monkeypatch, 20.0, right=True)
    assert "to me" in repr(verdict) and "trouble" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="no process of its own here")
def test_in_a_notebook_it_is_all_one_that_an_answer_runs_in_a_process_of_its_own(tmp_path):
    """What it displays is shown, what never ends is ended, and the kernel with its threads and sockets goes on."""
    head = "def guess_members(confidence, threshold):\n    "
    cells = [
        "import numpy as np, sys\nfrom sklearn.neighbors import KNeighborsClassifier\n"
        "from mialab.exercises import first_attack as ex\nex.guess_members.seconds = 20\n"
        "X = np.arange(30_000.0)[:, None]\nmodel = KNeighborsClassifier(1).fit(X, X[:, 0] > 9)\nlen(model.predict(X))",
        f"{head}display({{'shown': len(confidence)}})\n    print('said', file=sys.stderr)\n"
        "    model.predict(X)  # with as many threads as there are processors\n    return confidence >= threshold\n"
        "ex.guess_members.check(guess_members)",
        f"ex.guess_members.seconds = 0.5\n{head}while True:\n        try: 1 / 0\n        except: pass\n"
        "ex.guess_members.check(guess_members)",
        f"{head}import os; os._exit(0)\nex.guess_members.check(guess_members)",
        "print(len(X))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    execute(notebook, tmp_path, timeout=240)
    shown = [str(cell.outputs) for cell in notebook.cells]
    assert "{'shown': 3}" in shown[1] and "said" in shown[1] and "Correct." in shown[1]
    assert "had not answered" in shown[2] and "all of Python ended" in shown[3] and "30000" in shown[4]


def test_an_interrupt_in_an_answer_is_the_learners(monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        _forked("raise KeyboardInterrupt", monkeypatch, 20.0)


def test_a_busy_machine_stops_no_right_answer_and_has_its_bound(monkeypatch):
    """A process that waits for a processor is neither at work nor asleep: so it is shown here, whatever it does."""
    monkeypatch.setattr(_apart, "_doing", lambda process: ("R", 0.0))
    n_cases = len(list(FUNCTIONS[0].cases(np.random.default_rng(0))))
    assert _forked(f"time.sleep(0.6 / {n_cases})", monkeypatch, right=True).outcome == "correct"
    assert _forked("time.sleep(1e6)", monkeypatch, right=True).diagnosis == "too_slow"


def test_a_slow_import_in_an_answer_does_not_count(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "slow_to_import").mkdir()
    for name in ("__init__", "part"):
        (tmp_path / "slow_to_import" / f"{name}.py").write_text("import time\ntime.sleep(0.4)\n")
    assert _forked("from slow_to_import import part", monkeypatch, right=True).outcome == "correct"
    assert "slow_to_import.part" in sys.modules  # for the next check, too
    assert _forked("import no_such_module", monkeypatch, 20.0).diagnosis == "raised"


def test_where_no_process_can_be_made_the_answer_is_called_here(monkeypatch):
    monkeypatch.setattr("os.fork", lambda: (_ for _ in ()).throw(BlockingIOError()), raising=False)
    here = []
    answer = lambda *args: here.append(1) or FUNCTIONS[0].function(*args)  # noqa: E731
    answer.__signature__ = inspect.signature(FUNCTIONS[0].function)
    assert FUNCTIONS[0].check(answer).outcome == "correct" and here


@pytest.mark.long
@some_functions
def test_answers_of_the_wrong_kind_are_told_so(exercise, here):
    for body, diagnosis in {
        "print('done')": "returned_nothing",
        "return object()": "wrong_type",
        "return {'a': 1}": "wrong_type",
        "return 'member'": "wrong_type",
        "return lambda: 1": "wrong_type",
        "yield 1": "raised",
        "import sys; sys.exit()": "raised",
        "return np.zeros((7, 7, 2))": "wrong_shape",
        "return []": "wrong_shape",
    }.items():
        assert _verdict(exercise, body).diagnosis == diagnosis, body


@each_function
def test_nan_is_named(exercise):
    verdict = exercise.check(lambda *args: np.full(np.shape(exercise.oracle(*args)), np.nan), random_state=0)
    assert (verdict.outcome, verdict.diagnosis) == ("not yet", "not_a_number")


@each_function
def test_a_right_answer_that_changes_its_input_is_told_so(exercise):
    first = next(iter(exercise.cases(np.random.default_rng(0))))
    place = next((i for i, value in enumerate(first) if isinstance(value, np.ndarray | list)), None)
    if place is None:
        pytest.skip("no argument that could be changed")

    def spoils(*args):
        answer = exercise.function(*args)
        spoilt = args[place]
        if isinstance(spoilt, list):
            spoilt.append("me")
        elif spoilt.dtype.kind == "U":
            spoilt[:1] = "me"
        else:
            spoilt[:1] = ~spoilt[:1] if spoilt.dtype == bool else spoilt[:1] + 1
        return answer

    verdict = exercise.check(spoils, random_state=0)
    assert (verdict.outcome, verdict.diagnosis) == ("not yet", "changed_input")


@each_function
def test_calls_of_check_that_are_off_are_explained(exercise):
    assert exercise.check(lambda: 1).diagnosis == "wrong_arguments"
    assert exercise.check(3).diagnosis == "not_a_function"
    assert exercise.check(int).diagnosis == "not_a_function"
    assert exercise.check("def f(): pass").diagnosis == "not_a_function"


@pytest.mark.long
@each
def test_no_answer_makes_a_check_raise(exercise, here):
    for junk in ([], {}, set(), b"x", np.zeros(3), np.nan, object(), print, 1 + 2j, "", "ä" * 5000, -1):
        verdict = exercise.check(junk, random_state=0)
        assert verdict.outcome in {"not yet", "not attempted", "correct"}
        assert isinstance(verdict._repr_html_(), str)
        if verdict.outcome == "correct":  # only a guess can be accepted by accident
            assert exercise.kind == "predict, then run", junk


# --- hints, solutions, prints -----------------------------------------------------------------------------------------


@each
def test_hints_climb_a_ladder_of_three(exercise):
    hints = [exercise.hint() for _ in range(4)]
    assert all(isinstance(h, Panel) for h in hints)
    assert [h.body[0] for h in hints] == [*exercise.hints, exercise.hints[2]]
    assert ".solution()" in hints[2].body[1]
    assert ".solution()" not in hints[0].body[1]


def test_each_hint_of_a_cell_is_shown_and_the_solution_beside_them(capsys):
    for show in (FUNCTIONS[0].hint, FUNCTIONS[0].hint, FUNCTIONS[0].solution):
        show()
    shown = re.findall(r"Hint \d|A worked answer", capsys.readouterr().out)
    assert shown == ["Hint 1", "Hint 2", "A worked answer"]


@each
def test_solutions_show_the_answer_and_say_why(exercise):
    text = repr(exercise.solution())
    if isinstance(exercise, FunctionExercise):
        assert "return" in text
    assert len(text.split()) > 15


def test_prints_of_an_answer_are_shown_once_and_kept_short(capsys):
    exercise = FUNCTIONS[0]
    chatty = _arity(exercise, f"\n    print('x' * 50_000)\n    return {exercise.right_code.split('return ')[-1]}")
    verdict = exercise.judge(chatty)
    assert verdict.outcome == "correct"
    assert "xxx" in repr(verdict)
    assert len(repr(verdict)) < 6_000
    assert capsys.readouterr().out == ""


def test_a_check_leaves_the_notebook_as_it_was():
    """Alarms, warnings and NumPy's error settings are put back, also after a hang."""
    import signal
    import warnings

    before = signal.getsignal(signal.SIGALRM), list(warnings.filters), np.geterr()
    exercise = FUNCTIONS[0]
    exercise.check(_arity(exercise, "raise KeyError(1)"))
    assert (signal.getsignal(signal.SIGALRM), list(warnings.filters), np.geterr()) == before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_outside_the_main_thread_a_hang_is_stopped_too(monkeypatch):
    """There, and on Windows, no alarm can be set: a second thread is used."""
    import threading

    exercise, box = FUNCTIONS[0], {}
    monkeypatch.setattr(exercise, "seconds", 0.2)
    endless = _arity(exercise, "\n    while True: pass")
    fine = exercise.right_answer

    def run():
        box["hang"] = exercise.check(endless)
        monkeypatch.setattr(exercise, "seconds", 4.0)
        box["right"] = exercise.check(fine)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert box["hang"].diagnosis == "too_slow"
    assert box["right"].outcome == "correct"


def test_the_table_of_progress_counts_points_once_and_leaves_written_answers_to_a_person(here):
    for exercise in EXERCISES:
        exercise.check(exercise.right_answer)
        exercise.check(exercise.right_answer)
    table = progress_table().set_index("exercise")
    written = [e.name for e in EXERCISES if e.done == "handed in"]
    assert (table.loc[written, "points"] == 0).all()
    assert (table.drop(written)["points"] == table.drop(written)["of"]).all()
    assert (table["attempts"] == 2).all()


# --- what hostile and unlucky answers taught us -----------------------------------------------------------------------


class _Odd:
    """An object that fails whatever it is asked."""

    def __init__(self, error=RuntimeError):
        self.error = error

    def _fail(self, *args, **kwargs):
        raise self.error("odd")

    __array__ = __len__ = __repr__ = __eq__ = __bool__ = __float__ = _fail
    __hash__ = None


class _NoWords(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.long
@some_functions
def test_odd_answers_never_make_a_check_raise(exercise):
    def closes(*args):
        sys.stdout.close()

    def raises(error):
        def answer(*args):
            raise error

        return answer

    odd = {
        "odd object": lambda *args: _Odd(),
        "memory": lambda *args: _Odd(MemoryError),
        "endless range": lambda *args: range(10**11),
        "masked": lambda *args: np.ma.masked_array([1.0], [True]),
        "closes stdout": closes,
        "no words": raises(_NoWords()),
        "own base": raises(type("Own", (BaseException,), {})()),
        "generator exit": raises(GeneratorExit()),
        "long words": raises(ValueError("x" * 10**6)),
    }
    for name, answer in odd.items():
        answer.__signature__ = inspect.signature(exercise.function)
        verdict = exercise.check(answer, random_state=0)
        assert verdict.outcome == "not yet", name
        assert len(repr(verdict)) < 3_000, name


def test_whatever_an_answer_is_the_notebook_goes_on():
    assert FUNCTIONS[0].check(_Odd()).outcome == "not yet"


@pytest.mark.parametrize("kind", [list, tuple, np.asarray, pd.Series, lambda v: np.asarray(v).astype(object)])
def test_answers_in_other_containers_are_accepted(kind):
    exercise = NAMED["guess_members"]
    assert exercise.check(lambda confidence, threshold: kind(confidence >= threshold)).outcome == "correct"


@pytest.mark.parametrize("kind", [float, np.float32, Fraction, Decimal, np.asarray, lambda v: np.float64(v)])
def test_numbers_of_other_types_are_accepted(kind):
    exercise = NAMED["accuracy"]
    assert exercise.check(lambda predicted, actual: kind(float((predicted == actual).mean()))).outcome == "correct"


def test_arguments_in_another_order_are_named():
    exercise = NAMED["guess_members"]
    assert exercise.check(lambda threshold, confidence: confidence >= threshold).diagnosis == "order_of_arguments"


def test_a_path_without_return_is_told_apart_from_printing():
    exercise = NAMED["is_member"]

    def one_way(record, training_set):
        for other in training_set:
            if other == record:
                return True

    def prints(record, training_set):
        print(record in training_set)

    assert "reaches its end without a `return`" in " ".join(repr(exercise.check(one_way)).split())
    assert "Printing is not returning" in " ".join(repr(exercise.check(prints)).split())


def test_a_model_that_an_answer_changes_is_noticed():
    exercise = NAMED["confidence_gap"]

    def spoils(model, X_in, X_out):
        gap = exercise.function(model, X_in, X_out)
        model.answers[:] = 0
        return gap

    assert exercise.check(spoils).diagnosis == "changed_input"


def test_the_rubric_is_not_an_answer_however_it_is_copied():
    written = next(e for e in EXERCISES if e.kind == "write a few sentences")
    for mark in ("- ", "* ", "• ", "1. ", ""):
        assert written.check("\n".join(mark + point for point in written.rubric)).diagnosis == "the_rubric"


def test_an_honest_loop_that_begins_far_away_is_right():
    """Flowers are measured in cm: 1,000 of them are out of reach."""

    def nearest_flower(X, i):
        best, best_distance = None, 1000
        for j in range(len(X)):
            distance = sum((X[i][k] - X[j][k]) ** 2 for k in range(4)) ** 0.5
            if j != i and distance < best_distance:
                best, best_distance = j, distance
        return best

    assert the_flowers.nearest_flower.judge(nearest_flower).outcome == "correct"


@pytest.mark.parametrize("dial", [e for e in EXERCISES if e.kind == "turn the makers' dial"], ids=lambda e: e.id)
def test_a_dial_says_what_comes_of_a_setting_and_takes_no_comma_for_a_point(dial):
    said = repr(dial.judge(dial.right[0])).replace("\n ", "")
    for found in np.ravel(dial.measure(dial.right[0])):  # one measure, or two
        assert f"{found:.3f}" in said or f"{found:.4f}" in said
    assert "not yet what is asked for" in repr(dial.judge(dial.stays[0])).replace("\n ", "")
    assert "a comma divides two numbers" in repr(dial.judge((10, 0))).replace("\n ", "")
