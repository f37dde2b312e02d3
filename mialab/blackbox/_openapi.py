"""What the prediction service says of itself: its OpenAPI description, and a page of it that works offline.

FastAPI's own page loads its script from a stranger's server; this one loads nothing.
"""

import json
from typing import Any

from mialab._html import render
from mialab.blackbox._wire import CSV, JSON, LARGEST

_REFUSALS = {
    400: "the body could not be read as records; the sentence names the trouble",
    401: "no key came with the request",
    403: "the key is not known",
    404: "no such model",
    408: "the body did not arrive in time",
    413: "too many bytes",
    415: "the body is of another type, or compressed",
    429: "the budget does not cover these records; with Retry-After where it renews",
    502: "the model failed on these records, which were not charged",
}
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}


class Schemas:
    """The descriptions of the routes, as keywords for FastAPI's decorators."""

    def __init__(self, n_features: int | None, n_classes: int, max_batch: int, keyed: bool, names: list[str] | None):
        self._security = [{name: []} for name in SECURITY] if keyed else []
        number = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
        width = {"minItems": n_features or 1} | ({"maxItems": n_features} if n_features else {})
        self.records = {
            "type": "array",
            "minItems": 1,
            "maxItems": max_batch,
            "items": {"type": "array", "items": number, **width},
        }
        self.instances: dict[str, Any] = self.records
        if names:
            value = {"anyOf": [number, {"type": ["string", "boolean", "null"]}]}
            by_name = _object(dict.fromkeys(names, value)) | {"additionalProperties": False}
            bounds = {bound: self.records[bound] for bound in ("type", "minItems", "maxItems")}
            self.instances = {"anyOf": [self.records, {**bounds, "items": by_name}]}
        probability = {"type": "number", "minimum": 0, "maximum": 1}
        row = {"type": "array", "items": probability, "minItems": n_classes, "maxItems": n_classes}
        self.predictions = {"type": "array", "items": row}
        # Numbers as most programs write them; what Python's float() reads besides is accepted too.
        cell, more = r"-?[0-9]{1,15}(\.[0-9]{1,15})?", f"{{{n_features - 1}}}" if n_features else "*"
        line = f"{cell}(,{cell}){more}"
        self.csv = {"type": "string", "pattern": f"^{line}(\n{line}){{0,{max_batch - 1}}}\n?$"}

    def vertex(self, summary: str) -> dict[str, Any]:
        """A route that speaks Vertex AI's format."""
        text = {"type": "string"}
        names = ("deployedModelId", "model", "modelDisplayName", "modelVersionId")
        answer = _object({"predictions": self.predictions, **dict.fromkeys(names, text)})
        asked = _object({"instances": self.instances}, parameters={"type": ["object", "null"]})
        google = _object({"error": _object({"code": {"type": "integer"}, "message": text, "status": text})})
        return self._route(summary, {JSON: answer}, google, [*_REFUSALS], {JSON: {"schema": asked}})

    def sagemaker(self, summary: str) -> dict[str, Any]:
        """The route that speaks the SageMaker runtime's format."""
        features = {"type": "array", "items": _object({"features": self.records["items"]})}
        features |= {bound: self.records[bound] for bound in ("minItems", "maxItems")}
        asked = {"anyOf": [self.records, _object({"instances": self.instances}), _object({"instances": features})]}
        body = {JSON: {"schema": asked}, CSV: {"schema": self.csv}}
        amazon = _object({"error": {"type": "string"}, "message": {"type": "string"}})
        answer = {JSON: _object({"predictions": self.predictions}), CSV: {"type": "string"}}
        return self._route(summary, answer, amazon, [*_REFUSALS], body)

    def get(self, summary: str, *properties: str, refusals: tuple[int, ...] = ()) -> dict[str, Any]:
        """A route that only tells: an object with at least these properties."""
        return self._route(summary, {JSON: _object({name: {} for name in properties})}, _PLAIN, [*refusals])

    def _route(
        self, summary: str, answer: dict[str, Any], error: dict[str, Any], refusals: list[int], body: Any = None
    ) -> dict[str, Any]:
        refused = {JSON: {"schema": error}}
        responses: dict[int | str, Any] = {200: {"content": {kind: {"schema": one} for kind, one in answer.items()}}}
        responses |= {status: {"description": _REFUSALS[status], "content": refused} for status in refusals}
        # Without a word on the rest FastAPI would promise its own 422, which never comes.
        responses["4XX"] = {"description": "refused, in a sentence", "content": refused}
        extra: dict[str, Any] = {"requestBody": {"required": True, "content": body}} if body else {}
        if self._security and refusals:
            extra["security"] = self._security
        return {"summary": summary, "responses": responses, "openapi_extra": extra}


def _object(properties: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {**properties, **optional}, "required": [*properties]}


_PLAIN = _object({"error": {"type": "string"}})


def docs_page(openapi: dict[str, Any]) -> str:
    """The routes of an OpenAPI description as one plain HTML page."""
    return render("docs.html", openapi=openapi, dumps=json.dumps)
