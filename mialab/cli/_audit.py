"""`mialab audit`: attack a saved model, or a remote one, with two CSV files of members and non-members."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

HELP = "attack a model with all that an attacker may know, and write a report"
KEY_VARIABLE = "MIALAB_KEY"
LEAKS, UNKNOWN = 3, 4  # exit codes with --fail-above


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `mialab audit` its options."""
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a file saved with skops; left out with --url")
    parser.add_argument("--members", metavar="CSV", required=True, help="the records that trained the model")
    parser.add_argument("--non-members", metavar="CSV", required=True, help="comparable records that did not")
    parser.add_argument("--label", metavar="COLUMN", required=True, help="the column that holds the recorded label")
    parser.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave this column out")
    parser.add_argument("--trust", action="append", default=[], metavar="TYPE", help="load this type from the file too")
    parser.add_argument("--url", help="ask a prediction service in place of a file")
    parser.add_argument("--name", default=None, help="what the service calls the model, and what the report calls it")
    parser.add_argument("--shadows", type=int, default=32, help="how many shadow models; 0 for none (32)")
    parser.add_argument("--base-rate", type=float, default=0.01, help="share of members among suspects (0.01)")
    parser.add_argument("--seed", type=int, default=0, help="random_state of the shadow models (0)")
    parser.add_argument("--out", default="audit.html", help="where the report goes, the numbers beside it as .json")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier report")
    parser.add_argument(
        "--fail-above", type=float, metavar="AUC",
        help=f"exit with code {LEAKS} if the model leaks with a larger AUC, and with {UNKNOWN} on too little evidence; "
        "0 is no clearance",
    )  # fmt: skip
    parser.epilog = f"A service that wants a key is given the one in the environment variable {KEY_VARIABLE}."


def run(options: argparse.Namespace) -> int:
    """Audit the model, write the report, and print the answer."""
    from mialab.audit import audit

    if (options.model is None) == (options.url is None):
        raise ValueError("give either a model file or --url, the address of a prediction service")
    out = Path(options.out).expanduser()
    for file in (out, out.with_suffix(".json")):  # before the work, not after it
        if file.exists() and not options.overwrite:
            raise ValueError(f"{file} is there already; choose another with --out, or add --overwrite")
    if Path(options.members).expanduser().resolve() == Path(options.non_members).expanduser().resolve():
        raise ValueError(f"--members and --non-members are the same file, {options.members}")
    model, name = _remote(options) if options.url else _from_file(options)
    sets = [
        _records(flag, path, options, model)
        for flag, path in (("--members", options.members), ("--non-members", options.non_members))
    ]
    left = getattr(model, "queries_left", None)
    n_questions = sum(len(y) for _, y in sets)
    if left is not None and left < n_questions:
        raise ValueError(f"the audit asks about {n_questions} records, and {left} queries are left of the budget")
    found = audit(
        model,
        *sets,
        n_shadows=options.shadows,
        base_rate=options.base_rate,
        name=name,
        random_state=options.seed,
    )
    page, numbers = found.save(out, overwrite=options.overwrite)
    print(found)
    for sentence in found.advice():
        print(f"- {sentence}")
    print(f"The report is {page}, its numbers are {numbers}.")
    if options.fail_above is None:
        return 0
    if found.outcome == "too little evidence":
        return UNKNOWN
    return LEAKS if found.outcome == "leaks" and found.attacks[found.best].auc > options.fail_above else 0


def _from_file(options: argparse.Namespace) -> tuple[Any, str]:
    from mialab.cli._serve import load_model

    path = Path(options.model).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {options.model!r}")
    return load_model(path, options.trust), options.name or path.name.removesuffix(".skops")


def _remote(options: argparse.Namespace) -> tuple[Any, str]:
    from mialab.blackbox import RemoteModel

    name = options.name or "model"
    return RemoteModel(options.url, name=name, key=os.environ.get(KEY_VARIABLE)), name


def _records(flag: str, path: str, options: argparse.Namespace, model: Any) -> tuple[Any, Any]:
    """The records and the labels of one CSV file, as the model takes them."""
    import pandas as pd

    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"{flag}: there is no file {path!r}")
    try:
        table = pd.read_csv(file)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{flag}: {path} is no CSV file with a first line of column names ({error})") from error
    _known_column(flag, path, table, options.label)
    for column in options.drop:
        _known_column(flag, path, table, column)
    empty = table.columns[table.isna().any()].tolist()
    if empty:
        raise ValueError(
            f"{flag}: {path} has empty cells in {empty}; fill them as for the training, or leave the rows out"
        )
    X, labels = table.drop(columns=[options.label, *options.drop]), table[options.label]
    y = labels.to_numpy() if labels.dtype.kind in "biuf" else labels.to_numpy(dtype=str)
    if not hasattr(model, "feature_names_in_"):  # trained on an array: the order of the columns is all it knows
        strange = [name for name, kind in X.dtypes.items() if kind.kind not in "biuf"]
        if strange:
            raise ValueError(f"{flag}: {path} has columns of text, {strange}, and the model was trained on numbers")
        X = X.to_numpy(dtype=float)
    return X, y


def _known_column(flag: str, path: str, table: pd.DataFrame, column: str) -> None:
    if column not in table.columns:
        wrong = " Is it separated by semicolons?" if len(table.columns) == 1 and ";" in table.columns[0] else ""
        raise ValueError(f"{flag}: {path} has no column {column!r}; it has {list(table.columns)}.{wrong}")
