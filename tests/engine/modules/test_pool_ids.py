"""Two pairs whose pools would have one id, on both paths."""

import json

import pytest

from engine.judge import Engine
from engine.plain import PlainEngine
from ingest.networks import REGTEST
from tests.helpers.builders import candidates, headers, operation
from tests.helpers.chain import Tx


def sent(**members: str) -> Tx:
    return operation(json.dumps({"p": "brc-20"} | members, separators=(",", ":")), recipient="alice")


@pytest.mark.parametrize("engine", [Engine, PlainEngine])
def test_a_pair_that_would_share_a_pool_of_other_tokens_is_refused(engine: type[Engine] | type[PlainEngine]) -> None:
    """R-SWAP-POOL-1, D-49: `A-B` with `C` and `A` with `B-C` are both called `A-B-C`; the first one has the name."""
    tickers = ("A-B", "C", "A", "B-C")
    blocks = {
        1: [sent(op="deploy", tick=ticker, m="100", l="100") for ticker in tickers]
        + [sent(op="mint", tick=ticker, amt="100") for ticker in tickers],
        2: [
            operation('{"p":"brc-20","op":"swap","init":"A-B,C","amt":"10","lock":"10"}', sender="alice"),
            operation('{"p":"brc-20","op":"swap","init":"A,B-C","amt":"10","lock":"10"}', sender="alice"),
            operation('{"p":"brc-20","op":"swap","init":"C,A-B","amt":"10","lock":"10"}', sender="alice"),
        ],
    }
    judged = engine(REGTEST).judge(headers(blocks), candidates(blocks))
    swaps = [row for row in judged.operations.to_pylist() if row["operation"] == "swap_init"]
    assert [(row["valid"], row["code"], row["divergence"]) for row in swaps] == [
        (True, None, None),
        (False, "INVALID_OPERATION", "D-49"),
        (True, None, None),
    ]
    assert [row["pool"] for row in judged.modules["pools"].to_pylist()] == ["A-B-C"]
