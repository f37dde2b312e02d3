"""The stranger's view: a meter and a remote model are models like any other, and a service stops when it should."""

import asyncio
import copy
import json
import pickle
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mialab.attacks import ThresholdAttack
from mialab.blackbox import BudgetExhausted, QueryMeter, RemoteModel, serve
from mialab.data import load_iris, split
from mialab.targets import make

IRIS = load_iris()
PARTS = split(IRIS.X, IRIS.y, n_members=75, random_state=0)


@pytest.fixture(scope="module")
def model():
    return make("knn-lookup").fit(PARTS.X_in, PARTS.y_in)


@pytest.fixture(scope="module")
def url(model):
    with serve(model, "iris", max_batch=40) as url:
        yield url


# One thing to an attack


@pytest.mark.long
@pytest.mark.parametrize("signal", ["confidence", "true_class", "loss", "correct"])
def test_an_attack_cannot_tell_them_apart(model, url, signal):
    def scores(target):
        return ThresholdAttack(signal).fit(target).score_samples(PARTS.X, PARTS.y)

    local = scores(model)
    remotes = [RemoteModel(url), RemoteModel(url, wire="sagemaker", batch_size=7)]
    for target in (QueryMeter(model), *remotes):
        assert (scores(target) == local).all()
        assert target.n_queries == len(PARTS.X)


@pytest.mark.long
@pytest.mark.parametrize("names", [["setosa", "x", "ü"], [3, 5, 9], [-1.0, 0.0, 2.0], [False, True]], ids=str)
def test_classes_come_back_as_what_they_were(names):
    y = np.array(names)[IRIS.y % len(names)]
    model = LogisticRegression(max_iter=200).fit(IRIS.X, y)
    with serve(model) as url:
        for box in (RemoteModel(url), QueryMeter(model)):
            assert box.classes_.tolist() == model.classes_.tolist()
            assert box.classes_.dtype.kind == model.classes_.dtype.kind
            assert (box.predict(IRIS.X) == model.predict(IRIS.X)).all()
            assert box.n_features_in_ == 4 and not hasattr(box, "coef_")


def test_a_pipeline_that_picks_columns_by_name_is_served_under_those_names(recwarn):
    frame = pd.DataFrame(IRIS.X, columns=["a", "b", "c", "d"])
    columns = make_column_transformer((StandardScaler(), ["c", "d"]))
    model = make_pipeline(columns, LogisticRegression()).fit(frame, IRIS.y)
    with serve(model) as url:
        remote = RemoteModel(url)
        assert list(remote.feature_names_in_) == list("abcd")
        assert (remote.predict_proba(frame) == model.predict_proba(frame)).all()
        assert (remote.predict_proba(IRIS.X) == model.predict_proba(frame)).all()
        assert (remote.predict_proba(frame[list("dcba")]) == model.predict_proba(frame)).all()
        with pytest.raises(ValueError, match=r"X has no column 'd', which the model was trained on"):
            remote.predict_proba(frame[list("abc")])
    assert [str(warning.message) for warning in recwarn.list] == []


@pytest.mark.parametrize("wire", ["vertex", "sagemaker"])
def test_texts_and_missing_values_travel_by_the_names_of_their_columns(wire):
    frame = pd.DataFrame({"age": [61.0, np.nan, 40.0, 55.0] * 5, "sex": ["f", "m", "m", "f"] * 5, "ill": [True] * 20})
    columns = make_column_transformer((OneHotEncoder(), ["sex"]), remainder="passthrough")
    model = make_pipeline(columns, HistGradientBoostingClassifier(min_samples_leaf=2)).fit(frame, [0, 1] * 10)
    with serve(model, max_batch=7) as url, RemoteModel(url, wire=wire) as remote:
        assert (remote.predict_proba(frame[["ill", "sex", "age"]]) == model.predict_proba(frame)).all()
        with httpx.Client(base_url=url) as client:
            for instances, message in (
                ([{"age": 1, "sex": "f"}], 'instances[0]: "ill" is missing; the columns are age, sex, ill'),
                ([{"age": 1, "sex": "f", "ill": True, "x": 1}], '"x" is not known'),
                ([{"age": [1], "sex": "f", "ill": True}], "is a list; it should be one value"),
                ([{"age": 1e300, "sex": "f", "ill": True}], "it should be finite"),
                ([{"age": 1, "sex": "f", "ill": True}, [1, 2, 3]], "it should be an object, as the first record is"),
                ([{"age": 1, "sex": "f", "ill": True}] * 8, "a request may hold at most 7"),
            ):
                answer = client.post("/v1/models/model:predict", json={"instances": instances})
                assert answer.status_code == 400 and message in answer.json()["error"]["message"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"output": "rounded"}, [[0.62, 0.38], [0.5, 0.5]]),
        ({"output": "rounded", "digits": 1}, [[0.6, 0.4], [0.5, 0.5]]),
        ({"output": "rounded", "digits": 0}, [[1, 0], [0, 0]]),
        ({"output": "top-1"}, [[0.625, 0], [0.5, 0]]),
        ({"output": "label"}, [[1, 0], [1, 0]]),
    ],
)
def test_the_service_lets_out_no_more_than_it_is_told_to(settings, expected):
    class Two(BaseEstimator):
        classes_ = np.array(["no", "yes"])

        def predict_proba(self, X):
            return np.where(X[:, :1] > 0, [0.625, 0.375], [0.5, 0.5])

    with serve(Two(), **settings) as url:
        remote = RemoteModel(url)
        assert (remote.predict_proba([[1.0], [-1.0]]) == expected).all()
        assert not hasattr(remote, "n_features_in_")


# Counting


@pytest.mark.parametrize("remote", [False, True])
def test_a_record_is_a_query_and_a_call_beyond_the_budget_is_refused_whole(model, remote):
    with serve(model, "iris", keys={"a": 10}, max_batch=3) as url:
        box = RemoteModel(url, key="a") if remote else QueryMeter(model, 10, "iris")
        assert (box.n_queries, box.queries_left) == (0, 10)
        box.predict_proba(IRIS.X[:7])
        with pytest.raises(
            BudgetExhausted, match="8 records and 3 queries are left: none was asked; ask about at"
        ) as e:
            box.predict_proba(IRIS.X[:8])
        assert (e.value.left, e.value.renews_in, e.value.answers) == (3, None, None)
        with pytest.raises(ValueError, match="X has 3"):
            box.predict_proba(IRIS.X[:1, :3])
        assert (box.n_queries, box.queries_left) == (7, 3)
        assert repr(box).startswith("7 queries asked of iris") and repr(box).endswith(", 3 left")
        box.predict(IRIS.X[:3])
        assert (box.n_queries, box.queries_left) == (10, 0)


def test_no_budget_is_no_limit(model, url):
    for box in (QueryMeter(model), RemoteModel(url)):
        box.predict_proba(IRIS.X[:1])
        assert box.queries_left is None and repr(box).startswith("1 query asked of ")


def test_a_meter_shows_a_stranger_nothing_else():
    tree = DecisionTreeClassifier().fit(IRIS.X, IRIS.y)
    meter = QueryMeter(tree, 5)
    for name in ("tree_", "decision_path", "predict_log_proba", "score", "_nothing", "feature_names_in_"):
        with pytest.raises(AttributeError, match=name):
            getattr(meter, name)


def test_a_meter_counts_every_thread_and_never_beyond_its_budget(model):
    meter = QueryMeter(model, 100)

    def ask(_):
        try:
            return len(meter.predict_proba(IRIS.X[:3]))
        except BudgetExhausted:
            return 0

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(ask, range(60))) == meter.n_queries == 99


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda box: pickle.loads(pickle.dumps(box))])
def test_copies_and_pickles_go_on(model, url, copied):
    for box in (QueryMeter(model, 9), RemoteModel(url)):
        box.predict_proba(IRIS.X[:2])
        again = copied(box)
        assert (again.predict_proba(IRIS.X[:2]) == model.predict_proba(IRIS.X[:2])).all()
        assert (again.n_queries, box.n_queries) == (4, 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("model", None), "model .str. has no classes_"),
        ((DecisionTreeClassifier,), "is the class DecisionTreeClassifier"),
        ((make("tree").fit(IRIS.X, IRIS.y), -1), "budget is -1; it should be a whole number of 0 or more"),
        ((make("tree").fit(IRIS.X, IRIS.y), True), "budget is True"),
    ],
)
def test_bad_meters(arguments, words):
    with pytest.raises(ValueError, match=words):
        QueryMeter(*arguments)


# Budgets over the network


def test_answers_that_were_paid_for_are_not_lost_when_somebody_else_spends_the_rest(model):
    with serve(model, keys={"a": 10}, max_batch=4) as url:
        remote, other = RemoteModel(url, key="a"), RemoteModel(url, key="a")
        other.predict_proba(IRIS.X[:5])
        with pytest.raises(BudgetExhausted, match="1 queries are left") as spent:
            remote.predict_proba(IRIS.X[:9])
        assert (spent.value.answers == model.predict_proba(IRIS.X[:4])).all()
        assert spent.value.left == remote.queries_left == 1


@pytest.mark.long
def test_a_budget_that_renews_is_waited_for_with_patience(model):
    with serve(model, budget=5, period=1.0) as url:
        patient, hasty = RemoteModel(url, patience=2), RemoteModel(url, patience=0)
        assert (patient.predict_proba(IRIS.X[:12]) == model.predict_proba(IRIS.X[:12])).all()
        with pytest.raises(BudgetExhausted) as spent:
            hasty.predict_proba(IRIS.X[:12])
        assert 0 < spent.value.renews_in <= 1
        while patient.queries_left != 5:  # asks the service
            pass


# Trouble on the way


class Scripted(BaseHTTPRequestHandler):
    """A service whose answers to predictions follow `script`: a status, with headers, or None to hang up."""

    protocol_version = "HTTP/1.1"
    about: ClassVar[dict] = {
        "name": "m",
        "classes": [0, 1],
        "n_features": None,
        "feature_names": None,
        "max_batch": 10,
        "budget": None,
    }
    about |= {"max_bytes": 10_000, "period": None, "queries_left": None, "renews_in": None}
    script: ClassVar[list] = []

    def do_GET(self):
        self.answer(200, self.about.get("step", {"models": [self.about]}))

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        step = self.script.pop(0) if self.script else 200
        if step is None:
            self.close_connection = True
        elif step == 200:
            self.answer(200, {"predictions": [[0.25, 0.75]]})
        else:
            self.answer(step[0], {"error": step[1]}, **step[2])

    def answer(self, status, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words):
        pass


@contextmanager
def scripted(*script, **about):
    handler = type("Handler", (Scripted,), {"script": list(script), "about": {**Scripted.about, **about}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_busy_services_and_lost_connections_are_asked_again():
    script = [(503, "busy", {}), None, (429, "slow down", {"Retry_After": "0"}), (503, "busy", {"Retry_After": "0"})]
    with scripted(*script) as url:
        remote = RemoteModel(url, backoff=0.001)
        assert remote.predict_proba([[1.0]]).tolist() == [[0.25, 0.75]]
        assert remote.n_queries == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("step", "error", "words"),
    [
        ((503, "busy", {}), ConnectionError, "refused 3 times: busy"),
        (None, ConnectionError, "does not answer .*; is the service running"),
        ((429, "all spent", {}), BudgetExhausted, "all spent"),
        ((429, "wait", {"Retry_After": "3600"}), BudgetExhausted, "wait"),
        ((400, "that is no flower", {}), ValueError, "that is no flower"),
        ((403, "go away", {}), PermissionError, "go away"),
        ((404, "no such model", {}), ValueError, "no such model"),
        ((502, "the model failed", {}), RuntimeError, "the model failed"),
        ((500, {"message": "in Google's shape"}, {}), RuntimeError, "in Google's shape"),
        ((418, None, {}), ValueError, "status 418"),
    ],
)
def test_what_the_caller_is_told(step, error, words):
    with scripted(step, step, step) as url, pytest.raises(error, match=words) as raised:
        RemoteModel(url, retries=2, backoff=0.001).predict_proba([[1.0]])
    if error is BudgetExhausted:
        assert raised.value.renews_in == (3600 if step[2] else None)


def test_answers_of_another_shape_are_refused():
    with scripted() as url, pytest.raises(ValueError, match=r"shape \(1, 2\); they should be \(2, 2\)"):
        RemoteModel(url).predict_proba([[1.0], [2.0]])
    with scripted(classes=[0, 1, 2]) as url, pytest.raises(ValueError, match=r"they should be \(1, 3\)"):
        RemoteModel(url).predict_proba([[1.0]])


def test_a_service_that_is_silent_or_no_service():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=r"did not answer within 0\.05 s"):
            RemoteModel(url, timeout=0.05)
    with pytest.raises(ConnectionError, match=rf"{url} does not answer .*is the service running"):
        RemoteModel(url, backoff=0.001)
    for body in (b"<html>", [], {"models": 5}, {"models": [{}]}):
        with scripted(step=body) as url, pytest.raises(ValueError, match="answers, but not as a prediction service"):
            RemoteModel(url)


def test_keys_and_names(model):
    with serve(model, "iris", keys=["sesame"]) as url:
        for key, words in ((None, "needs a key"), ("b", "not known")):
            with pytest.raises(PermissionError, match=words):
                RemoteModel(url, key=key)
        with pytest.raises(ValueError, match=r"name is 'rose'; .* serves 'iris'"):
            RemoteModel(url, "rose", key="sesame")
        assert RemoteModel(url + "/", "iris", key="sesame").name == "iris"
        assert "sesame" not in repr(RemoteModel(url, key="sesame"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"url": 8000}, "url is 8000; it should be the address"),
        ({"url": "127.0.0.1:8000"}, "such as http://127.0.0.1:8000"),
        ({"url": "http://[::1"}, "no address"),
        ({"key": "k\nX-Evil: 1"}, "key holds a key that is no text of visible ASCII"),
        ({"key": "ключ"}, "visible ASCII"),
        ({"wire": "grpc"}, "wire is 'grpc'; it should be one of 'vertex', 'sagemaker'"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"timeout": -1}, "timeout is -1"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"retries": 1.5}, "retries is 1.5"),
        ({"backoff": "1"}, "backoff is '1'"),
        ({"patience": float("inf")}, "patience is inf"),
    ],
)
def test_bad_remotes(arguments, words):
    with pytest.raises(ValueError, match=words) as raised:
        RemoteModel(**{"url": "http://127.0.0.1:9", **arguments})
    assert "Evil" not in str(raised.value)


# Starting and stopping


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ping", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("mialab-service")}


@pytest.mark.long
def test_the_service_stops_with_the_block_whatever_happened_in_it(model):
    def work(seen, trouble):
        with serve(model) as url, httpx.Client(base_url=url) as idle:
            assert idle.get("/ping").status_code == 200  # and the connection is kept open
            seen.append(url)
            raise trouble

    before = threads()
    for trouble in (KeyError, KeyboardInterrupt, SystemExit, GeneratorExit):
        seen = []
        with pytest.raises(trouble):
            work(seen, trouble)
        assert not answers(*seen) and threads() == before


@pytest.mark.long
def test_it_stops_while_the_model_thinks():
    class Slow:
        classes_ = np.array([0, 1])
        asked, done = threading.Event(), threading.Event()

        def predict_proba(self, X):
            self.asked.set()
            self.done.wait(60)
            return np.full((len(X), 2), 0.5)

    slow = Slow()
    with ThreadPoolExecutor(1) as pool:
        with serve(slow) as url:
            answer = pool.submit(RemoteModel(url, retries=0).predict_proba, [[1.0]])
            assert slow.asked.wait(10)
        assert not answers(url) and not slow.done.is_set()
        slow.done.set()
        with pytest.raises((ConnectionError, RuntimeError)):
            answer.result()


def test_it_works_where_an_event_loop_runs_already_as_in_a_notebook(model):
    async def cell():
        with serve(model) as url:
            return RemoteModel(url).predict_proba(IRIS.X[:2])

    assert (asyncio.run(cell()) == model.predict_proba(IRIS.X[:2])).all()


@pytest.mark.long
@pytest.mark.parametrize("end", ["sys.exit(3)", "os.kill(os.getpid(), 9)", "raise KeyboardInterrupt"])
def test_it_does_not_outlive_its_process(end):
    code = "import os, sys; from mialab.blackbox import serve; from mialab.targets import make; import numpy as np\n"
    code += "m = make('tree').fit(np.eye(4), [0, 1, 0, 1]); box = serve(m); print(box.__enter__(), flush=True); " + end
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode and not answers(done.stdout.strip())


def test_services_side_by_side_have_ports_of_their_own(model):
    with serve(model, "a") as one, serve(model, "b") as two:
        assert RemoteModel(one).name == "a" and RemoteModel(two).name == "b"
        port = int(one.rpartition(":")[2])
        with pytest.raises(OSError, match=rf"cannot listen on 127.0.0.1 port {port} .*; try another port"):
            serve(model, port=port).__enter__()
    with serve(model, port=port) as again:
        assert again == one


def test_it_says_so_where_others_may_ask(model):
    with pytest.warns(UserWarning, match="listens on 0.0.0.0, so others on the network may ask it"):
        with serve(model, host="0.0.0.0") as url:
            assert url.startswith("http://127.0.0.1:") and answers(url)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": object()}, "model .object. has no classes_"),
        ({"name": "a/b"}, "name is 'a/b'; it should be letters"),
        ({"name": ""}, "name is ''"),
        ({"name": "é"}, "name is 'é'"),
        ({"name": "x" * 64}, "at most 63"),
        ({"keys": "alice"}, "keys is one text"),
        ({"keys": []}, "keys is empty"),
        ({"keys": ["a b"]}, "keys holds a key that is no text of visible ASCII"),
        ({"keys": [5]}, "keys holds a key"),
        ({"keys": {"a": -1}}, "budget is -1"),
        ({"budget": 1.5}, "budget is 1.5"),
        ({"period": 0}, "period is 0; it should be a finite number above 0"),
        ({"max_batch": 0}, "max_batch is 0"),
        ({"max_bytes": None}, "max_bytes is None"),
        ({"output": "logits"}, "output is 'logits'; it should be one of 'probabilities', 'rounded', 'top-1', 'label'"),
        ({"digits": 2}, "digits is 2, which only output='rounded' reads"),
        ({"digits": -1, "output": "rounded"}, "digits is -1"),
        ({"host": ""}, "host is ''"),
        ({"port": 70000}, "port is 70000"),
    ],
)
def test_bad_services_are_refused_before_anything_starts(model, arguments, words):
    before = threads()
    with pytest.raises(ValueError, match=words):
        serve(**{"model": model, **arguments})
    assert threads() == before
