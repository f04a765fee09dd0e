"""Answers with a body, and what the OpenAPI document says of them."""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
from fastapi.routing import APIRoute
from starlette.responses import Response

from api.errors import ErrorBody
from api.metrics import ROWS

LISTS: Final = ("data", "items")
"""Members of envelopes that hold the rows."""


def answer(body: object) -> Response:
    """`body` as JSON. A list's rows are counted, also those of one in an envelope."""
    count_rows(next((body[name] for name in LISTS if name in body), None) if isinstance(body, dict) else body)
    return Response(orjson.dumps(body), media_type="application/json")


def count_rows(rows: object) -> None:
    """Take the rows of an answer into the metrics; what is no list has none."""
    if isinstance(rows, list | tuple):
        ROWS.inc(len(rows))


def documented(name: str, model: Any) -> dict[str, Any]:
    """Arguments of a route's decorator: its name, the shape of its answer, the error body."""
    return {
        "name": name,
        "response_model": model,
        "responses": {
            "4XX": {"model": ErrorBody, "description": "The request cannot be answered; `code` says why."},
            "5XX": {"model": ErrorBody, "description": "The server cannot answer now; `code` says why."},
        },
    }


def operation_id(route: APIRoute) -> str:
    """What generated clients call the route."""
    return route.name


@cache
def _examples() -> dict[str, Any]:
    examples: dict[str, Any] = orjson.loads(files("api").joinpath("examples.json").read_bytes())
    return examples


def add_example(method: str, operation: dict[str, Any]) -> None:
    """Show what the recorded chain answers. Put in at the end, for FastAPI drops nulls in examples."""
    if example := _examples().get(operation["operationId"]):
        success = operation["responses"]["200"]
        success["description"] = f"For example, on the recorded chain: `{method.upper()} {example['request']}`"
        (content,) = success["content"].values()
        content["example"] = example["answer"]
        if "body" in example:
            operation["requestBody"]["content"]["application/json"]["example"] = example["body"]
