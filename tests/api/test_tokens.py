"""Lists of tokens, sorted and filtered, over a chain with many of them; the formulas of their figures."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.rows import token_info
from engine.judge import Engine
from ingest.networks import REGTEST
from tests.helpers.api import running
from tests.helpers.builders import candidates, headers, operation
from tests.helpers.recorded import people
from warehouse.extensions import Held
from warehouse.lake import Lake
from warehouse.serving_map import Supply, Token
from warehouse.serving_view import Listed

LIST = "/v1/indexer/brc20/list"
UNIT = 10**8


def deploy(ticker: str, maximum: int, limit: int, sender: str) -> Any:
    text = f'{{"p":"brc-20","op":"deploy","tick":"{ticker}","m":"{maximum}","l":"{limit}"}}'
    return operation(text, sender)


def mint(ticker: str, amount: int, recipient: str) -> Any:
    return operation(f'{{"p":"brc-20","op":"mint","tick":"{ticker}","amt":"{amount}"}}', "minter", recipient)


BLOCKS = {
    1: [deploy("AAA", 100, 100, "one"), deploy("aab", 50, 10, "two")],
    2: [deploy("BBB", 1000, 5, "one"), mint("AAA", 100, "x"), mint("AAB", 7, "y")],
    3: [deploy("yzz", 10, 10, "one"), mint("BBB", 5, "x"), mint("BBB", 5, "y"), mint("BBB", 5, "z")],
}


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    directory: Path = tmp_path_factory.mktemp("tokens") / "lake"
    with Lake.create(directory, REGTEST.name, 1) as lake:
        rows = headers(BLOCKS), candidates(BLOCKS)
        lake.commit(Engine(REGTEST).judge(*rows), rows[1])
    with running(create_app(directory)) as client:
        yield client


def listed(client: httpx.Client, **parameters: str | int | bool) -> list[str]:
    response = client.get(LIST, params=parameters)
    assert response.status_code == 200, response.text
    whole = client.get(f"{LIST}/all", params=parameters).json()
    assert whole["data"] == response.json()
    return [token["ticker"] for token in response.json()]


def test_sorted_by_each_figure_both_ways(tokens: httpx.Client) -> None:
    """What is equal stands newest deploy first."""
    orders = {
        "deploy": ["BBB", "AAB", "AAA"],
        "ticker": ["BBB", "AAB", "AAA"],
        "max_supply": ["BBB", "AAA", "AAB"],
        "minted": ["AAA", "BBB", "AAB"],
        "remaining_supply": ["BBB", "AAB", "AAA"],
        "holders": ["BBB", "AAB", "AAA"],
        "total_locked": ["BBB", "AAB", "AAA"],
    }
    assert listed(tokens) == orders["deploy"]
    for sort, order in orders.items():
        assert listed(tokens, sort=sort) == order, sort
    assert listed(tokens, sort="max_supply", order="asc") == ["AAB", "AAA", "BBB"]
    assert listed(tokens, sort="deploy", order="asc") == ["AAA", "AAB", "BBB"]
    assert listed(tokens, sort="holders", order="asc") == ["AAB", "AAA", "BBB"]


def test_filtered_before_the_limit(tokens: httpx.Client) -> None:
    creator = tokens.get(f"{LIST}?search=AAB").json()[0]["creator_address"]
    assert listed(tokens, search="aa") == ["AAB", "AAA"]
    assert [each["ticker"] for each in tokens.get(f"{LIST}?search=bb&limit=1").json()] == ["BBB"]
    assert listed(tokens, search="%") == []
    assert listed(tokens, creator=creator) == ["AAB"]
    assert listed(tokens, mintable=True) == ["BBB", "AAB"]
    assert listed(tokens, mintable=False) == ["AAA"]
    assert listed(tokens, is_curve=True) == []
    assert listed(tokens, min_holders=2) == ["BBB"]
    assert listed(tokens, height=1) == ["AAB", "AAA"]
    assert listed(tokens, height=1, mintable=False) == []


@pytest.mark.parametrize(
    "query", ["sort=size", "order=up", "min_holders=-1", "is_curve=7", "min_holders=99999999999999999999"]
)
def test_orders_and_filters_that_there_are_not(tokens: httpx.Client, query: str) -> None:
    response = tokens.get(f"{LIST}?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "INVALID_PARAMETER")


def test_curve_rewards_are_told_from_other_tokens(client: httpx.Client) -> None:
    rewards = client.get(f"{LIST}?is_curve=true").json()
    others = client.get(f"{LIST}?is_curve=false").json()
    assert [token["is_curve"] for token in rewards] == [True]
    assert {token["is_curve"] for token in others} == {False}
    assert len(rewards) + len(others) == len(client.get(LIST).json())


TIME = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ticker", "maximum", "limit", "supply", "held", "expected"),
    [
        # minted, current, circulating, remaining, locked
        ("ABC", 100, 10, (60, 5, 0), (20, 10, False), (60, 60, 30, 40, 30)),
        ("ABC", 100, 10, (100, 0, 0), (90, 20, False), (100, 100, 0, 0, 110)),
        ("W", 0, 0, (60, 5, 0), (20, 0, False), (60, 55, 35, 75, 20)),
        ("V", 0, 0, (60, 5, 0), (0, 0, False), (60, 55, 55, 55, 0)),
        ("STONES", 0, 1, (60, 0, 0), (20, 0, False), (60, 60, 40, 20, 20)),
        ("STONES", None, None, (60, 0, 0), (0, 0, False), (60, 60, 60, 0, 0)),
        ("CRV", 100, 10, (60, 5, 0), (20, 10, True), (45, 45, 45, 40, 30)),
    ],
)
def test_figures_by_formula(
    ticker: str,
    maximum: int | None,
    limit: int | None,
    supply: tuple[int, int, int],
    held: tuple[int, int, bool],
    expected: tuple[int, ...],
) -> None:
    """Contract, section 3: normal tokens, wrapped coins, STONES and rewards of curve programs."""
    token = maximum is not None and Token(
        ticker, maximum * UNIT, limit and limit * UNIT, 7, "ab" * 32, TIME, people()["alice"], 0
    )
    minted, burned, rounding = (amount * UNIT for amount in supply)
    figures = Listed(
        ticker,
        token or None,
        Supply(minted, burned, rounding, 3),
        Held(held[0] * UNIT, held[1] * UNIT, held[2]),
    )
    info: Mapping[str, object] = token_info(figures)
    names = ("minted", "current_supply", "circulating_supply", "remaining_supply", "total_locked")
    assert tuple(info[name] for name in names) == tuple(f"{amount}.00000000" for amount in expected)


def test_what_positions_lock_beyond_their_pool_is_told_apart(client: httpx.Client) -> None:
    """`include_virtual` turns the array into an object; null where pools hold what positions lock."""
    plain = client.get("/v1/indexer/brc20/LOL/holders").json()
    answer = client.get("/v1/indexer/brc20/LOL/holders?include_virtual=true")
    assert answer.json()["holders"] == plain
    assert any(row["wallet"].startswith("POOL::") for row in plain)
    for row in answer.json()["virtual_accounting"] or []:
        assert row["wallet"].startswith("POOL:PARTIAL::")
        assert float(row["overall_balance"]) > 0
