"""Where the course's own files are, inside an installed wheel or beside the package; and how a file is written."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_folder() -> Path:
    """Return the folder that holds the course's data and data cards."""
    return _folder("data")


def notebooks_folder() -> Path:
    """Return the folder that holds the course's own notebooks (not the learner's copies)."""
    return _folder("notebooks")


def _folder(name: str) -> Path:
    in_wheel, in_checkout = _PACKAGE / f"_{name}", _PACKAGE.parent / name
    for folder in (in_wheel, in_checkout):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(
        f"the course's {name} folder is neither at {in_wheel} nor at {in_checkout}: "
        f"install mialab again, or get a fresh copy of the course"
    )


def clean(text: str) -> str:
    """The text with a ? for each half of a sign (a lone surrogate), which no file in UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, whenever the machine stops; its folder is made if it is missing.

    A text is cleaned: whatever it quotes, it can be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(draft, "wb") as file:
            file.write(clean(content).encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def free_name(path: Path) -> Path:
    """Return the path itself, or the first of NAME-2, NAME-3, … that nothing has."""
    number, free = 2, path
    while os.path.lexists(free):
        free, number = path.with_name(f"{path.stem}-{number}{path.suffix}"), number + 1
    return free
