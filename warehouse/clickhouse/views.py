"""Views over the stored rows of ClickHouse: the queries of `warehouse/views/clickhouse`, one question a file."""

from importlib.resources import files
from typing import Final

VIEWS: Final = ("operations", "changes", "balances", "holders", "latest_supplies", "supply")
"""Each after those that it reads."""


def view_statements() -> dict[str, str]:
    """The query behind each view by its name, each after those that it reads."""
    home = files("warehouse").joinpath("views", "clickhouse")
    return {name: home.joinpath(f"{name}.sql").read_text().rstrip() for name in VIEWS}
