"""What runs in the sandbox: the one notebook that is there, cell after cell, in a kernel of its own."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path

from mialab.instructor.making._hidden import LATE, SANDBOX, WORK

# Runs in the kernel before the notebook: a print in a loop must fill neither memory nor disk.
_STARTUP = """
def _bounded(room={room}):
    from contextlib import nullcontext

    from ipykernel.iostream import OutStream

    write, left = OutStream.write, [room]

    def bounded(self, text):
        if left[0] > 0:
            write(self, text[: left[0]])
            left[0] -= len(text)
            if left[0] <= 0:
                write(self, "\\n(the rest of what this notebook prints is left out)\\n")
        return len(text)

    OutStream.write = bounded
    get_ipython()._tee = lambda channel: nullcontext()  # IPython would keep a second copy of all, without bounds


_bounded()
del _bounded
"""
PRINTED = 200_000  # characters of output in a whole notebook


def main(assignment: str, seconds: str) -> None:
    """Run the notebook that was laid out, `seconds` a cell, and write it back with what it printed.

    The cell that is running is named in a file, and another file is there once a cell had to be interrupted. nbgrader's
    own autograder would run it alike, but takes twice as long to start, and keeps a gradebook that nobody reads.
    """
    # jsonschema would parse the grammar of addresses at import, most of a second for a check that no one asks for.
    sys.modules.setdefault("rfc3987_syntax", None)
    import nbformat
    from nbclient import NotebookClient

    folder = Path(os.environ[SANDBOX])
    (folder / "seen").mkdir(exist_ok=True)
    startup = folder / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "00-bounded.py").write_text(_STARTUP.format(room=PRINTED), "utf-8")

    limit, began = max(1, round(float(seconds))), math.inf

    def next_cell() -> None:
        nonlocal began
        if time.monotonic() - began >= limit:
            (folder / LATE).touch()
        began = time.monotonic()

    def running(cell: object, cell_index: int, **_: object) -> None:
        next_cell()
        (folder / "running.txt").write_text(str(cell_index), "ascii")

    path = folder / WORK / f"{assignment}.ipynb"
    client = NotebookClient(
        nbformat.from_dict(json.loads(path.read_text("utf-8"))),
        resources={"metadata": {"path": str(path.parent)}},
        allow_errors=True,
        timeout=limit,
        interrupt_on_timeout=True,
        startup_timeout=30,
        iopub_timeout=4,
        raise_on_iopub_timeout=True,
        on_cell_execute=running,
        shutdown_kernel="immediate",
    )
    try:
        client.execute()
    finally:  # also where a cell that would not be interrupted brings the whole run down
        next_cell()
    path.write_text(json.dumps(client.nb), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
