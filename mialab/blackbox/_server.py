"""Starting and stopping the prediction service: settings checked, a socket bound, a thread that ends with the block.

`mialab.blackbox.serve` is the public name of what is here.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from mialab import _checks
from mialab.blackbox._wire import a_key, is_loopback

if TYPE_CHECKING:
    from mialab.blackbox._app import Account, Service

OUTPUTS = ("probabilities", "rounded", "top-1", "label")


def serve(
    model: Any,
    name: str = "model",
    *,
    keys: Mapping[str, int | None] | Iterable[str] | None = None,
    budget: int | None = None,
    period: float | None = None,
    max_batch: int = 1000,
    max_bytes: int = 8 * 2**20,
    output: str = "probabilities",
    digits: int | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    labels: Mapping[str, str] | None = None,
) -> AbstractContextManager[str]:
    """Put `model` behind a prediction service for as long as the with-block lasts; its value is the url.

    Parameters
    ----------
    model : anything with `predict_proba` and `classes_`.
    name : what the service calls it: letters, digits, ".", "_" and "-".
    keys : the keys that open the service, each with its own budget ({"alice": 1000}, None for `budget`), or only
        the keys; None lets everyone ask.
    budget : how many records one key may ask about, or everyone together where there are no keys; None is no limit.
    period : seconds after which a budget is whole again, counted from the first query; None is never.
    max_batch, max_bytes : the most records, and bytes, of one request.
    output : "probabilities", "rounded" (to `digits`, 2 unless told otherwise), "top-1" (the largest, the others 0)
        or "label" (1 for the most probable class, else 0).
    host, port : where to listen; port 0 is any that is free. Beyond this machine it warns: there is no encryption.
    labels : what the log calls each key; by default a short hash of it.

    The service runs in a daemon thread with an event loop of its own, so it needs no pickling, works under Jupyter,
    and cannot outlive the kernel. One worker thread asks the model, one request after the other. Every request is
    one line of JSON at level INFO of the logger "mialab.service". It raises ValueError for settings out of range, and
    OSError where it cannot listen.

    >>> from mialab import targets
    >>> model = targets.make("one-nn").fit([[0.0], [2.0]], ["a", "b"])
    >>> with serve(model, output="label") as url:
    ...     print(url.rpartition(":")[0], RemoteModel(url).predict([[0.1], [1.9]]).tolist())
    http://127.0.0.1 ['a', 'b']
    """
    _checks.fitted("model", model)
    _checks.labels("model.classes_", model.classes_)
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", name):
        raise ValueError(f"name is {name!r}; it should be letters, digits, '.', '_' and '-', at most 63 of them")
    digits_given, digits = digits, 2 if digits is None else _checks.whole_number("digits", digits, 0, 15)
    if digits_given is not None and output != "rounded":
        raise ValueError(f"digits is {digits_given}, which only output='rounded' reads; output is {output!r}")
    if not isinstance(host, str) or not host:
        raise ValueError(f"host is {host!r}; it should be an address of this machine, such as '127.0.0.1'")
    _checks.whole_number("port", port, 0, 65535)
    from mialab.blackbox._app import Service

    service = Service(
        model,
        name,
        accounts=_accounts(keys, budget, period, labels or {}),
        max_batch=_checks.whole_number("max_batch", max_batch, 1),
        max_bytes=_checks.whole_number("max_bytes", max_bytes, 1),
        output=_checks.one_of("output", output, OUTPUTS),
        digits=digits,
    )
    return running(service, host, port)


@contextmanager
def running(service: Service, host: str, port: int) -> Iterator[str]:
    """Run a service for as long as the with-block lasts; its value is the url."""
    import asyncio

    import uvicorn

    from mialab.blackbox._app import create_app
    from mialab.blackbox._traffic import PromptProtocol

    if not is_loopback(host):
        warnings.warn(
            f"the service listens on {host}, so others on the network may ask it, without encryption",
            UserWarning,
            stacklevel=4,
        )
    config = uvicorn.Config(
        create_app(service),
        http=PromptProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
        limit_concurrency=512,
    )
    listener = _listen(host, port)
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="mialab-service", daemon=True
    )
    try:
        thread.start()
        while not server.started:
            if not thread.is_alive():
                raise OSError(f"the service on {host} port {port} did not start")
            time.sleep(0.002)
        yield _url(host, listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()
        service.stop()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket; bound here, so that no other program can take a free port in between."""
    # The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it is:
    # they would wait 40 ms for each other otherwise.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name != "nt":  # there it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host} port {port} ({error.strerror or error}); try another port") from None
    return listener


def _url(host: str, port: int) -> str:
    """The address to ask: a service that listens everywhere is asked on loopback."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def _accounts(
    keys: Mapping[str, int | None] | Iterable[str] | None,
    budget: int | None,
    period: float | None,
    labels: Mapping[str, str],
) -> dict[str | None, Account]:
    """An account for each key, or one for everyone under None."""
    from mialab.blackbox._app import Account, key_label

    def limit(value: int | None) -> int | None:
        return None if value is None else _checks.whole_number("budget", value, 0)

    budget = limit(budget)
    period = None if period is None else _checks.number("period", period, above=True)
    if keys is None:
        return {None: Account("everyone", budget, period)}
    if isinstance(keys, str | bytes):
        raise ValueError("keys is one text; it should be a list of keys, or a dict of keys and their budgets")
    each = dict(keys) if isinstance(keys, Mapping) else dict.fromkeys(keys)
    if not each:
        raise ValueError("keys is empty; it should hold at least one key, or be None to let everyone ask")
    return {
        a_key("keys", key): Account(labels.get(key) or key_label(key), budget if own is None else limit(own), period)
        for key, own in each.items()
    }
