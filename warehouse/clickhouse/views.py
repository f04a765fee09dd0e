"""The views of ClickHouse: the names and columns of the views over the lake."""

from warehouse.view_texts import VIEWS, at_heights, clickhouse_text


def view_statements() -> dict[str, str]:
    """The query behind each view by its name, each after those that it reads.

    They read the tables by their public names and, of `warehouse.clickhouse.ddl.base_views`, `records`, `fold`,
    `recent_events`, `recent_supplies`, `commits` and the newest versions. Those whose names end in `_at` are
    parameterised by a height: `holders_at(at_height = 900000)`.
    """
    texts = {name: clickhouse_text(name) for name in VIEWS}
    return texts | at_heights(clickhouse_text("balances_at"), texts)
