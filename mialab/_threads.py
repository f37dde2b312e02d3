"""One thread for many small fits, whose threads would mostly wait for each other (measured: ten times slower)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

_limited: ContextVar[bool] = ContextVar("limited", default=False)


@contextmanager
def one_thread() -> Iterator[None]:
    """Hold numeric libraries to one thread; free of cost inside another `one_thread`, since finding them takes long."""
    if _limited.get():
        yield
        return
    token = _limited.set(True)
    try:
        with libraries(len(sys.modules)).limit(limits=1):
            yield
    finally:
        _limited.reset(token)


@lru_cache(maxsize=1)
def libraries(n_modules: int) -> Any:
    """The numeric libraries that are loaded; looked for again when another module was imported since."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
