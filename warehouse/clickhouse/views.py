"""The views of ClickHouse: the names and columns of the views over the lake."""

from typing import Final

from warehouse.view_texts import STATE_VIEWS, clickhouse_text, of_balances

_BALANCES_AT: Final = "balances_at"


def view_statements() -> dict[str, str]:
    """The query behind each view by its name, each after those that it reads.

    They read the tables by their public names and, of `warehouse.clickhouse.ddl.base_views`, `records`, `fold`,
    `recent_events`, `recent_supplies`, `commits` and the newest versions. Those whose names end in `_at` are
    parameterised by a height: `holders_at(at_height = 900000)`.
    """
    texts = {name: clickhouse_text(name) for name in (*STATE_VIEWS, _BALANCES_AT)}
    return texts | {"holders_at": of_balances(texts[_BALANCES_AT], texts["holders"])}
