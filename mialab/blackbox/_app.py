"""The prediction service: a FastAPI application that lets strangers ask one model, within a budget.

`mialab.blackbox.serve` runs it; nothing else imports this module, for it imports FastAPI at once. Bodies are read by
threads of their own, in steps that grow with their bytes and no faster, and of each account one at a time: whoever
sends a nasty one waits for it alone. One worker thread charges, asks the model and writes the answer, one request
after the other: a model need not be thread-safe, and the event loop stays free for whoever waits. A prediction that
needs both cores may still use them.
"""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from mialab import _checks
from mialab._answers import coarsen
from mialab.blackbox import _wire
from mialab.blackbox._openapi import SECURITY, Schemas, docs_page
from mialab.blackbox._traffic import RequestLog, log
from mialab.blackbox._wire import CSV, JSON, Refused


class Account:
    """What one key may still ask: `budget` records in all, or anew every `period` seconds; None is no limit.

    A period begins with the first record that is paid in it. `clock` returns seconds.
    """

    def __init__(
        self,
        label: str,
        budget: int | None = None,
        period: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        model: Any = None,
    ):
        self.model = model  # what this key asks, where it is not the service's own model
        self.label, self.budget, self.period, self._clock = label, budget, period, clock
        self._spent, self._began, self._lock = 0, 0.0, threading.Lock()
        self.turn = asyncio.Lock()  # of this account's requests one is read and answered at a time

    def spend(self, n_records: int) -> None:
        """Pay for `n_records` at once, or raise `Refused` (429) and pay for none."""
        with self._lock:
            self._renew()
            left = self._left()
            if left is None or n_records <= left:
                if not self._spent:
                    self._began = self._clock()
                self._spent += n_records
                return
            wait = self._wait() if n_records <= self.budget else None  # no waiting makes a budget larger
        renewal = f"the budget of {self.budget} renews in {_wire.seconds(wait)} s" if wait else "the budget stays spent"
        if n_records > self.budget:
            renewal = f"the whole budget is {self.budget}"
        sentence = f"this request asks about {n_records} records and {left} queries are left; {renewal}"
        raise Refused(429, sentence, {"Retry-After": str(_wire.seconds(wait))} if wait else {})

    def refund(self, n_records: int) -> None:
        """Give back what was paid for records that got no answer."""
        with self._lock:
            self._spent = max(0, self._spent - n_records)

    @property
    def left(self) -> int | None:
        """How many records may still be asked about; None is no limit."""
        with self._lock:
            self._renew()
            return self._left()

    @property
    def renews_in(self) -> float | None:
        """Seconds until the budget is whole again; None where it never renews, or is whole."""
        with self._lock:
            self._renew()
            return self._wait()

    def _left(self) -> int | None:
        return None if self.budget is None else self.budget - self._spent

    def _wait(self) -> float | None:
        return self._began + self.period - self._clock() if self.period and self._spent else None

    def _renew(self) -> None:
        if self.period and self._spent and self._clock() >= self._began + self.period:
            self._spent = 0


_NOBODY = Account("nobody")
READERS = 4  # bodies, each of another account, that are read at once


@dataclass
class Service:
    """One model, how it is asked, and who may ask it; `accounts` by key, or {None: account} where no key is needed."""

    model: Any
    name: str
    accounts: Mapping[str | None, Account]
    max_batch: int
    max_bytes: int
    output: str
    digits: int

    body_timeout = 10.0  # seconds in which a body must have arrived

    def __post_init__(self) -> None:
        self.worker = ThreadPoolExecutor(1, "mialab-model")
        self.readers = ThreadPoolExecutor(READERS, "mialab-reader")
        self.classes = np.asarray(self.model.classes_).tolist()
        n_features = getattr(self.model, "n_features_in_", None)
        self.n_features = None if n_features is None else int(n_features)
        names = getattr(self.model, "feature_names_in_", None)
        self.feature_names = None if names is None else [str(name) for name in names]

    def stop(self) -> None:
        """Let go of the threads."""
        for pool in (self.readers, self.worker):
            pool.shutdown(wait=False, cancel_futures=True)

    def account(self, request: Request) -> Account:
        """The account that a request's key opens; `Refused` (401, 403) without one."""
        if None in self.accounts:
            return self.accounts[None]
        key = request_key(request)
        if key is None:
            sentence = "this service needs a key: send `Authorization: Bearer KEY` or `x-api-key: KEY`"
            raise Refused(401, sentence, {"WWW-Authenticate": "Bearer"})
        if key not in self.accounts:
            raise Refused(403, "this key is not known here; ask whoever runs the service for another")
        return self.accounts[key]

    def answer(self, X: np.ndarray | list[dict], account: Account) -> np.ndarray:
        """The model's probabilities for X as the settings let them out, paid for by `account`."""
        account.spend(len(X))
        try:
            proba = _checks.answers(self.model if account.model is None else account.model, self._frame(X))
        except Exception as error:
            account.refund(len(X))
            log.exception("the model failed")
            sentence = "the model failed on these records, which were not charged; the service's log says how"
            raise Refused(502, sentence) from error
        return coarsen(proba, self.output, self.digits)

    def _frame(self, X: np.ndarray | list[dict]) -> Any:
        """X under the names that the model was fitted with: a pipeline may pick its columns by name."""
        if self.feature_names is None:
            return X
        import pandas as pd

        if isinstance(X, list):
            columns = zip(self.model.feature_names_in_, self.feature_names, strict=True)
            return pd.DataFrame({name: [one[shown] for one in X] for name, shown in columns})
        return pd.DataFrame(X, columns=self.model.feature_names_in_)

    def about(self, account: Account) -> dict[str, Any]:
        """What a client may know of the model, and of its own budget."""
        return {
            "name": self.name,
            "model_version_status": [
                {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
            ],
            "classes": self.classes,
            "n_features": self.n_features,
            "feature_names": self.feature_names,
            "output": self.output,
            "digits": self.digits if self.output == "rounded" else None,
            "max_batch": self.max_batch,
            "max_bytes": self.max_bytes,
            "budget": account.budget,
            "period": account.period,
            "queries_left": account.left,
            "renews_in": account.renews_in,
        }


def request_key(request: Request) -> str | None:
    """The key that a request carries: as a bearer token, as `x-api-key`, or as the access key of an AWS signature.

    The signature itself is not verified: as everywhere in this service, the key is all that a stranger must know.
    """
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        return rest.strip()
    if scheme.upper() == "AWS4-HMAC-SHA256" and "Credential=" in rest:
        # Credential=KEY/date/region/service/aws4_request
        return rest.split("Credential=", 1)[1].split(",")[0].strip().rsplit("/", 4)[0]
    return request.headers.get("x-api-key")


async def read_body(request: Request, limit: int, timeout: float) -> bytes:
    """A request's body, `Refused` as soon as it is longer than `limit` bytes (413) or takes too long (408)."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "the body is compressed; send it as it is, without Content-Encoding")
    too_long = Refused(413, f"the body is too large; it should be at most {limit} bytes", {"Connection": "close"})
    if int(request.headers.get("content-length", 0)) > limit:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(timeout):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit:
                    raise too_long
    except ClientDisconnect:
        raise Refused(400, "the connection closed before the body was whole") from None
    except TimeoutError:
        sentence = f"the body did not arrive within {timeout:g} s"
        raise Refused(408, sentence, {"Connection": "close"}) from None
    return bytes(body)


def create_app(service: Service) -> FastAPI:
    """The application: its routes, its errors in JSON, and one line of log a request."""
    app = FastAPI(title=f"mialab: {service.name}", version="1", docs_url=None, redoc_url=None)
    app.add_middleware(RequestLog)
    keyed = None not in service.accounts
    schemas = Schemas(service.n_features, len(service.classes), service.max_batch, keyed, service.feature_names)
    Name = Annotated[str, Path(description="the model's name", json_schema_extra={"enum": [service.name]})]
    _add_vertex(app, service, schemas, Name)
    _add_sagemaker(app, service, schemas, Name)
    _add_telling(app, service, schemas, Name)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _no_route)
    app.openapi().setdefault("components", {})["securitySchemes"] = SECURITY if keyed else {}
    return app


def _add_vertex(app: FastAPI, service: Service, schemas: Schemas, Name: Any) -> None:
    """The two addresses at which Vertex AI's format is spoken."""

    async def predict(request: Request, model: str, path: str) -> Response:
        account = _admit(service, request, model)
        _wire.media_type(request.headers.get("content-type"), (JSON,))
        about = {"deployedModelId": "1", "model": path, "modelDisplayName": service.name, "modelVersionId": "1"}
        return await _ask(
            service,
            request,
            account,
            lambda body: _wire.vertex_records(body, service.n_features, service.max_batch, service.feature_names),
            lambda proba: _wire.predictions_json(proba, **about),
        )

    @app.post("/v1/models/{model}:predict", **schemas.vertex("Predict, in Vertex AI's format"))
    async def vertex(request: Request, model: Name) -> Response:
        return await predict(request, model, f"models/{model}")

    @app.post(
        "/v1/projects/{project}/locations/{location}/endpoints/{model}:predict",
        **schemas.vertex("Predict, in Vertex AI's format, at the address that Google's own client asks"),
    )
    async def vertex_endpoint(request: Request, project: str, location: str, model: Name) -> Response:
        return await predict(request, model, f"projects/{project}/locations/{location}/models/{model}")


def _add_sagemaker(app: FastAPI, service: Service, schemas: Schemas, Name: Any) -> None:
    """The address at which the SageMaker runtime's format is spoken."""

    @app.post("/endpoints/{model}/invocations", **schemas.sagemaker("Predict, in the SageMaker runtime's format"))
    async def sagemaker(request: Request, model: Name) -> Response:
        account = _admit(service, request, model)
        kind = _wire.media_type(request.headers.get("content-type"), (JSON, CSV))
        answer_in = _wire.accepted(request.headers.get("accept"))
        response = await _ask(
            service,
            request,
            account,
            lambda body: _wire.sagemaker_records(
                body, kind, service.n_features, service.max_batch, service.feature_names
            ),
            _wire.predictions_csv if answer_in == CSV else _wire.predictions_json,
        )
        response.headers["content-type"] = answer_in
        response.headers["x-amzn-Invoked-Production-Variant"] = "AllTraffic"
        return response


def _add_telling(app: FastAPI, service: Service, schemas: Schemas, Name: Any) -> None:
    """The addresses that only tell: of the model, of the service, and of how to ask it."""

    @app.get("/v1/models", **schemas.get("What is served here", "models", refusals=(401, 403)))
    async def models(request: Request) -> Response:
        return JSONResponse({"models": [service.about(_admit(service, request))]})

    @app.get(
        "/v1/models/{model}",
        **schemas.get("What a client may know of a model", *service.about(_NOBODY), refusals=(401, 403, 404)),
    )
    async def about(request: Request, model: Name) -> Response:
        if model.endswith(":predict"):
            raise Refused(405, "GET is not how to ask for predictions; POST them", {"Allow": "POST"})
        return JSONResponse(service.about(_admit(service, request, model)))

    @app.get("/ping", **schemas.get("Is the service there?"))
    async def ping() -> Response:
        return JSONResponse({})

    @app.get("/health", **schemas.get("Is the service well?", "status", "models"))
    async def health() -> Response:
        return JSONResponse({"status": "ok", "models": [service.name]})

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(docs_page(app.openapi()))


def _admit(service: Service, request: Request, model: str | None = None) -> Account:
    """The account that a request may spend from, noted for the log; `Refused` without a key, or for another model."""
    account = request.scope["mialab.account"] = service.account(request)
    if model is not None:
        request.scope["mialab.model"] = model
        if model != service.name:
            raise Refused(404, f"there is no model {json.dumps(model[:60])} here; this service serves {service.name!r}")
    return account


async def _ask(
    service: Service, request: Request, account: Account, read: Callable[[bytes], Any], write: Callable
) -> Response:
    """What the prediction routes share once they know who asks and in what: body, charge, answer."""
    body = await read_body(request, service.max_bytes, service.body_timeout)
    run = asyncio.get_running_loop().run_in_executor
    async with account.turn:
        X = await run(service.readers, read, body)
        request.scope["mialab.records"] = len(X)
        content = await run(service.worker, lambda: write(service.answer(X, account)))
    return Response(content, media_type=JSON)


def _refusal(request: Request, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    body, more = _wire.error_body(request.scope["path"], status, sentence)  # `url` ends at a "?" in the path, decoded
    return JSONResponse(body, status, {**(headers or {}), **more})


async def _refused(request: Request, error: Refused) -> Response:
    return _refusal(request, error.status, error.sentence, error.headers)


async def _no_route(request: Request, error: HTTPException) -> Response:
    path = json.dumps(request.scope["path"][:80])
    sentences = {
        404: f"there is nothing at {path}; /docs says what there is",
        405: f"{path} does not take {request.method[:20]}; /docs says what it takes",
    }
    return _refusal(request, error.status_code, sentences.get(error.status_code, error.detail), error.headers)


def key_label(key: str) -> str:
    """A name for a key in the log that does not give the key away."""
    return "key-" + hashlib.sha256(key.encode()).hexdigest()[:8]
