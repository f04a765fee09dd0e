"""Which answer leads to which question: the links of the OpenAPI document."""

from typing import Any, Final

from api.pages import NEXT_CURSOR

OPERATION: Final = {
    "operations": {"txid": "/0/txid"},
    "token_info": {"ticker": "/0/ticker"},
    "history_by_height": {"height": "/0/block_height"},
    "address_history": {"address": "/0/from_address"},
}
POOL: Final = ("pool_detail", "reserves", "pool_transactions", "pool_metrics", "pool_rewards", "daily_fees")

LINKS: Final[dict[str, dict[str, dict[str, str]]]] = {
    "list": {name: {"ticker": "/0/ticker"} for name in ("token_info", "holders", "holders_all", "token_history", "tvl")}
    | {"address_history": {"address": "/0/creator_address"}},
    "list_all": {"token_history_all": {"ticker": "/data/0/ticker"}},
    "token_info": {"address_tickers": {"address": "/creator_address"}},
    "holders": {
        "balance": {"address": "/0/wallet", "ticker": "/0/ticker"},
        "address_tickers": {"address": "/0/wallet"},
        "balance_changes_of_address": {"address": "/0/wallet"},
    },
    "holders_all": {"address_token_history": {"address": "/data/0/wallet", "ticker": "path.ticker"}},
    "address_tickers": {
        "balance": {"address": "path.address", "ticker": "/0/ticker"},
        "address_token_history": {"address": "path.address", "ticker": "/0/ticker"},
    },
    "token_history": OPERATION | {"transaction_history": {"ticker": "path.ticker", "txid": "/0/txid"}},
    "address_history": OPERATION,
    "history_by_height": OPERATION | {"balance_changes_of_transaction": {"txid": "/0/txid"}},
    "history_all": {
        "operations": {"txid": "/data/0/txid"},
        "address_token_history": {"address": "/data/0/from_address", "ticker": "/data/0/ticker"},
    },
    "operations": {
        "balance_changes_of_operation": {"operation_id": "/0/id"},
        "verify_transaction": {"txid": "path.txid"},
    },
    "block_hashes": {
        "history_by_height": {"height": "/0/height"},
        "history_by_height_all": {"height": "/0/height"},
        "balances_hash": {"height": "/0/height"},
        "list": {"height": "/0/height"},
    },
    "pools": {name: {"pool_id": "/items/0/pool_id"} for name in POOL}
    | {"positions": {"src": "/items/0/src", "dst": "/items/0/dst"}},
    "positions": {
        "position": {"position_id": "/items/0/id"},
        "balance_changes_of_position": {"position_id": "/items/0/id"},
        "owner_positions": {"owner": "/items/0/owner"},
        "pool_detail": {"pool_id": "/items/0/pool_id"},
    },
    "executions": {
        "execution": {"execution_id": "/items/0/id"},
        "verify_operation": {"operation_id": "/items/0/id"},
        "verify_transaction": {"txid": "/items/0/txid"},
        "address_tickers": {"address": "/items/0/executor"},
    },
    "execution": {"operations": {"txid": "/txid"}},
    "pool_transactions": {"position": {"position_id": "/items/0/swap_position_id"}},
    "pools_metrics": {"pool_metrics": {"pool_id": "/items/0/pool_id"}},
    "pools_rewards": {"pool_rewards": {"pool_id": "/items/0/pool_id"}},
    "position_rewards": {"position": {"position_id": "/items/0/position_id"}},
    "balance_changes": {
        "balance_change": {"change_id": "/items/0/id"},
        "balance_changes_of_transaction": {"txid": "/items/0/txid"},
        "balance_changes_of_operation": {"operation_id": "/items/0/operation_id"},
        "balance_changes_of_address": {"address": "/items/0/address"},
        "balance_changes_of_pool": {"pool_id": "/items/0/pool_id"},
    },
    "contracts": {"contract": {"script_address": "/items/0/script_address"}},
    "curve_tokens_locked": {name: {"ticker": "/tokens/0/reward_ticker"} for name in ("program", "stakers")},
    "program": {"stakers": {"ticker": "/ticker"}, "reward_token": {"ticker": "/ticker"}},
    "stakers": {"stake": {"ticker": "path.ticker", "address": "/data/0/address"}},
}
"""By route, the routes that its answer leads to: each parameter by its place in the answer, or as it was asked."""


def add_links(_method: str, operation: dict[str, Any]) -> None:
    """Where the operation's answer leads; lists with cursors lead to their next page."""
    if links := _links_of(operation):
        operation["responses"]["200"]["links"] = links


def _links_of(operation: dict[str, Any]) -> dict[str, Any]:
    name: str = operation["operationId"]
    links = {target: _link(target, parameters) for target, parameters in LINKS.get(name, {}).items()}
    given = {parameter["name"]: parameter["in"] for parameter in operation.get("parameters", ())}
    if "cursor" in given:
        path = {each: f"path.{each}" for each, place in given.items() if place == "path"}
        links["next_page"] = _link(name, path, {"cursor": f"$response.header.{NEXT_CURSOR}"})
    return links


def _link(target: str, parameters: dict[str, str], others: dict[str, str] | None = None) -> dict[str, Any]:
    places = {
        name: f"$response.body#{place}" if place.startswith("/") else f"$request.{place}"
        for name, place in parameters.items()
    }
    return {"operationId": target, "parameters": places | (others or {})}
