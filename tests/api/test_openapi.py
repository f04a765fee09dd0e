"""The document that describes the API: real examples, all routes, and pages that work without the internet."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.errors import STATUS_CODES, ApiError
from api.links import LINKS
from tests.helpers.examples import FILE, REQUESTS, answers


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    content: dict[str, Any] = client.get("/openapi.json").json()
    return content


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Path and operation of every route."""
    return [(path, operation) for path, methods in document["paths"].items() for operation in methods.values()]


def test_examples_are_what_the_recorded_chain_answers(client: httpx.Client, lake: Path) -> None:
    assert json.loads(FILE.read_text()) == answers(client, lake)


def test_every_route_shows_its_example_and_the_error_body(document: dict[str, Any]) -> None:
    shown = 0
    for path, operation in operations(document):
        responses = operation["responses"]
        if path == "/metrics":
            continue
        if "requestBody" in operation:
            assert "example" in operation["requestBody"]["content"]["application/json"], path
        (content,) = responses["200"]["content"].values()
        assert "example" in content, path
        for status in ("4XX", "5XX"):
            assert responses[status]["content"]["application/json"]["schema"]["$ref"].endswith("ErrorBody"), path
        shown += 1
    assert shown == len(REQUESTS)


def test_every_answer_has_the_documented_fields_and_no_other(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        content = operation["responses"]["200"].get("content", {}).get("application/json")
        if content is None:
            continue
        schema, example = content["schema"], content["example"]
        schema = schema.get("anyOf", [schema])[0]
        if schema.get("type") == "array":
            schema, example = schema["items"], example[0]
        if "$ref" not in schema:
            assert path == "/v1/sql", "its columns are those that were asked for"
            continue
        fields = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]["properties"]
        assert set(fields) == set(example), path


def test_every_link_leads_from_the_example_to_an_answer(client: httpx.Client, document: dict[str, Any]) -> None:
    """With the values that its expressions have there, `next_page` with the next page."""
    routes = {operation["operationId"]: (path, operation) for path, operation in operations(document)}
    followed = set()
    for name, (path, operation) in routes.items():
        for link, definition in operation["responses"]["200"].get("links", {}).items():
            asked = httpx.URL(REQUESTS[name]).copy_remove_param("cursor")
            answer = client.get(asked)
            values = {
                parameter: value_of(expression, answer, path)
                for parameter, expression in definition["parameters"].items()
            }
            if None in values.values():
                assert link == "next_page", f"{name} does not lead to {link}"
                continue
            target, _ = routes[definition["operationId"]]
            in_path = {parameter for parameter in values if f"{{{parameter}}}" in target}
            query = dict(asked.params) if link == "next_page" else {}
            query |= {parameter: value for parameter, value in values.items() if parameter not in in_path}
            response = client.get(target.format(**values), params=query)
            assert response.status_code == 200, (name, link, response.text)
            followed.add(definition["operationId"])
            if link == "next_page":
                assert response.json() != answer.json()
                followed.add(link)
    assert "next_page" in followed
    assert set(LINKS) < set(routes)
    assert {target for targets in LINKS.values() for target in targets} <= followed


def value_of(expression: str, answer: httpx.Response, path: str) -> Any:
    """What a link's expression stands for, None where there is nothing."""
    kind, _, place = expression.partition("#")
    if place:
        value = answer.json()
        for part in place.split("/")[1:]:
            value = value[int(part)] if part.isdecimal() else value[part]
        return value
    if kind.startswith("$response.header."):
        return answer.headers.get(kind.removeprefix("$response.header."))
    template = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)
    match = re.fullmatch(template, answer.url.path)
    assert match is not None
    return match[kind.removeprefix("$request.path.")]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_load_nothing_from_elsewhere(client: httpx.Client, page: str) -> None:
    html = client.get(page).text
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert sources
    for source in sources:
        assert source.startswith("/"), source
        assert client.get(source).status_code == 200


def test_the_page_for_readers_names_every_route_and_every_code(document: dict[str, Any]) -> None:
    page = (Path(__file__).parents[2] / "docs/api.md").read_text()
    for path in document["paths"]:
        shown = re.sub(r"{(\w+)}", lambda name: name[1].upper(), path.removeprefix("/v1/indexer"))
        assert shown == "/" or shown in page, shown
    codes = {error.code for error in ApiError.__subclasses__()} | {ApiError.code, *STATUS_CODES.values()}
    assert codes == {code for code in re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", page) if code in codes or "_" in code}
