"""mialab: membership inference attacks, step by step.

``import mialab`` loads nothing else, so it is instant; ``mialab.metrics`` and every other public module
is imported the first time that it is named (PEP 562).
"""

from types import ModuleType

__version__ = "1.0.0"


def __getattr__(name: str) -> ModuleType:
    """Import the public submodule `name` when it is first asked for."""
    import importlib

    if name in _submodules():
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public submodules beside what is already here."""
    return sorted({*globals(), *_submodules()})


def _submodules() -> set[str]:
    import pkgutil

    return {module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")}
