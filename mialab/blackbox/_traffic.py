"""What surrounds every request to the prediction service: patience with its head, and one line of log.

Imported only when a service starts, for it imports uvicorn.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import h11
from starlette.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from mialab.blackbox import _wire

log = logging.getLogger("mialab.service")
log.addHandler(logging.NullHandler())  # or Python's last resort would print errors into the notebook


class PromptProtocol(H11Protocol):
    """Uvicorn's HTTP, which would wait for the rest of a request's head for ever: this hangs up."""

    head_timeout = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to look after the connection."""
        super().connection_made(transport)
        self._look_later()

    def _look_later(self) -> None:
        self.loop.call_later(self.head_timeout, self._look)

    def _look(self) -> None:
        unfinished = self.cycle is None or bool(self.conn.trailing_data[0])
        if self.transport.is_closing():
            return
        if self.conn.their_state is h11.IDLE and unfinished:
            self.transport.close()
        else:
            self._look_later()


class RequestLog:
    """ASGI middleware: `X-Queries-Left` on every answer to a known key, and one line of JSON in the log a request."""

    def __init__(self, app: Callable[..., Awaitable[None]]):
        self.app = app

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        """Pass the request on, and note what became of it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        began, status = time.perf_counter(), 0

        async def note(message: dict) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                account = scope.get("mialab.account")
                if account is not None and account.left is not None:
                    message["headers"] = [*message["headers"], (b"x-queries-left", str(account.left).encode())]
            await send(message)

        try:
            await self.app(scope, receive, note)
        except Exception:
            log.exception("the service failed")
            if not status:
                body, headers = _wire.error_body(scope["path"], 500, "the service failed; its log says how")
                await JSONResponse(body, 500, headers)(scope, receive, note)
        finally:
            if log.isEnabledFor(logging.INFO):
                log.info(self.line(scope, status, time.perf_counter() - began))

    @staticmethod
    def line(scope: dict, status: int, took: float) -> str:
        """The request in one line; JSON writes every line break and control character as an escape."""
        account = scope.get("mialab.account")
        return json.dumps(
            {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "key": account.label if account else None,
                "method": scope["method"][:20],
                "path": scope["path"][:200],
                "model": scope.get("mialab.model", "")[:60] or None,
                "records": scope.get("mialab.records", 0),
                "status": status,
                "milliseconds": round(took * 1000, 2),
                "queries_left": account.left if account else None,
            }
        )
