"""What the notebooks' sentences claim, checked beside the notebooks; a module for each, `n04` for notebook 04.

A claim quotes its sentence, and the cell after which its values are there. `make test` runs it in the kernel of nbval's
run of the notebook, right after that cell, before another binds the names anew (see tests/beside_nbval.py). A claim
is about *this draw*, or it is a *law*: then it says how the values come about, and tests/test_claims.py has them made
again with other seeds and in the other settings that it names.
"""

from __future__ import annotations

import importlib.util
import inspect
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

Again = Callable[..., dict[str, Any]]
_claims: dict[str, list[Claim]] = {}


class Claim(NamedTuple):
    """A sentence of a notebook, the cell that bears it out, and the check, whose arguments are the notebook's names."""

    check: Callable[..., None]
    cell: str
    says: str
    again: Again | None = None  # of a law: from a seed and a setting, what the check asks for
    settings: tuple[dict[str, Any], ...] = ({},)  # those that a law holds for, its notebook's first

    def fault(self, values: dict[str, Any]) -> str:
        """Why the claim does not hold for these values; "" if it does."""
        try:
            self.check(*(values[name] for name in inspect.signature(self.check).parameters))
        except KeyError as error:
            return f"the notebook has no {error}"
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__} {error} at `{last.line}` ({last.name})"
        return ""


def claim(cell: str, says: str, *, again: Again | None = None, settings: tuple[dict[str, Any], ...] = ({},)):
    """Decorator of a check: `cell` and `says` each stand in one cell of the notebook, once; `again` makes it a law."""

    def register(check: Callable[..., None]) -> Callable[..., None]:
        _claims.setdefault(check.__module__[-2:], []).append(Claim(check, cell, says, again, settings))
        return check

    return register


def claims_of(number: str) -> list[Claim]:
    """The claims of a notebook, by its two digits; none if nobody wrote any."""
    if number not in _claims and importlib.util.find_spec(f"claims.n{number}"):
        importlib.import_module(f"claims.n{number}")
    return _claims.get(number, [])


def hold(number: str, source: str, values: dict[str, Any]) -> None:
    """Check the claims of one cell; AssertionError with each sentence that does not hold, and why."""
    faults = [(c.says, c.fault(values)) for c in claims_of(number) if c.cell in source]
    if broken := [f"“{says}” does not hold: {fault}" for says, fault in faults if fault]:
        raise AssertionError("\n".join(broken))
