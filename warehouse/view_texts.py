"""The queries behind the views, one file each in `warehouse/views`; where ClickHouse's words differ, in its folder."""

from functools import cache
from importlib.resources import files
from typing import Final

STATE_VIEWS: Final = (
    "changes",
    "operations",
    "balances",
    "holders",
    "latest_supplies",
    "supply",
    "y_balances",
    "dues",
    "settlements",
    "closing_lines",
    "balance_changes",
)
"""What the facts amount to, each after those that it reads."""

ANALYTIC_VIEWS: Final = (
    "supply_progress",
    "holder_distribution",
    "daily_volume",
    "daily_transfers",
    "active_addresses",
    "address_spans",
    "new_addresses",
    "velocity",
    "marketplace_share",
    "refusals_by_reason",
    "pool_prices",
    "pool_volumes",
    "pool_fees",
    "position_values",
    "emission_against_plan",
    "stones_by_day",
    "block_statistics",
)
"""What analysts ask, each after those that it reads."""

VIEWS: Final = (*STATE_VIEWS, *ANALYTIC_VIEWS)


def view_text(name: str) -> str:
    """The query of a view for DuckDB."""
    return _text(f"{name}.sql")


def question(name: str) -> str:
    """What a view answers, from the first line of its file."""
    return view_text(name).splitlines()[0].removeprefix("-- ")


@cache
def clickhouse_text(name: str) -> str:
    """The same for ClickHouse."""
    own = f"clickhouse/{name}.sql"
    return _text(own if files("warehouse").joinpath("views", own).is_file() else f"{name}.sql")


def at_heights(balances_at: str, text: dict[str, str]) -> dict[str, str]:
    """Queries that take a height, by name: `balances_at`, and what else is asked of balances, asked of those."""
    return {
        "balances_at": balances_at,
        "holders_at": of_balances(balances_at, text["holders"]),
        "distribution_at": of_balances(balances_at, text["holder_distribution"]),
    }


def of_balances(balances: str, question: str) -> str:
    """A question asked of the rows of another query in place of the view `balances`."""
    return f"WITH balances AS (\n{balances}\n)\nSELECT * FROM (\n{question}\n)"


@cache
def _text(path: str) -> str:
    return files("warehouse").joinpath("views", path).read_text().rstrip()
