"""Every list in every format, and which of them caches and compressors may treat how."""

import csv
import json
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from api.app import create_app
from api.formats import MEDIA_TYPES, Format, chosen
from api.keys import Scope, create_key
from api.options import Options
from tests.helpers.api import running
from tests.helpers.examples import FILE
from tests.helpers.judged import FactMaker
from tests.helpers.recorded import people
from warehouse.lake import Lake


def rows_of(answer: Any) -> Any:
    """The rows of a list, also of one in an envelope; None where there are none."""
    return answer.get("items", answer.get("data")) if isinstance(answer, dict) else answer


EXAMPLES = json.loads(FILE.read_text())
LISTS = {
    name: example["request"]
    for name, example in EXAMPLES.items()
    if "body" not in example and isinstance(rows_of(example["answer"]), list)
}
BRC20 = "/v1/indexer/brc20"


def flat(value: Any) -> Any:
    """A value as columns hold it: what is nested is text."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (list, dict)) else value


def cell(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_the_same_rows_in_every_format(client: httpx.Client, name: str) -> None:
    rows = [{key: flat(value) for key, value in row.items()} for row in rows_of(client.get(LISTS[name]).json())]
    assert rows
    tags = {client.get(LISTS[name]).headers["etag"]}
    for format_, media_type in MEDIA_TYPES.items():
        if format_ is Format.JSON:
            continue
        response = client.get(LISTS[name], headers={"Accept": media_type})
        assert response.headers["content-type"] == media_type
        assert "Accept" in response.headers["vary"]
        tags.add(tag := response.headers["etag"])
        again = client.get(LISTS[name], headers={"Accept": media_type, "If-None-Match": tag})
        assert again.status_code == 304
        content = response.content
        if format_ is Format.CSV:
            assert list(csv.DictReader(StringIO(response.text))) == [
                {key: cell(value) for key, value in row.items()} for row in rows
            ]
        elif format_ is Format.NDJSON:
            assert [json.loads(line) for line in content.splitlines()] == rows
        elif format_ is Format.ARROW:
            assert pa.ipc.open_stream(content).read_all().to_pylist() == rows
        else:
            assert pq.read_table(BytesIO(content)).to_pylist() == rows
    assert len(tags) == 5


def test_an_empty_list_still_names_its_columns(client: httpx.Client) -> None:
    path = f"{BRC20}/WTF/holders?skip=100000"
    assert client.get(path).json() == []
    table = pa.ipc.open_stream(client.get(path, headers={"Accept": MEDIA_TYPES[Format.ARROW]}).content).read_all()
    assert table.num_rows == 0
    assert "overall_balance" in table.schema.names
    header = client.get(path, headers={"Accept": "text/csv"}).text
    assert header.strip().split(",") == table.schema.names


@pytest.mark.parametrize(
    "path", [f"{BRC20}/WTF/info", f"{BRC20}/WTF/holders?include_virtual=true", f"{BRC20}/NOPE/holders", "/live"]
)
def test_what_is_no_list_stays_as_it_is(client: httpx.Client, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/csv"})
    assert response.headers["content-type"] == "application/json"
    assert isinstance(response.json(), dict)


def test_an_envelope_gives_its_rows_and_where_to_go_on(client: httpx.Client) -> None:
    """Either shape of a list that has two, and columns also without rows."""
    changes = "/v1/indexer/swap/balance-changes"
    asked = {"Accept": MEDIA_TYPES[Format.NDJSON]}
    page = client.get(changes, params={"limit": 2}, headers=asked)
    further = client.get(changes, params={"limit": 2, "cursor": page.headers["x-next-cursor"]}, headers=asked)
    told = [json.loads(line)["id"] for response in (page, further) for line in response.text.splitlines()]
    assert told == [row["id"] for row in client.get(changes, params={"limit": 4}).json()["items"]]
    path = f"{changes}/address/{people()['alice']}"
    for aggregated in ("false", "true"):
        rows = client.get(path, params={"aggregated": aggregated}).json()["items"]
        lines = client.get(path, params={"aggregated": aggregated}, headers=asked).text.splitlines()
        assert [[*json.loads(line)] for line in lines] == [[*row] for row in rows] != []
    header = client.get(f"{changes}?address=POOL::A-B", headers={"Accept": "text/csv"}).text
    assert header.startswith("id,change_ref,")


def test_what_is_streamed_stays_as_it_is(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole list for a key, which may be of any length, is never held in memory."""
    monkeypatch.setattr("api.envelopes.MOST", 3)
    _, key = create_key(lake, "reader", [Scope.READ])
    with running(create_app(lake)) as client:
        response = client.get(f"{BRC20}/WTF/history/all", headers={"Accept": "text/csv", "X-API-Key": key})
        assert response.headers["content-type"] == "application/json"
        assert len(response.json()["data"]) == response.json()["total_count"] > 3
        capped = client.get(f"{BRC20}/WTF/history/all", headers={"Accept": "text/csv"})
        assert (capped.headers["content-type"], len(capped.text.splitlines())) == ("text/csv", 4)


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("", Format.JSON),
        ("*/*", Format.JSON),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", Format.JSON),
        ("text/csv", Format.CSV),
        ("TEXT/CSV; q=0.5, application/x-ndjson", Format.NDJSON),
        ("text/csv;q=0, application/json", Format.JSON),
        ("text/csv;q=x", Format.JSON),
        ("text/csv;q=nan", Format.JSON),
        ("application/json, text/csv", Format.JSON),
    ],
)
def test_accept_is_read_by_its_qualities(accept: str, format_: Format) -> None:
    assert chosen(accept) is format_


def test_large_answers_are_compressed_for_those_who_can_read_that(client: httpx.Client) -> None:
    path = f"{BRC20}/block-hashes"
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert "content-encoding" not in client.get("/live", headers={"Accept-Encoding": "gzip"}).headers


def test_what_is_buried_may_be_kept_and_nothing_else(tmp_path: Path) -> None:
    with Lake.create(tmp_path / "lake", "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(120))
    with running(create_app(tmp_path / "lake", options=Options(anonymous_rate="100000/minute"))) as client:
        for path, kept in {
            "history-by-height/119": True,
            "history-by-height/120": False,
            "history-by-height/219": False,
            "history-by-height/119?limit=1": True,
            "block-hashes?from=100&to=119": True,
            "block-hashes?from=100&to=120": False,
            "block-hashes?from=100": False,
            "history-by-height/119/all": False,
            "list": False,
        }.items():
            cached = client.get(f"{BRC20}/{path}").headers["cache-control"]
            assert ("immutable" in cached) == kept, path
            assert cached.startswith("public, ")
        assert client.get(f"{BRC20}/history-by-height/99").headers["cache-control"] == "no-store"
