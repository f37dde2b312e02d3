"""What every student has asked so far, kept so that no sudden end of the service loses or doubles a question."""

from __future__ import annotations

import os
import threading
from pathlib import Path


class Ledger:
    """A file with one line for each payment, `WHO,RECORDS`, which a restart reads; what is given back is negative.

    A line is on the disk before the client is answered. A last line without its end was never answered: it is cut off
    when the file is opened again, lest it be read as another number, or grow together with the next.
    """

    def __init__(self, path: Path):
        self.path, self._lock = path, threading.Lock()
        self.spent: dict[str, int] = {}
        if not path.exists():
            return
        whole, end, _ = path.read_bytes().rpartition(b"\n")
        os.truncate(path, len(whole + end))
        for line in whole.decode("utf-8", "replace").split("\n"):
            who, _, n = line.rpartition(",")
            if who and n.removeprefix("-").isdecimal():
                self.spent[who] = self.spent.get(who, 0) + int(n)

    def note(self, who: str, n: int) -> None:
        """Keep that `who` has paid for `n` records: on the disk when this returns, and not at all if it raises."""
        line = f"{who},{n}\n".encode()
        with self._lock, open(self.path, "ab", buffering=0) as file:
            end = file.tell()
            try:
                if file.write(line) < len(line):
                    raise OSError(f"{self.path} is full")
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise
