"""A model behind a prediction service, asked over HTTP in the shape of a local one."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from mialab import _checks
from mialab._answers import BudgetExhausted
from mialab.blackbox._meter import Counted
from mialab.blackbox._wire import a_key, is_loopback

if TYPE_CHECKING:
    import httpx

_ABOUT = set("name classes n_features feature_names max_batch max_bytes budget period queries_left renews_in".split())
_NO_SERVICE = "answers, but not as a prediction service of mialab does"
_DIGITS = 28  # the most bytes that one measurement takes in JSON: -2.2250738585072014e-308, with brackets and comma
WIRES = {"vertex": "/v1/models/{}:predict", "sagemaker": "/endpoints/{}/invocations"}


class RemoteModel(Counted):
    """A `RemoteModel` asks a model behind a prediction service over HTTP, in the shape of a local model.

    Parameters
    ----------
    url : where the service is, "http://127.0.0.1:8000" for instance.
    name : which of its models; None is the only one.
    key : the key that the service asks for, or None.
    wire : "vertex" or "sagemaker", the format to speak; both bring the very same floats.
    batch_size : at most so many records a request; None is as many as the service allows.
    timeout : seconds to wait for one answer.
    retries, backoff : how often to ask again after a lost connection or a 503, and the first wait in seconds; each
        further wait is twice as long. Where a connection was lost, an answer may have been paid for and not arrived.
    patience : wait for a budget that renews within so many seconds; a longer wait raises `BudgetExhausted`.

    Records are sent in batches over one connection that is kept. Where the service says that fewer queries are left
    than X has records, nothing is asked and `BudgetExhausted` is raised; its `left` says how many may be. Where
    somebody else spends the same budget meanwhile, its `answers` holds what was answered before.

    It raises, on making as on asking, ConnectionError where the url does not answer, PermissionError for a missing or
    unknown key, ValueError (with the service's own sentence) for whatever else the service refuses, and RuntimeError
    where the model behind it fails. A pickle of it holds the key, and not the connection.

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> with serve(model, keys=["alice"], budget=10) as url, RemoteModel(url, key="alice") as remote:
    ...     remote.predict_proba([[0.1], [1.9]]).tolist(), remote.queries_left
    ([[1.0, 0.0], [0.0, 1.0]], 8)
    """

    def __init__(
        self,
        url: str,
        name: str | None = None,
        key: str | None = None,
        *,
        wire: str = "vertex",
        batch_size: int | None = None,
        timeout: float = 10.0,
        retries: int = 4,
        backoff: float = 0.1,
        patience: float = 5.0,
    ):
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise ValueError(f"url is {url!r}; it should be the address of a service, such as http://127.0.0.1:8000")
        self.url = url.rstrip("/")
        self._key = None if key is None else a_key("key", key)
        self.wire = _checks.one_of("wire", wire, tuple(WIRES))
        self.timeout, self.backoff = _checks.number("timeout", timeout), _checks.number("backoff", backoff)
        self.patience, self.retries = _checks.number("patience", patience), _checks.whole_number("retries", retries, 0)
        if batch_size is not None:
            _checks.whole_number("batch_size", batch_size, 1)
        self.name, self.n_queries, self._left = name or "a model", 0, None
        self._connect()
        try:
            about = self._about(name)
        except BaseException:
            self.close()
            raise
        self.name = about["name"]
        self.classes_ = np.asarray(about["classes"])
        if about["n_features"] is not None:
            self.n_features_in_ = about["n_features"]
        if about["feature_names"] is not None:
            self.feature_names_in_ = np.array(about["feature_names"], dtype=object)
        self.batch_size = int(min(about["max_batch"], about["budget"] or np.inf, batch_size or np.inf))
        self._max_bytes = about["max_bytes"]
        self._renews = about["period"] is not None
        self._left = about["queries_left"]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the service's answer about each record, (n, n_classes), batch by batch.

        A frame with columns that hold no numbers, or with missing values, is sent by the names of its columns.
        """
        X = _checks.named("X", X, self)
        if _checks.is_frame(X) and hasattr(self, "feature_names_in_") and _is_mixed(X):
            X = _objects(_checks.candidates("X", X))
            widest = max(len(json.dumps(one)) for one in X) + 2
        else:
            X = _checks.records("X", X)
            widest = _DIGITS * X.shape[1]
            n_features = getattr(self, "n_features_in_", X.shape[1])
            if X.shape[1] != n_features:
                raise ValueError(f"X has {X.shape[1]} columns; the model was trained on {n_features}")
            X = X.tolist()
        self._check_budget(len(X))
        answers: list[np.ndarray] = []
        step = max(1, min(self.batch_size, (self._max_bytes - 100) // widest))
        for start in range(0, len(X), step):
            try:
                answers.append(self._ask(X[start : start + step]))
            except BudgetExhausted as spent:
                spent.answers = np.concatenate(answers) if answers else None
                raise
        return np.concatenate(answers)

    @property
    def queries_left(self) -> int | None:
        """Return how many records may still be asked about, as the service last said; None is any number.

        A budget that renews may have done so since: then the service is asked, which costs nothing.
        """
        if self._renews:
            self._left = self._about(self.name)["queries_left"]
        return self._left

    def close(self) -> None:
        """Close the connection; asking again opens another."""
        self._client.close()

    def __del__(self) -> None:
        if "_client" in vars(self):  # a notebook drops its models without closing them
            self.close()

    def __enter__(self) -> RemoteModel:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_client", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._connect()

    def __repr__(self) -> str:
        # What is known, without a question to the service: a repr must not fail.
        return self._told(f"{self.name} at {self.url}", self._left)

    def _connect(self) -> None:
        import httpx

        try:
            host = httpx.URL(self.url).host
        except httpx.InvalidURL as error:
            raise ValueError(f"url is {self.url!r}, which is no address ({error})") from None
        self._lock = threading.Lock()
        self._client = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=self.timeout,
            # The service keeps an idle connection longer, so that it never hangs up just as it is used again.
            limits=httpx.Limits(keepalive_expiry=30),
            trust_env=not is_loopback(host),  # a proxy cannot reach this machine's own loopback
        )

    def _about(self, name: str | None) -> dict[str, Any]:
        """What the service says of its model, and of what this key may still ask."""
        served = self._read(self._send("GET", "/v1/models"), "models")
        if not isinstance(served, list) or not all(isinstance(one, dict) and one.keys() >= _ABOUT for one in served):
            raise ValueError(f"{self.url} {_NO_SERVICE}")
        names = [one["name"] for one in served]
        if name is None and len(names) != 1:
            raise ValueError(f"{self.url} serves {names}; say which with name=")
        for about in served:
            if name in (None, about["name"]):
                return about
        raise ValueError(f"name is {name!r}; {self.url} serves {', '.join(map(repr, names))}")

    def _check_budget(self, n_records: int) -> None:
        left = self.queries_left
        if left is None or n_records <= left:
            return
        about = self._about(self.name)
        wait = about["renews_in"] or about["period"]  # a whole budget begins to renew when it is first used
        if wait is None or wait > self.patience:
            raise BudgetExhausted.of(n_records, left, renews_in=wait)

    def _ask(self, X: list[Any]) -> np.ndarray:
        body = json.dumps({"instances": X})
        route = WIRES[self.wire].format(self.name)
        response = self._send("POST", route, content=body, headers={"Content-Type": "application/json"})
        answer = np.array(self._read(response, "predictions"), dtype=float)
        if answer.shape != (len(X), len(self.classes_)):
            raise ValueError(
                f"{self.url} answered with predictions of shape {answer.shape}; "
                f"they should be {(len(X), len(self.classes_))}"
            )
        with self._lock:
            self.n_queries += len(X)
        return answer

    def _send(self, method: str, route: str, **request: Any) -> httpx.Response:
        """The service's answer to one request, asked again while that may help."""
        import httpx

        for attempt in range(self.retries + 1):
            wait = self.backoff * 2**attempt
            try:
                response = self._client.request(method, route, **request)
            except httpx.TimeoutException:
                raise ConnectionError(f"{self.url} did not answer within {self.timeout:g} s") from None
            except httpx.TransportError as error:
                trouble = f"does not answer ({error})"
            else:
                if "x-queries-left" in response.headers:
                    self._left = int(response.headers["x-queries-left"])
                if response.status_code not in (429, 503):
                    return response
                trouble = _sentence(response)
                renews_in = _retry_after(response)
                if renews_in is not None and renews_in <= self.patience:
                    wait = renews_in
                elif response.status_code == 429:
                    raise BudgetExhausted(trouble, left=self._left, renews_in=renews_in)
            if attempt < self.retries:
                time.sleep(wait)
        if trouble.startswith("does not answer"):
            raise ConnectionError(f"{self.url} {trouble}; is the service running, and is this its address?")
        raise ConnectionError(f"{self.url} refused {self.retries + 1} times: {trouble}")

    def _read(self, response: httpx.Response, field: str) -> Any:
        """One field of the JSON that the service answered with, or the error that its status stands for."""
        status = response.status_code
        if status in (401, 403):
            raise PermissionError(f"{self.url}: {_sentence(response)}")
        if status >= 500:
            raise RuntimeError(f"{self.url}: {_sentence(response)}")
        if status >= 300:
            raise ValueError(f"{self.url}: {_sentence(response)}")
        try:
            return response.json()[field]
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{self.url} {_NO_SERVICE}") from None


def _is_mixed(X: Any) -> bool:
    """Whether a frame holds more than finite numbers."""
    return any(getattr(kind, "kind", "O") not in "iuf" for kind in X.dtypes) or bool(X.isna().to_numpy().any())


def _objects(X: Any) -> list[dict[str, Any]]:
    """The records of a frame as objects of plain values, None where a value is missing."""
    missing = X.isna().to_numpy()
    columns = [[v.item() if isinstance(v, np.generic) else v for v in X.iloc[:, j]] for j in range(X.shape[1])]
    return [
        {str(name): None if missing[i, j] else columns[j][i] for j, name in enumerate(X.columns)} for i in range(len(X))
    ]


def _sentence(response: httpx.Response) -> str:
    """What the service says is wrong, in any of its formats, or else its status."""
    try:
        error = response.json()["error"]
        return error if isinstance(error, str) else error["message"]
    except (ValueError, KeyError, TypeError):
        return f"status {response.status_code} {response.reason_phrase}"


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
