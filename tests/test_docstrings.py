"""Every public name explains itself: a docstring that begins with a sentence, and a short example that runs.

An example has at hand what its own public module offers, and NumPy as np; whatever else it needs, it imports.
"""

import doctest
import importlib
import inspect
import pkgutil
import sys
from functools import cached_property
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from mialab import exercises

plt.switch_backend("agg")
PACKAGE = Path(exercises.__file__).parent.parent
CHAPTERS = {f"mialab.exercises.{name}" for name in exercises.MODULES}  # their examples are the notebooks
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def public_modules(folder=PACKAGE, prefix="mialab."):
    """The names of all public modules, read off the folders: a module that takes long is imported by its own test."""
    for found in pkgutil.iter_modules([str(folder)]):
        if not found.name.startswith("_") and prefix + found.name != "mialab.cli":
            yield prefix + found.name
            if found.ispkg:
                yield from public_modules(folder / found.name, f"{prefix}{found.name}.")


def offered(module):
    """What a public module offers, by name: what its __all__ says, or what it defines under a public name."""
    own = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    names = getattr(module, "__all__", own)
    return {name: getattr(module, name) for name in names if not name.startswith("_")}


def functions_and_classes(module):
    return {
        name: value for name, value in offered(module).items() if inspect.isclass(value) or inspect.isroutine(value)
    }


def methods(thing):
    """The public methods and properties that a class itself defines."""
    kinds = (classmethod, staticmethod, property, cached_property)
    own = vars(thing).items() if inspect.isclass(thing) else ()
    return {
        name: each for name, each in own if name[0] != "_" and (inspect.isfunction(each) or isinstance(each, kinds))
    }


def faults(module):
    """What is wrong with the docstrings of a module, one line each."""
    for name, thing in functions_and_classes(module).items():
        if ">>>" not in (thing.__doc__ or ""):
            yield f"{name} has no example"
        for part, each in {name: thing, **{f"{name}.{own}": method for own, method in methods(thing).items()}}.items():
            first = inspect.cleandoc(each.__doc__ or "").partition("\n")[0]
            if not first.endswith((".", "?", ":")):
                yield f"{part} does not begin with a sentence on one line: {first!r}"


MODULES = sorted(public_modules())


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring_and_an_example(name):
    assert list(faults(importlib.import_module(name))) == []


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in MODULES if name not in CHAPTERS])
def test_the_examples_are_true(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # an example may write a file, and reads no learner's progress
    monkeypatch.delenv("MIALAB_WORKBOOK", raising=False)
    module = importlib.import_module(name)
    at_hand = {"np": np} | {each: value for each, value in vars(module).items() if each.isupper()} | offered(module)
    things, said = functions_and_classes(module), []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for each, thing in things.items():
        for example in doctest.DocTestFinder(exclude_empty=True).find(
            thing, f"{name}.{each}", module=sys.modules[thing.__module__], globs=at_hand
        ):
            runner.run(example, out=said.append)
    plt.close("all")
    assert runner.failures == 0, "".join(said)
    assert runner.tries > 0 or not things


def test_a_missing_example_and_a_clipped_first_line_are_noticed():
    class Silent:
        """
        One thing and
        another
        """

        def shout(self):
            pass

    module = type(sys)("silent")
    Silent.__module__, module.Silent = "silent", Silent
    assert [fault.split(" ", 1)[0] for fault in faults(module)] == ["Silent", "Silent", "Silent.shout"]
