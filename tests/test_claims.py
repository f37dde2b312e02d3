"""The claims beside the notebooks: each quotes what stands there, laws hold again, and one that breaks is noticed."""

from __future__ import annotations

import inspect
import re
from functools import cache

import nbformat
import pytest
from beside_nbval import HERE, ask
from claims import Claim, claims_of, hold
from hover import without_hover
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, RunningKernel
from refresh_notebooks import notebooks

BOOKS = {path.name[:2]: nbformat.read(path, as_version=4) for path in notebooks()}
CLAIMS = [(number, claim) for number in BOOKS for claim in claims_of(number)]
LAWS = [
    pytest.param(claim, {"seed": 100 + place, **setting}, id=f"{number}-{claim.check.__name__}-{place}")
    for number, claim in CLAIMS if claim.again for place, setting in enumerate(claim.settings)
]  # fmt: skip


def sources(number: str, kind: str) -> list[str]:
    return [c.source for c in BOOKS[number].cells if c.cell_type in kind]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda each: f"{each[0]}-{each[1].check.__name__}")
def test_a_claim_quotes_one_sentence_and_one_cell(claim):
    number, (check, cell, says, *_) = claim
    assert sum(cell in source for source in sources(number, "code")) == 1, f"no cell, or several, with {cell!r}"
    text = " ".join(without_hover("\n".join(sources(number, "code markdown"))).split())
    assert text.count(says) == 1, f"no sentence, or several, with {says!r}"
    bound = set(re.findall(r"\w+", "\n".join(sources(number, "code"))))
    assert set(inspect.signature(check).parameters) <= bound


@cache
def made_again(again, setting: tuple) -> dict:
    """What several laws ask for, made once."""
    return again(**dict(setting))


@pytest.mark.long
@pytest.mark.parametrize(("claim", "setting"), LAWS)
def test_a_law_holds_with_other_seeds_and_in_each_setting_that_it_names(claim, setting):
    assert claim.fault(made_again(claim.again, tuple(setting.items()))) == ""


def test_a_claim_that_breaks_names_its_sentence_and_why(monkeypatch):
    def check(a):
        assert a > 1

    claim = Claim(check, "a = 0", "a is large")
    monkeypatch.setitem(__import__("claims")._claims, "99", [claim])
    assert claim.fault({"a": 2}) == ""
    assert claim.fault({}) == "the notebook has no 'a'"
    hold("99", "a = 2", {"a": 0})  # another cell
    with pytest.raises(AssertionError, match=r"“a is large” does not hold: .* at `assert a > 1` \(check\)"):
        hold("99", "a = 0", {"a": 0})


@pytest.mark.long
def test_what_is_asked_beside_a_cell_leaves_no_trace():
    kernel = RunningKernel(CURRENT_ENV_KERNEL_NAME)
    try:
        assert ask(kernel, f"__import__('sys').path.append({str(HERE)!r})") == ""
        assert ask(kernel, "globals().__setitem__('before', set(globals()))") == ""
        broken = ask(kernel, "__import__('claims').hold('04', 'votes = np.bincount(', {})")
        assert "the notebook has no 'parts'" in broken
        assert ask(kernel, "1 / 0") == "division by zero"
        assert ask(kernel, "1 if set(globals()) - before == {'before'} else 1 / 0") == ""
    finally:
        kernel.stop()
