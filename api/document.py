"""The OpenAPI document after the framework made it."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

Step = Callable[[str, dict[str, Any]], None]
"""Adds to an operation, given its HTTP method."""


def complete(app: FastAPI, *steps: Step) -> None:
    """Let `steps` add to every operation of the document of `app`, once."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            for methods in generate()["paths"].values():
                for method, operation in methods.items():
                    for step in steps:
                        step(method, operation)
        return generate()

    # The framework's documented way to change its document.
    app.openapi = openapi  # type: ignore[method-assign]
