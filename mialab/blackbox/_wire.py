"""What travels between the prediction service and its clients: requests read strictly, answers written exactly.

Two wire formats: Vertex AI's (JSON) and the SageMaker runtime's (JSON or CSV). Every float is written with as many
digits as bring back the very same float, and whatever is refused is refused with a sentence.
"""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

JSON, CSV = "application/json", "text/csv"
LARGEST = float(np.finfo(np.float32).max)  # many models compute in single precision; beyond it they fail

# What Google's and Amazon's clients call each status.
_GOOGLE = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "INTERNAL",
}
_AMAZON = {
    401: "AccessDeniedException",
    403: "AccessDeniedException",
    429: "ThrottlingException",
    500: "InternalFailure",
    502: "ModelError",
}


class Refused(Exception):
    """A request that gets no prediction: the HTTP status, a sentence that says why, and headers."""

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None):
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, dict(headers or {})


def error_body(path: str, status: int, sentence: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The JSON body and the headers of an error, in the shape that the clients of this path read."""
    if path.startswith("/endpoints/"):
        return {"error": sentence, "message": sentence}, {"x-amzn-ErrorType": _AMAZON.get(status, "ValidationError")}
    if path.endswith(":predict"):
        google = {"code": status, "message": sentence, "status": _GOOGLE.get(status, "INVALID_ARGUMENT")}
        return {"error": google}, {}
    return {"error": sentence}, {}


# Reading


def media_type(header: str | None, allowed: tuple[str, ...]) -> str:
    """The media type of a request's body, one of `allowed`; only UTF-8 is read."""
    kind, *rest = [part.strip() for part in (header or "").lower().split(";")]
    if kind not in allowed:
        came = f"Content-Type is {_short(kind)}" if kind else "there is no Content-Type"
        raise Refused(415, f"{came}; it should be {' or '.join(allowed)}")
    charset = dict(part.partition("=")[::2] for part in rest).get("charset", "utf-8").strip('"')
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Refused(415, f"the body's charset is {_short(charset)}; it should be utf-8")
    return kind


def accepted(header: str | None) -> str:
    """The media type to answer in: what `Accept` weighs highest of JSON and CSV (RFC 9110, section 12.5.1)."""
    if not (header or "").strip():
        return JSON
    weights: dict[str, float] = {}
    for one in header.lower().split(","):
        kind, *parameters = [part.strip() for part in one.split(";")]
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            weights[kind] = float(weight)
        except ValueError:
            raise Refused(400, f"Accept holds the weight {_short(weight)}; q should be a number from 0 to 1") from None

    def weight_of(kind: str) -> float:  # the most specific range counts
        family = kind.split("/")[0] + "/*"
        return next((weights[name] for name in (kind, family, "*/*") if name in weights), 0.0)

    best = max((JSON, CSV), key=weight_of)
    if weight_of(best) <= 0:
        raise Refused(406, f"Accept is {_short(header)}; this service can answer in {JSON} or {CSV}")
    return best


def parse_json(body: bytes) -> Any:
    """The JSON value that a body holds; every number becomes a float, and no name may come twice."""
    try:
        return json.loads(
            _text(body),
            object_pairs_hook=_unique,
            parse_int=float,  # a whole number of a thousand digits is no trouble: it is infinite, and refused as such
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refused(400, f"the body is not valid JSON ({error.msg}, {where})") from None
    except RecursionError:
        raise Refused(400, "the body is nested too deeply; instances should be a list of records") from None


def vertex_records(
    body: bytes, n_features: int | None, max_batch: int, names: list[str] | None = None
) -> np.ndarray | list[dict]:
    """The records of a Vertex AI request, {"instances": [[...], ...]}, as an (n, n_features) array.

    Where the model's columns have `names`, a record may be an object, as Vertex has it for tables: {"age": 61, ...}.
    Then it is the list of these objects.
    """
    asked = parse_json(body)
    if not isinstance(asked, dict) or "instances" not in asked:
        raise Refused(400, 'the body should be a JSON object with a list of records: {"instances": [[...], ...]}')
    if not isinstance(asked.get("parameters", {}), dict | None):
        raise Refused(400, f"parameters is {_short(asked['parameters'])}; it should be a JSON object")
    return _table_or_objects(asked["instances"], n_features, max_batch, names)


def sagemaker_records(
    body: bytes, kind: str, n_features: int | None, max_batch: int, names: list[str] | None = None
) -> np.ndarray | list[dict]:
    """The records of a SageMaker request as an (n, n_features) array, or as for Vertex a list of objects.

    JSON: {"instances": [[...], ...]}, {"instances": [{"features": [...]}, ...]} (Amazon's common format), or the
    bare list of records. CSV: one record a line, no header.
    """
    if kind == CSV:
        return table("the CSV body", _csv_rows(body, n_features, max_batch), n_features, max_batch)
    asked = parse_json(body)
    if isinstance(asked, dict):
        if "instances" not in asked:
            raise Refused(400, 'the body should hold a list of records: {"instances": [[...], ...]}')
        asked = asked["instances"]
    if isinstance(asked, list):
        asked = [one["features"] if isinstance(one, dict) and list(one) == ["features"] else one for one in asked]
    return _table_or_objects(asked, n_features, max_batch, names)


def _table_or_objects(rows: Any, n_features: int | None, max_batch: int, names: list[str] | None) -> Any:
    if names and isinstance(rows, list) and rows and isinstance(rows[0], dict):
        return objects(rows, names, max_batch)
    return table("instances", rows, n_features, max_batch)


def objects(rows: list[Any], names: list[str], max_batch: int) -> list[dict[str, Any]]:
    """`rows`, as JSON brought them, as objects with a number, a text, true, false or null for each of the `names`."""
    if len(rows) > max_batch:
        raise Refused(400, f"instances holds {len(rows)} records; a request may hold at most {max_batch}")
    wanted = set(names)
    for i, row in enumerate(rows):
        if not isinstance(row, dict):
            raise Refused(400, f"instances[{i}] is {_short(row)}; it should be an object, as the first record is")
        for name in wanted ^ row.keys():
            trouble = "is missing" if name in wanted else "is not known"
            raise Refused(400, f"instances[{i}]: {_short(name)} {trouble}; the columns are {', '.join(names)[:200]}")
        for name, value in row.items():
            if not (value is None or isinstance(value, str | bool | float)):
                raise Refused(400, f"instances[{i}].{_short(name)} is {_short(value)}; it should be one value")
            if type(value) is float and not abs(value) <= LARGEST:
                raise Refused(
                    400, f"instances[{i}].{_short(name)} is {value!r}; it should be finite, at most {LARGEST:.3g}"
                )
    return rows


def table(name: str, rows: Any, n_features: int | None, max_batch: int) -> np.ndarray:
    """`rows`, as JSON brought them, as an (n, n_features) array of finite numbers."""
    wanted = f"a list of {n_features or 'equally many'} numbers"
    if not isinstance(rows, list):
        raise Refused(400, f"{name} is {_short(rows)}; it should be a list of records, each {wanted}")
    if not rows:
        raise Refused(400, f"{name} holds no records; it should hold at least one")
    if len(rows) > max_batch:
        raise Refused(400, f"{name} holds {len(rows)} records; a request may hold at most {max_batch}")
    for i, row in enumerate(rows):
        if not isinstance(row, list):
            hint = ", so put a single record in a list: [[...]]" if isinstance(row, float) else ""
            raise Refused(400, f"{name}[{i}] is {_short(row)}; it should be {wanted}{hint}")
        if len(row) != (n_features or len(rows[0])) or not row:
            raise Refused(400, f"{name}[{i}] has {len(row)} numbers; it should have {n_features or len(rows[0]) or 1}")
        for j, value in enumerate(row):
            if type(value) is not float:
                raise Refused(400, f"{name}[{i}][{j}] is {_short(value)}; it should be a number")
            if not abs(value) <= LARGEST:
                raise Refused(400, f"{name}[{i}][{j}] is {value!r}; it should be finite, at most {LARGEST:.3g}")
    return np.array(rows)


def _csv_rows(body: bytes, n_features: int | None, max_batch: int) -> list[Any]:
    """A list of cells for each line; where their count alone has it refused, the numbers are not read."""
    lines = _text(body).replace("\r\n", "\n").removesuffix("\n").split("\n")
    if lines == [""] or len(lines) > max_batch:
        return lines if lines != [""] else []
    rows: list[list[Any]] = [line.split(",") for line in lines]
    width = n_features or len(rows[0])
    return [[_number(cell) for cell in row] if len(row) == width else row for row in rows]


def _number(cell: str) -> float | str:
    """The float that a cell spells, or the cell itself, to be refused; Python alone reads "1_000" as a number."""
    try:
        return cell if "_" in cell or not cell.isascii() else float(cell)
    except ValueError:
        return cell


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(400, "the body is not UTF-8 text") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:  # each name is looked up once: whoever sends 100,000 equal ones must not be waited for
        if name in found:
            raise Refused(400, f"the body names {_short(name)} twice; each name should come once")
        found[name] = value
    return found


def _no_constant(constant: str) -> NoReturn:
    raise Refused(400, f"the body holds {constant}, which is not JSON; every measurement should be a finite number")


def _short(value: Any) -> str:
    """`value` in JSON, cut where it is long; a sentence need not carry a stranger's megabyte."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value if value is None or isinstance(value, bool) else str(value)[:60])


# Writing


def predictions_json(proba: np.ndarray, **others: Any) -> bytes:
    """A JSON answer, {"predictions": [[p, ...], ...]} and whatever else its route says."""
    return json.dumps({"predictions": proba.tolist(), **others}, allow_nan=False).encode()


def predictions_csv(proba: np.ndarray) -> bytes:
    """A CSV answer: one record a line, one column a class."""
    return "".join(",".join(map(repr, row)) + "\n" for row in proba.tolist()).encode()


def seconds(wait: float) -> int:
    """A wait in whole seconds, as `Retry-After` has it; never too short."""
    return max(1, math.ceil(wait))


# Addresses and keys


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, asked of itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def a_key(name: str, key: Any) -> str:
    """A key that fits into an HTTP header, or a ValueError that does not repeat it."""
    if not isinstance(key, str) or not key or not all("!" <= sign <= "~" and sign != "," for sign in key):
        raise ValueError(f"{name} holds a key that is no text of visible ASCII signs without spaces and commas")
    return key
