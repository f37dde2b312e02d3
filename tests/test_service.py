"""The prediction service as strangers meet it: two wire formats, budgets under load, and every kind of bad request."""

import json
import logging
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.config
import botocore.exceptions
import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mialab.blackbox import _wire, serve
from mialab.blackbox._app import Account
from mialab.blackbox._traffic import PromptProtocol
from mialab.data import load_iris
from mialab.targets import make

IRIS = load_iris()
RECORD = [5.1, 3.5, 1.4, 0.2]
PREDICT, INVOKE = "/v1/models/iris:predict", "/endpoints/iris/invocations"
GOOGLE = "/v1/projects/p/locations/l/endpoints/iris:predict?%24alt=json%3Benum-encoding%3Dint"  # as its client asks
HEADERS = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def model():
    return make("logistic").fit(IRIS.X, IRIS.y)


@pytest.fixture(scope="module")
def client(model):
    with serve(model, "iris", max_batch=150, max_bytes=20_000) as url, httpx.Client(base_url=url) as client:
        yield client


def asking(*records) -> bytes:
    return json.dumps({"instances": list(records)}).encode()


def sentence(answer: httpx.Response) -> str:
    error = answer.json()["error"]
    return error if isinstance(error, str) else error["message"]


# Answers


@pytest.mark.parametrize("path", [PREDICT, GOOGLE, "/v1/models/%69ris:predict"])
def test_vertex_answers_with_the_models_own_floats(client, model, path):
    answer = client.post(path, json={"instances": IRIS.X.tolist(), "parameters": {}}).json()
    assert (np.array(answer["predictions"]) == model.predict_proba(IRIS.X)).all()
    assert answer["modelDisplayName"] == "iris" and answer["deployedModelId"] and answer["model"]


@pytest.mark.parametrize(
    "body",
    [asking(RECORD), asking({"features": RECORD}), json.dumps([RECORD]).encode()],
    ids=["instances", "features", "bare"],
)
def test_sagemaker_reads_the_json_that_its_users_send(client, model, body):
    answer = client.post(INVOKE, content=body, headers=HEADERS)
    assert answer.json() == {"predictions": model.predict_proba([RECORD]).tolist()}
    assert answer.headers["x-amzn-invoked-production-variant"] == "AllTraffic"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_in_and_out_loses_no_digit(client, model, end):
    body = end.join(",".join(map(repr, row)) for row in IRIS.X.tolist()) + end
    answer = client.post(
        INVOKE, content=body, headers={"Content-Type": "text/csv; charset=utf-8", "Accept": "text/csv"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    rows = [[float(cell) for cell in line.split(",")] for line in answer.text.splitlines()]
    assert (np.array(rows) == model.predict_proba(IRIS.X)).all()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("text/csv;q=0.5, application/json;q=0.4", "text/csv"),
        ("text/csv;q=0.5, */*;q=0.6", "application/json"),
        ("application/json;q=0, */*", "text/csv"),
        ("image/png", None),
        ("text/csv;q=0", None),
    ],
)
def test_accept_is_honoured(client, accept, kind):
    answer = client.post(INVOKE, content=asking(RECORD), headers={**HEADERS, "Accept": accept})
    if kind:
        assert answer.status_code == 200 and answer.headers["content-type"] == kind
    else:
        assert answer.status_code == 406 and "application/json or text/csv" in sentence(answer)


@given(st.lists(st.lists(st.floats(-_wire.LARGEST, _wire.LARGEST), min_size=3, max_size=3), min_size=1, max_size=5))
def test_every_float_survives_both_formats(rows):
    X, lines = np.array(rows), "\n".join(",".join(map(repr, row)) for row in rows)
    assert (_wire.vertex_records(json.dumps({"instances": rows}).encode(), 3, 5) == X).all()
    assert (_wire.sagemaker_records(lines.encode(), "text/csv", 3, 5) == X).all()
    assert (np.array(json.loads(_wire.predictions_json(X))["predictions"]) == X).all()
    assert (_wire.sagemaker_records(_wire.predictions_csv(X), "text/csv", 3, 5) == X).all()


def test_the_service_says_what_it_serves(client, model):
    (about,) = client.get("/v1/models").json()["models"]
    assert about == client.get("/v1/models/iris").json()
    assert about["classes"] == [0, 1, 2] and about["n_features"] == 4 and about["max_batch"] == 150
    assert about["model_version_status"][0]["state"] == "AVAILABLE"
    assert client.get("/ping").status_code == client.get("/health").status_code == 200


def test_the_documentation_is_whole_and_loads_nothing(client):
    page = client.get("/docs").text
    assert INVOKE.replace("iris", "{model}") in page and "//" not in page.replace("<!DOCTYPE", "")
    assert "422" not in page  # FastAPI's own refusal, which never comes


@pytest.mark.long
@pytest.mark.parametrize("phase", ["coverage", "fuzzing"])
def test_schemathesis_finds_no_fault(model, phase, tmp_path):
    with serve(model, "iris", keys=["k"], max_batch=5) as url:
        words = ["run", f"{url}/openapi.json", "--phases", phase, "--max-examples", "15", "--checks", "all"]
        words += ["--header", "Authorization: Bearer k", "--seed", "1", "--no-color"]
        code = f"import sys; sys.argv[1:] = {words!r}; from schemathesis.cli import schemathesis; schemathesis()"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


# The real AWS SDK


def aws(url: str, key: str = "anyone"):
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id=key,
        aws_secret_access_key="not read",
        config=botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}),
    )


def test_boto3_asks_in_json_and_csv_with_its_access_key(model):
    with serve(model, "iris", keys={"ali/ce=": 3}) as url:
        runtime = aws(url, "ali/ce=")
        asked = {"EndpointName": "iris", "Body": asking(RECORD), "ContentType": "application/json"}
        answer = runtime.invoke_endpoint(**asked, Accept="application/json")
        assert json.load(answer["Body"])["predictions"] == model.predict_proba([RECORD]).tolist()
        assert answer["InvokedProductionVariant"] == "AllTraffic" and answer["ContentType"] == "application/json"
        asked = {"EndpointName": "iris", "Body": "5.1,3.5,1.4,0.2", "ContentType": "text/csv"}
        answer = runtime.invoke_endpoint(**asked, Accept="text/csv")
        assert [float(cell) for cell in answer["Body"].read().split(b",")] == model.predict_proba([RECORD])[0].tolist()


@pytest.mark.long
@pytest.mark.parametrize(
    ("key", "endpoint", "body", "code", "status", "words"),
    [
        ("a", "iris", asking([1, 2, 3]), "ValidationError", 400, "instances[0] has 3 numbers; it should have 4"),
        ("a", "rose", asking(RECORD), "ValidationError", 404, "this service serves 'iris'"),
        ("b", "iris", asking(RECORD), "AccessDeniedException", 403, "key is not known"),
        ("a", "iris", asking(RECORD, RECORD), "ThrottlingException", 429, "the whole budget is 1"),
    ],
)
def test_boto3_reads_our_sentences(model, key, endpoint, body, code, status, words):
    with serve(model, "iris", keys={"a": 1}) as url, pytest.raises(botocore.exceptions.ClientError) as raised:
        aws(url, key).invoke_endpoint(EndpointName=endpoint, Body=body, ContentType="application/json")
    answer = raised.value.response
    assert answer["Error"]["Code"] == code and words in answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


# Bad requests

BAD_JSON = [
    (b"", "not valid JSON"),
    (b"{", "not valid JSON"),
    (b'{"instances": [[1, 2, 3, NaN]]}', "NaN, which is not JSON"),
    (b'{"instances": [[1, 2, 3, -Infinity]]}', "-Infinity, which is not JSON"),
    (b'{"instances": [[1, 2, 3, 1e999]]}', "instances[0][3] is inf; it should be finite"),
    (b'{"instances": [[1, 2, 3, 1e39]]}', "instances[0][3] is 1e+39; it should be finite"),
    (b'{"instances": [[1, 2, 3, 1' + b"0" * 9000 + b"]]}", "instances[0][3] is inf"),
    (b'{"instances": [[1, 2, 3, "4"]]}', 'instances[0][3] is "4"; it should be a number'),
    (b'{"instances": [[1, 2, 3, true]]}', "instances[0][3] is true; it should be a number"),
    (b'{"instances": [[1, 2, 3, null]]}', "instances[0][3] is null; it should be a number"),
    (b'{"instances": [[1, 2, 3, [4]]]}', "instances[0][3] is a list; it should be a number"),
    (b'{"instances": [[1, 2, 3, 4], [1, 2, 3]]}', "instances[1] has 3 numbers; it should have 4"),
    (b'{"instances": [[1, 2, 3, 4, 5]]}', "instances[0] has 5 numbers; it should have 4"),
    (b'{"instances": [[]]}', "instances[0] has 0 numbers"),
    (b'{"instances": [1, 2, 3, 4]}', "put a single record in a list"),
    (b'{"instances": [{"a": 1}]}', "instances[0] is an object"),
    (b'{"instances": []}', "holds no records"),
    (b'{"instances": "all"}', 'instances is "all"; it should be a list'),
    (b'{"instances": {}}', "instances is an object; it should be a list"),
    (b'{"records": []}', '{"instances": [[...'),
    (b'{"instances": [[1, 2, 3, 4]], "instances": [[1, 2, 3, 4]]}', 'names "instances" twice'),
    (b"[" * 9000, "nested too deeply"),
    (b'{"instances": [["\xff"]]}', "not UTF-8"),
    (b"\xff\xfe{\x00}\x00", "not UTF-8"),
    (asking(*[[0] * 4] * 151), "holds 151 records; a request may hold at most 150"),
]


@pytest.mark.parametrize(("body", "words"), BAD_JSON, ids=range(len(BAD_JSON)))
def test_bad_json_is_refused_with_a_sentence(client, body, words):
    for path in (PREDICT, INVOKE):
        answer = client.post(path, content=body, headers=HEADERS)
        assert answer.status_code == 400, answer.text
        assert words in sentence(answer)
        assert "Traceback" not in answer.text and len(answer.text) < 500


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "holds no records"),
        ("1,2,3", "[0] has 3 numbers; it should have 4"),
        ("a,b,c,d\n1,2,3,4", '[0][0] is "a"; it should be a number'),
        ("1,2,3,nan", "[0][3] is nan; it should be finite"),
        ("1,2,,4", '[0][2] is ""; it should be a number'),
        ("1,2,3,4\n\n1,2,3,4", "[1] has 1 numbers"),
        ("1_0,2,3,4", '[0][0] is "1_0"'),
        ("١,2,3,4", "it should be a number"),
        ("1;2;3;4", "has 1 numbers"),
    ],
)
def test_bad_csv_is_refused_with_a_sentence(client, body, words):
    answer = client.post(INVOKE, content=body.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 400 and words in sentence(answer)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "words"),
    [
        ("POST", PREDICT, {}, 415, "there is no Content-Type"),
        ("POST", PREDICT, {"Content-Type": "text/csv"}, 415, "should be application/json"),
        ("POST", INVOKE, {"Content-Type": "application/pickle"}, 415, "application/json or text/csv"),
        ("POST", PREDICT, {"Content-Type": "application/json; charset=utf-16"}, 415, "should be utf-8"),
        ("POST", PREDICT, {**HEADERS, "Content-Encoding": "gzip"}, 415, "compressed"),
        ("POST", "/v1/models/rose:predict", HEADERS, 404, "this service serves 'iris'"),
        ("POST", "/v1/models/%2e%2e%2firis:predict", HEADERS, 404, "nothing at"),
        ("POST", "/endpoints/%F0%9F%8C%B9/invocations", HEADERS, 404, "this service serves 'iris'"),
        ("GET", "/v1/models/rose", {}, 404, "this service serves 'iris'"),
        ("GET", "/v1/rose", {}, 404, "/docs says what there is"),
        ("GET", PREDICT, {}, 405, "POST"),
        ("PUT", INVOKE, HEADERS, 405, "does not take PUT"),
        ("DELETE", "/v1/models/iris", {}, 405, "does not take DELETE"),
        ("OPTIONS", PREDICT, {}, 405, "does not take OPTIONS"),
        ("POST", "/ping", {}, 405, "does not take POST"),
    ],
)
def test_each_kind_of_refusal(client, method, path, headers, status, words):
    answer = client.request(method, path, headers=headers, content=asking(RECORD) if method == "POST" else None)
    assert answer.status_code == status, answer.text
    assert words in sentence(answer)
    assert ("allow" in answer.headers) == (status == 405)


def test_head_gets_no_body(client):
    answer = client.head(PREDICT)
    assert answer.status_code == 405 and answer.content == b""


def test_each_client_reads_errors_in_its_own_shape(client):
    for path in (PREDICT, "/v1/projects/%3F/locations/l/endpoints/iris:predict"):
        google = client.post(path, content=b"{", headers=HEADERS).json()["error"]
        assert google["code"] == 400 and google["status"] == "INVALID_ARGUMENT"
    amazon = client.post(INVOKE, content=b"{", headers=HEADERS)
    assert amazon.headers["x-amzn-errortype"] == "ValidationError" and amazon.json()["message"]
    assert isinstance(client.get("/nowhere").json()["error"], str)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_beyond_the_limit_is_refused(client, chunked):
    large = b" " * 20_001 + asking(RECORD)
    answer = client.post(PREDICT, content=iter([large[:9], large[9:]]) if chunked else large, headers=HEADERS)
    assert answer.status_code == 413 and "at most 20000 bytes" in sentence(answer)


def raw(url: str, data: bytes) -> bytes:
    """Everything that the service sends, until it hangs up, to a client that sends only this."""
    with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port), timeout=20) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.long
@pytest.mark.parametrize("head", [b"", b"POST /v1/mod", b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET /ping HT"])
def test_the_service_hangs_up_on_half_a_head(model, monkeypatch, head):
    monkeypatch.setattr(PromptProtocol, "head_timeout", 0.1)
    with serve(model, "iris") as url:
        assert raw(url, head).count(b"200 OK") == head.count(b"\r\n\r\n")


def test_a_body_that_never_ends_is_refused(model, monkeypatch):
    monkeypatch.setattr("mialab.blackbox._app.Service.body_timeout", 0.1)
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
    with serve(model, "iris") as url:
        assert b" 408 " in raw(url, head.encode())


def test_what_is_no_http_is_refused(client):
    assert b" 400 " in raw(str(client.base_url), b"\x16\x03\x01 hello\r\n\r\n")


# Work: whatever is sent, reading it grows with its bytes and holds up nobody else


class Counting(str):
    """A name that counts how often it is compared with another or hashed."""

    steps = 0

    def __eq__(self, other):
        Counting.steps += 1
        return str.__eq__(self, other)

    def __hash__(self):
        Counting.steps += 1
        return str.__hash__(self)


@pytest.mark.parametrize("repeated", [True, False])
def test_names_are_looked_at_a_few_times_each_however_many_there_are(repeated, monkeypatch):
    steps = {}
    for n in (1000, 2000, 4000):
        monkeypatch.setattr(Counting, "steps", 0)
        names = [Counting(i // 2 * 2 if repeated and i > n - 3 else i) for i in range(n)]
        pairs = [(name, 0.0) for name in names]
        if repeated:
            with pytest.raises(_wire.Refused, match="twice; each name should come once"):
                _wire._unique(pairs)
        else:
            assert len(_wire._unique(pairs)) == n
        steps[n] = Counting.steps
    assert steps[1000] < 10 * 1000
    assert steps[4000] - steps[2000] == pytest.approx(2 * (steps[2000] - steps[1000]), rel=0.2)


@pytest.mark.parametrize(
    "body",
    [
        b"{" + b",".join([b'"a": 1'] * 100_000) + b"}",
        b"{" + b",".join(b'"%d": 1' % i for i in range(60_000)) + b', "59999": 1}',
        b"[" * 500_000,
        b'{"a":' * 150_000,
        b'{"instances": [[1, 2, 3, ' + b"9" * 900_000 + b"]]}",
        b'{"instances": [[1, 2, 3, 0.' + b"1" * 900_000 + b"e450000]]}",
        b'{"instances": [[1, 2, 3, 1e' + b"9" * 900_000 + b"]]}",
        b'{"instances": [[' + b"1," * 450_000 + b"1]]}",
        b'{"instances": [' + b"[]," * 60_000 + b"[]]}",
    ],
    ids=["one name", "many names", "lists", "objects", "digits", "fraction", "exponent", "wide", "long"],
)
def test_a_large_body_of_whatever_kind_is_refused_with_a_sentence(body):
    for n_features in (4, None):
        with pytest.raises(_wire.Refused) as refused:
            _wire.table("x", _wire.vertex_records(body, n_features, 600).tolist(), 4, 600)
        assert refused.value.status == 400 and len(refused.value.sentence) < 200


@pytest.mark.parametrize("body", [b"," * 1_000_000, b"1," * 500_000, b"\n" * 1_000_000, b"\r" * 1_000_000])
def test_a_csv_is_refused_by_its_counts_before_a_number_is_read(body, monkeypatch):
    monkeypatch.setattr(_wire, "_number", lambda cell: 1 / 0)
    with pytest.raises(_wire.Refused) as refused:
        _wire.sagemaker_records(body, "text/csv", 4, 600)
    assert refused.value.status == 400 and len(refused.value.sentence) < 200


def test_headers_of_many_parts_are_read(client):
    many = ", ".join(f"text/x{i};q=0.1" for i in range(1000))
    answer = client.post(INVOKE, content=asking(RECORD), headers={**HEADERS, "Accept": f"{many}, text/csv"})
    assert answer.headers["content-type"] == "text/csv"
    kind = {"Content-Type": "application/json" + "; a=b" * 2000}
    assert client.post(PREDICT, content=asking(RECORD), headers=kind).status_code == 200


@pytest.mark.parametrize("path", [PREDICT, INVOKE])
def test_while_a_nasty_body_is_read_everyone_else_is_answered(model, monkeypatch, path):
    """The nasty body is read until the others have their answers, which they would never get if they had to wait."""
    begun, answered, order = threading.Semaphore(0), threading.Event(), []
    parse = _wire.parse_json

    def slowly(body):
        if body.startswith(b"nasty"):
            begun.release()
            order.append(answered.wait(timeout=60))
        return parse(body)

    monkeypatch.setattr(_wire, "parse_json", slowly)
    with serve(model, "iris", keys=["eve", "ada"]) as url, ThreadPoolExecutor(8) as pool:

        def ask(key, body):
            headers = {**HEADERS, "x-api-key": key}
            return httpx.post(url + path, content=body, headers=headers, timeout=90, trust_env=False).status_code

        nasty = [pool.submit(ask, "eve", b"nasty") for _ in range(8)]  # more than there are readers
        assert begun.acquire(timeout=60)
        assert [ask("ada", asking(RECORD)) for _ in range(3)] == [200] * 3
        assert order == [] and not begun.acquire(blocking=False)  # of one account one body is read at a time
        answered.set()
        assert {one.result() for one in nasty} == {400} and order == [True] * 8


def test_charging_and_answering_stay_one_after_the_other(monkeypatch):
    """Many accounts at once: bodies are read side by side, and the model is never asked by two."""
    at_once, most = threading.Semaphore(1), []

    class Alone(Broken):
        def predict_proba(self, X):
            most.append(at_once.acquire(blocking=False))
            try:
                return np.full((len(X), 2), 0.5)
            finally:
                at_once.release()

    keys = [f"key{i}" for i in range(8)]
    with serve(Alone(), "iris", keys=keys, budget=5) as url, ThreadPoolExecutor(8) as pool:

        def ask(key):
            headers = {**HEADERS, "x-api-key": key}
            return httpx.post(url + PREDICT, content=asking(RECORD), headers=headers, trust_env=False).status_code

        assert list(pool.map(ask, keys * 6)).count(200) == 8 * 5
    assert most == [True] * 40


# Keys and budgets


@pytest.mark.long
@pytest.mark.parametrize("path", [PREDICT, INVOKE, "/v1/models", "/v1/models/iris"])
def test_without_the_key_nothing_is_told(model, path):
    def ask(**headers: str | bytes) -> httpx.Response:
        method = "GET" if path.startswith("/v1/models") and ":" not in path else "POST"
        body = asking(RECORD) if method == "POST" else None
        return httpx.request(method, url + path, headers={**HEADERS, **headers}, content=body, trust_env=False)

    with serve(model, "iris", keys=["sesame"]) as url:
        missing = ask()
        assert missing.status_code == 401 and missing.headers["www-authenticate"] == "Bearer"
        assert "Authorization: Bearer KEY" in sentence(missing)
        wrong = [{"x-api-key": "sesame2"}, {"x-api-key": "sésame".encode()}, {"Authorization": "Bearer sesam"}]
        wrong += [{"Authorization": "AWS4-HMAC-SHA256 Credential=sesam/1/2/3/4"}, {"x-api-key": ""}]
        assert [ask(**headers).status_code for headers in wrong] == [403] * 5
        assert ask(Authorization="Basic c2VzYW1l").status_code == 401
        for headers in ({"x-api-key": "sesame"}, {"Authorization": "bearer sesame"}):
            assert ask(**headers).status_code == 200


def test_each_key_has_its_own_budget_and_bad_requests_cost_nothing(model):
    with serve(model, "iris", keys={"a": 5, "b": None}, budget=7) as url, httpx.Client(base_url=url) as client:

        def ask(key: str, body: bytes) -> tuple[int, str]:
            answer = client.post(PREDICT, content=body, headers={**HEADERS, "x-api-key": key})
            return answer.status_code, answer.headers["x-queries-left"]

        assert ask("a", asking(RECORD, RECORD)) == (200, "3")
        assert ask("a", asking([1])) == (400, "3")
        assert ask("a", asking(*[RECORD] * 4)) == (429, "3")
        assert ask("a", asking(*[RECORD] * 3)) == (200, "0")
        assert ask("b", asking(RECORD)) == (200, "6")
        spent = client.post(PREDICT, content=asking(RECORD), headers={**HEADERS, "x-api-key": "a"})
        assert sentence(spent).startswith("this request asks about 1 records and 0 queries are left; the budget stays")
        assert spent.json()["error"]["status"] == "RESOURCE_EXHAUSTED" and "retry-after" not in spent.headers


@pytest.mark.long
def test_exactly_the_budget_is_answered_to_64_clients_at_once(model):
    with serve(model, "iris", budget=100) as url:

        def ask(i: int) -> list[int]:
            with httpx.Client(base_url=url, timeout=60) as client:
                n = 1 + i % 3
                body = asking(*[RECORD] * n)
                return [n for _ in range(4) if client.post(PREDICT, content=body, headers=HEADERS).status_code == 200]

        with ThreadPoolExecutor(64) as pool:
            answered = sum(map(sum, pool.map(ask, range(64))))
    assert answered == 100


@pytest.mark.long
def test_nothing_is_lost_or_mixed_up_with_64_clients_at_once(model):
    rng = np.random.default_rng(0)
    questions = rng.uniform(0, 8, size=(64, 5, 3, 4))
    with serve(model, "iris") as url:

        def ask(mine: np.ndarray) -> list:
            with httpx.Client(base_url=url, timeout=60) as client:
                bodies = [{"instances": X.tolist()} for X in mine]
                return [client.post(PREDICT, json=body).json()["predictions"] for body in bodies]

        with ThreadPoolExecutor(64) as pool:
            answers = np.array(list(pool.map(ask, questions)))
    local = [[model.predict_proba(X) for X in mine] for mine in questions]
    assert (answers == np.array(local)).all()


@pytest.mark.long
@given(
    budget=st.integers(0, 6),
    period=st.none() | st.integers(1, 5),
    steps=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 7)), max_size=30),
)
def test_an_account_against_a_plain_list_of_payments(budget, period, steps):
    now, window, spent = 0, None, 0
    account = Account("a", budget, period, clock=lambda: now)
    for wait, n in steps:
        now += wait
        if period and window is not None and now >= window + period:
            window, spent = None, 0
        assert account.left == budget - spent
        fits = n <= budget - spent
        if fits:
            account.spend(n)
            window, spent = (now if window is None else window), spent + n
            continue
        with pytest.raises(_wire.Refused) as refused:
            account.spend(n)
        renews = bool(period) and n <= budget
        assert refused.value.status == 429
        assert refused.value.headers == ({"Retry-After": str(window + period - now)} if renews else {})


# What goes wrong behind it, and what is written down


class Broken:
    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        raise ZeroDivisionError("a secret of the house")


class Logits(Broken):
    def predict_proba(self, X):
        return np.full((len(X), 2), 7.0)


@pytest.mark.parametrize("model", [Broken(), Logits()])
def test_a_model_that_fails_is_a_sentence_and_costs_nothing(model, caplog, capfd):
    with serve(model, "iris", budget=3) as url:
        for path, code in ((PREDICT, "INTERNAL"), (INVOKE, "ModelError")):
            answer = httpx.post(url + path, json={"instances": [[1, 2]]}, trust_env=False)
            assert answer.status_code == 502 and answer.headers["x-queries-left"] == "3"
            assert "the model failed" in sentence(answer) and "secret" not in answer.text
            assert code in answer.text or code == answer.headers["x-amzn-errortype"]
    assert "the model failed" in caplog.text
    assert capfd.readouterr() == ("", "")


def test_a_fault_of_the_service_itself_is_a_sentence_too(model, caplog, monkeypatch):
    monkeypatch.setattr(_wire, "vertex_records", lambda *words: 1 / 0)
    with serve(model, "iris") as url:
        answer = httpx.post(url + PREDICT, json={"instances": [RECORD]}, trust_env=False)
    assert answer.status_code == 500 and sentence(answer) == "the service failed; its log says how"
    assert "ZeroDivisionError" in caplog.text and "ZeroDivisionError" not in answer.text


def test_every_request_is_one_line_of_json_that_gives_no_key_away(model, caplog):
    caplog.set_level(logging.INFO, "mialab.service")
    with serve(model, "iris", keys={"sesame": 5, "other": 1}, labels={"other": "bob"}) as url:
        with httpx.Client(base_url=url) as client:
            for key in ("sesame", "other", 'x"}\t{"status": 200', None):
                headers = {**HEADERS, **({"x-api-key": key} if key else {})}
                client.post(PREDICT, content=asking(RECORD), headers=headers)
            client.get("/v1/models/x%0a%7B%22status%22:200%7D%1b[2J", headers={"x-api-key": "other"})
    messages = [record.getMessage() for record in caplog.records if record.name == "mialab.service"]
    lines = [json.loads(message) for message in messages]
    assert [line["status"] for line in lines] == [200, 200, 403, 401, 404]
    assert [line["key"] for line in lines[1:]] == ["bob", None, None, "bob"]
    assert lines[0]["key"].startswith("key-") and lines[0]["queries_left"] == 4 and lines[0]["records"] == 1
    assert lines[0]["model"] == "iris" and lines[0]["milliseconds"] > 0 and lines[0]["time"].endswith("+00:00")
    assert not any("sesame" in message or set("\n\t\x1b") & set(message) for message in messages)
