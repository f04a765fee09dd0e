"""From the node's description of a block back to its bytes."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.blockjson import block_from_json, compact_size, satoshi
from ingest.errors import BadAnswer, MissingPrevouts
from tests.helpers import chain
from tests.helpers.node import coins, recorded_chain


@given(st.integers(0, 21 * 10**14))
def test_values_are_exact_however_they_are_written(value: int) -> None:
    assert satoshi(coins(value)) == value
    assert satoshi(Decimal(value).scaleb(-8)) == value
    assert satoshi(f"{Decimal(value).scaleb(-8):e}") == value


def test_whole_coins_may_come_without_a_fraction() -> None:
    assert satoshi(50) == 50 * 10**8


def test_binary_floats_and_fractions_of_a_satoshi_are_refused() -> None:
    with pytest.raises(TypeError):
        satoshi(0.1)  # type: ignore[arg-type]  # which is what must be refused
    with pytest.raises(ValueError, match="eight decimals"):
        satoshi("0.000000001")


@pytest.mark.parametrize("n", [0, 252, 253, 65535, 65536, 2**32 - 1])
def test_compact_sizes(n: int) -> None:
    assert compact_size(n) == chain.compact_size(n)


KNOWN = recorded_chain()[116]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"tx":', '"txs":'),
        ('"nonce":', '"nonce":"x","n":'),
        ('"version":', '"version":9'),
        ('"merkleroot":"', '"merkleroot":"zz'),
        ('"value":0.01000000', '"value":"much"'),
        ('"value":0.01000000', '"value":0.010000001'),
        ('"value":0.01000000', '"value":1e30'),
        ('"confirmations":', '"confirmed":'),
    ],
)
def test_a_description_of_another_form_is_not_believed(old: str, new: str) -> None:
    assert old in KNOWN.description
    block = json.loads(KNOWN.description.replace(old, new), parse_float=str)
    with pytest.raises(BadAnswer):
        block_from_json(block, KNOWN.height, KNOWN.hash)


def test_another_block_is_not_believed() -> None:
    block = json.loads(recorded_chain()[115].description, parse_float=str)
    with pytest.raises(BadAnswer, match="another block"):
        block_from_json(block, KNOWN.height, KNOWN.hash)


def test_one_missing_prevout_is_enough() -> None:
    block = json.loads(KNOWN.description, parse_float=str)
    del block["tx"][-1]["vin"][-1]["prevout"]
    with pytest.raises(MissingPrevouts):
        block_from_json(block, KNOWN.height, KNOWN.hash)
