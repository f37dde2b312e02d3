"""Run a learner's function in a process of its own, which can be ended whatever it does.

A copy of this process (a fork) calls the function and sends back what comes of it; this process watches the copy and
ends it after so many seconds in which it worked or slept. Time in which it only waited for a busy machine does not
count, up to a bound. What a function does to the notebook's own variables, or draws, stays in the copy.

Where the system cannot fork, or cannot say what a process is doing (Windows, macOS), `apart` returns None and the
function is called here: an answer that catches every error, or is inside one long call of C, is then stopped late.
"""

from __future__ import annotations

import builtins
import ctypes
import os
import pickle
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mialab._threads import libraries

PATIENCE = 4  # seconds by the clock for each second of work: other programs may have the machine
_TICK = 0.02  # seconds between two looks at the copy
_DIE_WITH_PARENT = 1  # Linux's PR_SET_PDEATHSIG: a kernel that is restarted leaves no copy behind
_DONE = b"done"
_INTERRUPTED = b"interrupted"


def apart(work: Callable[[], Iterator[Any]], seconds: float) -> tuple[list[Any], str] | None:
    """What `work` yields in a copy of this process, and why it yielded no more: "", "time", or "died".

    None where there can be no copy: then nothing has run.
    """
    if sys.platform != "linux" or not os.path.exists("/proc/self/stat"):
        return None
    receive, send = Pipe(duplex=False)
    threads = libraries(len(sys.modules))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # newer Pythons warn of threads: `_live` uses nothing that is theirs
            copy = os.fork()
    except OSError:  # too many processes, or a sandbox that allows none
        return None
    if copy == 0:
        _live(work, send, threads)
    send.close()
    try:
        return _received(receive, copy, seconds)
    finally:
        for kill in (os.killpg, os.kill):  # and whatever the copy has started; before it has a group, itself
            with suppress(ProcessLookupError):
                kill(copy, signal.SIGKILL)
        os.waitpid(copy, 0)
        receive.close()


def _live(work: Callable[[], Iterator[Any]], send: Connection, threads: Any) -> None:
    """The life of a copy: it never returns, asks the notebook nothing, and leaves the parent's buffers unflushed."""
    try:
        me = os.getpid()
        os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        builtins.input = _no_input
        threads.limit(limits=1)  # those of BLAS and OpenMP were not copied: two would wait for ever
        for one in work():
            if os.getpid() != me:  # a copy that the answer made of the copy
                break
            send.send_bytes(pickle.dumps(one))
        else:
            send.send_bytes(_DONE)
    except KeyboardInterrupt:
        send.send_bytes(_INTERRUPTED)
    finally:
        os._exit(0)


def _no_input(*prompt: Any) -> str:
    """A question to the learner would go through the parent's sockets, and stop the kernel."""
    raise EOFError("a function that is checked cannot ask with input(): what it needs are its arguments")


def _received(receive: Connection, copy: int, seconds: float) -> tuple[list[Any], str]:
    """What the copy sends until it is done, dies or has used up its time."""
    found: list[Any] = []
    spent, worked, now = 0.0, 0.0, time.monotonic()
    end = now + PATIENCE * seconds
    while spent < seconds and now < end:
        if receive.poll(_TICK):
            try:
                message = receive.recv_bytes()
            except EOFError:
                return found, "died"
            if message == _INTERRUPTED:
                raise KeyboardInterrupt
            if message == _DONE:
                return found, ""
            found.append(pickle.loads(message))
        state, work = _doing(copy)
        if state in "ZX" and not receive.poll():  # the pipe is held open by what the copy left behind
            return found, "died"
        passed, now = time.monotonic() - now, time.monotonic()
        # R runs or waits for a processor, D waits for a disk; all else sleeps, and looks are late on a busy machine.
        spent += min(work - worked, passed) if state in "RD" else min(passed, 2 * _TICK)
        worked = work
    return found, "time"


def _doing(process: int) -> tuple[str, float]:
    """The letter for what a process is doing, and the seconds that it has worked."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
