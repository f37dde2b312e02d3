"""`mialab serve`: a saved model, or one of the course's targets, behind the prediction service until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import logging
import os
import shlex
import signal
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

HELP = "put a model behind a prediction service, until Ctrl-C"
KEYS_VARIABLE = "MIALAB_KEYS"
_PICKLES = (".pkl", ".pickle", ".joblib", ".sav", ".dill", ".cloudpickle")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `mialab serve` its options."""
    parser.add_argument(
        "model", nargs="?", metavar="MODEL", help="a file saved with skops, or the name of a target of the course"
    )
    parser.add_argument("--trust", action="append", default=[], metavar="TYPE", help="load this type from the file too")
    parser.add_argument("--members", type=int, default=75, help="how many flowers a target is trained on (75)")
    parser.add_argument("--seed", type=int, default=0, help="which flowers those are (0)")
    parser.add_argument("--name", help="what the service calls the model (by default the file's or target's name)")
    parser.add_argument("--keys-file", metavar="FILE", help="one NAME=SECRET or NAME=SECRET:BUDGET a line")
    parser.add_argument("--key", action="append", default=[], metavar="NAME=SECRET[:BUDGET]", help="one such line")
    parser.add_argument("--budget", type=int, help="how many records a key may ask about (no limit)")
    parser.add_argument("--period", type=float, metavar="SECONDS", help="a budget is whole again after so long (never)")
    parser.add_argument("--max-batch", type=int, default=1000, help="the most records a request (1000)")
    parser.add_argument("--output", default="probabilities", help="probabilities, rounded, top-1 or label")
    parser.add_argument("--digits", type=int, help="how far to round, with --output rounded (2)")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1: this machine only)")
    parser.add_argument("--port", type=int, default=8000, help="0 is any that is free (8000)")
    parser.add_argument("--example", metavar="CSV", help="the printed call asks about the first record of this file")
    parser.add_argument("--log", metavar="FILE", help="append the log of requests here, rather than print it")
    parser.add_argument("--challenge", metavar="DIR", help="serve the challenge of a class (for its instructor)")
    parser.add_argument("--instructor-key", metavar="FILE", help="the key that the challenge was made with")
    parser.epilog = (
        "The words of a command line can be read by everyone on this machine: keep secrets in a file that only you "
        f"may read (--keys-file), or in the environment variable {KEYS_VARIABLE}, with the lines of such a file."
    )


def run(options: argparse.Namespace) -> int:
    """Serve the model until Ctrl-C, and print one line of JSON a request."""
    from mialab.blackbox import serve

    if options.challenge:
        return _run_challenge(options)
    if not options.model:
        raise ValueError("say what to serve: a file saved with skops, or the name of a target of the course")
    model, found, about = find_model(options)
    name = options.name or found
    record = example_record(model, options.example)
    secrets = read_keys(options)
    settings = {key: getattr(options, key) for key in ("budget", "period", "max_batch", "output", "digits", "host")}
    service = serve(
        model,
        name,
        keys={secret: budget for _, secret, budget in secrets} or None,
        labels={secret: label for label, secret, _ in secrets},
        port=options.port,
        **settings,
    )
    return _keep_up(
        service,
        options.log,
        lambda url: (
            f"{about}, is served at {url} as {name!r}. Ctrl-C stops it. Ask it with:\n"
            f"  {example(url, name, record, bool(secrets))}"
        ),
    )


def _run_challenge(options: argparse.Namespace) -> int:
    """Serve every student's own target until Ctrl-C."""
    from mialab.instructor.challenge._challenge import serve_challenge

    if options.model or options.key or options.keys_file or options.period or options.output != "probabilities":
        raise ValueError("a challenge has its own models and keys: beside --challenge and --instructor-key only "
                         "--budget, --host, --port and --log")  # fmt: skip
    service = serve_challenge(
        options.challenge, options.instructor_key, budget=options.budget, host=options.host, port=options.port
    )
    return _keep_up(service, options.log, lambda url: f"The challenge is served at {url}. Ctrl-C stops it.")


def _keep_up(service: AbstractContextManager[str], log: str | None, words: Callable[[str], str]) -> int:
    _show_log(log)
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped by whatever started it: as by Ctrl-C
    try:
        with service as url:
            print(words(url), flush=True)
            while True:
                time.sleep(3600)
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


def find_model(options: argparse.Namespace) -> tuple[Any, str, str]:
    """The model that the options ask for, a name for it, and what it is, in words."""
    from mialab.targets import TARGETS, make

    if options.model in TARGETS:
        from mialab.data import load_iris, split

        flowers = load_iris()
        parts = split(flowers.X, flowers.y, n_members=options.members, random_state=options.seed)
        model = make(options.model, options.seed).fit(parts.X_in, parts.y_in)
        return model, options.model, f"{options.model}, trained on {options.members} flowers (seed {options.seed})"
    path = Path(options.model).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {options.model!r}, and the course's targets are {', '.join(TARGETS)}")
    model = load_model(path, options.trust)
    return model, path.name.removesuffix(".skops"), f"{type(model).__name__} from {path}"


def load_model(path: Path, trusted: list[str]) -> Any:
    """The model that skops saved; ValueError for other files, and for types that nobody has said to trust."""
    if path.suffix in _PICKLES or not zipfile.is_zipfile(path):
        raise ValueError(
            f"{path} is not a file of skops; a pickle or joblib file is not loaded, for loading one runs whatever "
            "code is in it: save the model with skops.io.dump(model, 'model.skops')"
        )
    import skops.io

    try:
        strange = sorted(set(skops.io.get_untrusted_types(file=path)) - set(trusted))
        model = None if strange else skops.io.load(path, trusted=trusted)
    except Exception as error:  # whatever a broken or hostile file makes skops raise
        raise ValueError(f"skops cannot load {path}: {error}") from error
    if strange:
        words = " ".join(f"--trust {shlex.quote(one)}" for one in strange)
        raise ValueError(
            f"{path} holds types that skops does not trust: {', '.join(strange)}; "
            f"if you know who made the file and what these are, add {words}"
        )
    return model


def read_keys(options: argparse.Namespace) -> list[tuple[str, str, int | None]]:
    """Every (label, secret, budget) from the options, the keys file and the environment."""
    sources = [("--key", options.key), (KEYS_VARIABLE, os.environ.get(KEYS_VARIABLE, "").splitlines())]
    if options.keys_file:
        lines = Path(options.keys_file).expanduser().read_text("utf-8").splitlines()
        sources.append((options.keys_file, lines))
    keys = []
    for source, lines in sources:
        found = [parse_key(source, line.strip()) for line in lines if line.strip() and line.strip()[0] != "#"]
        if not found and (lines or source == options.keys_file):
            raise ValueError(f"{source} holds no keys, so that everyone could ask; a line should be NAME=SECRET")
        keys += found
    if len({secret for _, secret, _ in keys}) < len(keys):
        raise ValueError("two keys have the same secret; each needs its own, for the service knows them by it")
    return keys


def parse_key(source: str, line: str) -> tuple[str, str, int | None]:
    """(label, secret, budget) of NAME=SECRET or NAME=SECRET:BUDGET; a refusal does not repeat the secret."""
    label, equals, rest = line.partition("=")
    secret, colon, budget = rest.rpartition(":")
    if not (colon and budget.isdecimal()):
        secret, budget = rest, ""
    if not (equals and label.strip() and secret):
        raise ValueError(f"{source} holds a key that is not NAME=SECRET or NAME=SECRET:BUDGET")
    return label.strip(), secret, int(budget) if budget else None


def example_record(model: Any, path: str | None) -> Any:
    """A record that the model can read, as JSON has it: a list of numbers, or an object where it has other columns.

    It is the first record of a CSV file, or else all ones. ValueError where the model cannot read it.
    """
    import numpy as np
    import pandas as pd

    from mialab import _checks

    names = getattr(model, "feature_names_in_", None)
    n_features = getattr(model, "n_features_in_", 1)
    if path is not None:
        frame = pd.read_csv(Path(path).expanduser(), nrows=1)
        X = frame if names is not None else frame.iloc[:, :n_features].to_numpy(dtype=float)
    else:
        X = np.ones((1, n_features))
        X = X if names is None else pd.DataFrame(X, columns=names)
    try:
        X = _checks.named("the example", X, model)
        _checks.answers(model, X)
    except Exception as error:  # whatever the model raises
        raise ValueError(
            f"the model cannot read {'that record' if path else 'a record of ones'} "
            f"({str(error).partition(chr(10))[0]}); give --example CSV, a file with one record that it can read"
        ) from error
    if not _checks.is_frame(X) or path is None:
        return np.asarray(X, dtype=float)[0].tolist()
    return json.loads(X.to_json(orient="records"))[0]


def example(url: str, name: str, record: Any, keyed: bool) -> str:
    """A curl command that asks about one record."""
    key = ' -H "Authorization: Bearer $KEY"' if keyed else ""
    body = json.dumps({"instances": [record]})
    return f"curl -H 'Content-Type: application/json'{key} -d {shlex.quote(body)} {url}/v1/models/{name}:predict"


def _show_log(path: str | None) -> None:
    handler = logging.FileHandler(path, encoding="utf-8") if path else logging.StreamHandler(sys.stderr)
    log = logging.getLogger("mialab.service")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
