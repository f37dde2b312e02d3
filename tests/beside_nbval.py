"""A pytest plugin: what our tests do beside nbval's run of a notebook, in its own kernel, so that it runs only once.

Outputs are compared by their words, and by their figures as nearly as processors agree (tests/nearly.py); every figure
is looked at when it is saved (tests/figures.py); and the claims about a cell are checked right after it
(tests/claims). `make test` loads it with `-p tests.beside_nbval`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def ask(kernel: Any, expression: str) -> str:
    """Evaluate an expression (it leaves no name that a cell might lean on) in a kernel; what it raised, or ""."""
    reply = kernel.kc.execute_interactive(
        expression, silent=True, store_history=False, timeout=600, output_hook=lambda message: None
    )["content"]
    return "" if reply["status"] == "ok" else reply["evalue"]


def pytest_configure(config: Any) -> None:
    import sys

    from nbval.plugin import IPyNbCell, IPyNbFile

    sys.path.append(str(HERE))
    from claims import claims_of
    from nearly import Output

    sanitize, setup, run, teardown = IPyNbCell.sanitize, IPyNbFile.setup, IPyNbCell.runtest, IPyNbFile.teardown

    def ready(self: IPyNbCell, output: Any) -> Any:
        found = sanitize(self, output)
        return Output(found) if isinstance(found, str) else found

    def start(self: IPyNbFile) -> None:
        setup(self)
        self.beside = tempfile.TemporaryDirectory()
        self.figures = Path(self.beside.name) / "figures"
        self.figures.touch()
        assert ask(self.kernel, f"__import__('sys').path.append({str(HERE)!r})") == ""
        assert ask(self.kernel, f"__import__('figures').watch({str(self.figures)!r})") == ""

    def runtest(self: IPyNbCell) -> None:
        file, where = self.parent, f"{self.parent.path.name}, cell {self.cell_num}"
        seen = file.figures.stat().st_size
        run(self)
        with file.figures.open(encoding="utf-8") as figures:
            figures.seek(seen)
            looked_at = [json.loads(line) for line in figures]
        if any(looked_at):
            self.raise_cell_error(f"{where}: a figure has faults: {looked_at}")
        if len(looked_at) < sum(out.get("data", {}).get("text/html", "").count("<img") for out in self.test_outputs):
            self.raise_cell_error(f"{where}: a figure was shown and not looked at")
        number, source = file.path.name[:2], self.cell.source
        if any(claim.cell in source for claim in claims_of(number)):
            broken = ask(file.kernel, f"__import__('claims').hold({number!r}, {source!r}, globals())")
            if broken:
                self.raise_cell_error(f"{where}: {broken}")

    def stop(self: IPyNbFile) -> None:
        teardown(self)
        self.beside.cleanup()

    IPyNbCell.sanitize, IPyNbFile.setup, IPyNbCell.runtest, IPyNbFile.teardown = ready, start, runtest, stop
