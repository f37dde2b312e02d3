"""`mialab audit`: attack a saved model, or a remote one, with two CSV files of members and non-members."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mialab.cli._serve import load_model

if TYPE_CHECKING:
    import pandas as pd

HELP = "attack a model with all that an attacker may know, and write a report"
KEY_VARIABLE = "MIALAB_KEY"
LEAKS, UNKNOWN = 3, 4  # exit codes with --fail-above


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `mialab audit` its options."""
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a file saved with skops; else --url or --answers")
    parser.add_argument("--members", metavar="CSV", required=True, help="the records that trained the model")
    parser.add_argument("--non-members", metavar="CSV", required=True, help="comparable records that did not")
    parser.add_argument("--label", metavar="COLUMN", required=True, help="the column that holds the recorded label")
    parser.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave this column out")
    parser.add_argument("--group", metavar="COLUMN", help="a table by the groups in this column, which the model skips")
    parser.add_argument("--trust", action="append", default=[], metavar="TYPE", help="load this type from the file too")
    parser.add_argument("--url", help="ask a prediction service in place of a file")
    parser.add_argument(
        "--answers", metavar="PREFIX", help="no model: columns PREFIXclass of both files hold its probabilities"
    )
    parser.add_argument("--name", default=None, help="what the service calls the model, and what the report calls it")
    parser.add_argument(
        "--estimator",
        metavar="MODULE:FUNCTION",
        help="how to train such a model: a function of a seed, or an estimator",
    )
    parser.add_argument(
        "--fit-param", action="append", default=[], metavar="NAME=COLUMN",
        help="hand this column, which the model skips, to the fit of every shadow model: sample_weight=weight",
    )  # fmt: skip
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """How it is audited, and where the report goes."""
    parser.add_argument("--shadows", type=int, default=None, help="how many shadow models; 0 for none (32)")
    parser.add_argument("--shadow-members", type=int, metavar="N", help="how many records train each of them")
    parser.add_argument("--shadows-file", metavar="FILE", help="use the shadows kept there, and keep new ones there")
    parser.add_argument("--attack", action="append", metavar="NAME", help="run this attack, not all of them")
    parser.add_argument("--questions", type=int, default=100, help="of the label-only attack about a record; 0: none")
    parser.add_argument("--base-rate", type=float, default=0.01, help="share of members among suspects (0.01)")
    parser.add_argument("--allow-overlap", action="store_true", help="where more than 5%% are in both sets, go on")
    parser.add_argument("--seed", type=int, default=0, help="random_state of the shadow models (0)")
    parser.add_argument("--jobs", type=int, help="train so many shadow models at once (1)")
    parser.add_argument("--progress", action="store_true", help="say on the standard error how far it is")
    parser.add_argument("--out", default="audit.html", help="where the report goes, the numbers beside it as .json")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier report")
    parser.add_argument(
        "--fail-above", action="append", default=[], metavar="LIMIT",
        help=f"exit with code {LEAKS} if the model leaks and an attack passes this limit: an AUC (0.6), members caught "
        f"at so many false alarms (tpr@0.01=0.05), or members above every non-member (above=3); with {UNKNOWN} on too "
        "little evidence, and where these non-members cannot judge it; 0 is no clearance. May be given more than once",
    )  # fmt: skip
    parser.epilog = (
        f"A service that wants a key is given the one in the environment variable {KEY_VARIABLE}. Interrupted (Ctrl-C) "
        "while it trains, the audit goes on with the shadow models that are trained."
    )


def run(options: argparse.Namespace) -> int:
    """Audit the model, write the report, and print the answer."""
    import numpy as np

    from mialab.audit import audit

    if [options.model, options.url, options.answers].count(None) != 2:
        raise ValueError("give either a model file or --url, the address of a prediction service, or --answers")
    limits, out = dict(_limit(words) for words in options.fail_above), _free(options)
    options.fit_param = dict(_fit_param(words) for words in options.fit_param)
    if Path(options.members).expanduser().resolve() == Path(options.non_members).expanduser().resolve():
        raise ValueError(f"--members and --non-members are the same file, {options.members}")
    model, name = _model(options)
    files = (("--members", options.members), ("--non-members", options.non_members))
    sets, of_fit = zip(*[_records(flag, path, options, model) for flag, path in files], strict=True)
    if options.answers:
        model, sets = _answers(sets, options.answers)
    _check_budget(model, sets)
    found = audit(
        model,
        *[(X, y) for X, y, _ in sets],
        estimator=_recipe(options.estimator),
        n_shadows=options.shadows,
        n_members=options.shadow_members,
        shadows=_kept(options.shadows_file, sets),
        attacks=options.attack,
        n_questions=options.questions,
        groups=None if options.group is None else [group for _, _, group in sets],
        base_rate=options.base_rate,
        allow_overlap=options.allow_overlap,
        fit_params={each: np.concatenate([columns[each] for columns in of_fit]) for each in options.fit_param},
        name=name,
        random_state=options.seed,
        n_jobs=options.jobs,
        progress=options.progress,
    )
    if options.shadows_file and found.shadows is not None:
        found.shadows.save(Path(options.shadows_file).expanduser())
    page, numbers = found.save(out, overwrite=options.overwrite)
    print(found, *[f"- {sentence}" for sentence in found.advice()], sep="\n")
    print(f"The report is {page}, its numbers are {numbers}.")
    return _exit_code(found, limits)


def _exit_code(found: Any, limits: dict[str, float]) -> int:
    if not limits:
        return 0
    if found.outcome in ("too little evidence", "cannot judge"):
        return UNKNOWN
    passed = found.exceeds(limits) if found.outcome == "leaks" else []
    for sentence in passed:
        print(sentence)
    return LEAKS if passed else 0


def _limit(words: str) -> tuple[str, float]:
    """The name and the value of a limit: 0.6 is one of the AUC."""
    name, equals, value = words.rpartition("=")
    name = name if equals else "auc"
    try:
        if name not in ("auc", "above") and not 0 <= float(name.removeprefix("tpr@")) <= 1:
            raise ValueError(name)
        return name, float(value)
    except ValueError:
        raise ValueError(
            f"--fail-above is {words!r}; it should be an AUC such as 0.6, tpr@0.01=0.05, or above=3"
        ) from None


def _fit_param(words: str) -> tuple[str, str]:
    name, equals, column = words.partition("=")
    if not (name.isidentifier() and equals and column):
        raise ValueError(f"--fit-param is {words!r}; it should be NAME=COLUMN, such as sample_weight=weight")
    return name, column


def _check_budget(model: Any, sets: Sequence[tuple]) -> None:
    left, n_questions = getattr(model, "queries_left", None), sum(len(y) for _, y, _ in sets)
    if left is not None and left < n_questions:
        raise ValueError(f"the audit asks about {n_questions} records, and {left} queries are left of the budget")


def _recipe(words: str | None) -> Any:
    """What MODULE:FUNCTION names; modules in the current folder are found."""
    if words is None:
        return None
    module, _, name = words.partition(":")
    sys.path.insert(0, "")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(f"--estimator is {words!r}; it should be MODULE:FUNCTION, not found here ({error})") from None
    finally:
        sys.path.remove("")


def _kept(path: str | None, sets: Sequence[tuple]) -> Any:
    """The shadows of an earlier audit of these records, if there are any."""
    if path is None or not Path(path).expanduser().exists():
        return None
    import numpy as np

    from mialab.audit._inputs import stack
    from mialab.shadows import load_shadows

    (X_in, y_in, _), (X_out, y_out, _) = sets
    return load_shadows(Path(path).expanduser(), stack(X_in, X_out), np.concatenate([y_in, y_out]))


def _answers(sets: Sequence[tuple], prefix: str) -> tuple[tuple[Any, Any], list[tuple]]:
    """The recorded answers of both sets, columns named by class, and the sets without them."""
    tables, others = [], []
    for X, y, group in sets:
        own = [name for name in X.columns if name.startswith(prefix)]
        if not own:
            raise ValueError(f"--answers is {prefix!r}, and no column begins so; there are {list(X.columns)}")
        kind = type(y.tolist()[0])
        tables.append(X[own].rename(columns={name: kind(name.removeprefix(prefix)) for name in own}))
        rest = X.drop(columns=own)
        others.append((rest if rest.shape[1] else None, y, group))
    return tuple(tables), others


def _free(options: argparse.Namespace) -> Path:
    """Where the report goes; a ValueError, before the work and not after it, where something is there."""
    out = Path(options.out).expanduser()
    for file in (out, out.with_suffix(".json")):
        if file.exists() and not options.overwrite:
            raise ValueError(f"{file} is there already; choose another with --out, or add --overwrite")
    if out.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"--out is {options.out!r}; it should end in .html (the numbers go beside it as .json)")
    return out


def _model(options: argparse.Namespace) -> tuple[Any, str]:
    """What is audited, None for recorded answers, and what the report calls it."""
    if options.answers:
        return None, options.name or "recorded answers"
    if options.url:
        from mialab.blackbox import RemoteModel

        name = options.name or "model"
        return RemoteModel(options.url, name=name, key=os.environ.get(KEY_VARIABLE)), name
    path = Path(options.model).expanduser()
    if not path.is_file():
        raise ValueError(f"there is no file {options.model!r}")
    return load_model(path, options.trust), options.name or path.name.removesuffix(".skops")


def _records(flag: str, path: str, options: argparse.Namespace, model: Any) -> tuple[tuple[Any, Any, Any], dict]:
    """The records, labels and groups of one CSV file, as the model takes them, and what `fit` takes besides.

    Empty cells are NaN.
    """
    import pandas as pd

    file = Path(path).expanduser()
    if not file.is_file():
        raise ValueError(f"{flag}: there is no file {path!r}")
    try:
        table = pd.read_csv(file)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(f"{flag}: {path} is no CSV file with a first line of column names ({error})") from error
    of_group = [options.group] if options.group else []
    apart = list(dict.fromkeys([options.label, *options.drop, *of_group, *options.fit_param.values()]))
    for column in apart:
        _known_column(flag, path, table, column)
    if table[options.label].isna().any():
        raise ValueError(f"{flag}: {path} has empty cells in {[options.label]}; every record needs a label")
    X, labels = table.drop(columns=apart), table[options.label]
    y = labels.to_numpy() if labels.dtype.kind in "biuf" else labels.to_numpy(dtype=str)
    group = table[options.group].astype(str).to_numpy() if options.group else None
    if model is not None and not hasattr(model, "feature_names_in_"):  # the order of the columns is all it knows
        strange = [name for name, kind in X.dtypes.items() if kind.kind not in "biuf"]
        if strange:
            raise ValueError(f"{flag}: {path} has columns of text, {strange}, and the model was trained on numbers")
        X = X.to_numpy(dtype=float)
    return (X, y, group), {name: table[column].to_numpy() for name, column in options.fit_param.items()}


def _known_column(flag: str, path: str, table: pd.DataFrame, column: str) -> None:
    if column not in table.columns:
        wrong = " Is it separated by semicolons?" if len(table.columns) == 1 and ";" in table.columns[0] else ""
        raise ValueError(f"{flag}: {path} has no column {column!r}; it has {list(table.columns)}.{wrong}")
