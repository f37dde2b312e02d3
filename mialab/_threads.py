"""One thread for many small fits, whose threads would mostly wait for each other (measured: ten times slower)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_limited: ContextVar[bool] = ContextVar("limited", default=False)


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold numeric libraries to one thread; free of cost inside another `one_thread`, since finding them takes long."""
    if _limited.get():
        yield
        return
    from threadpoolctl import threadpool_limits

    token = _limited.set(True)
    try:
        with threadpool_limits(1):
            yield
    finally:
        _limited.reset(token)
