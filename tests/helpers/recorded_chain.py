"""The blocks of the recorded regtest chain and the recorded mainnet block, from their files in tests/data."""

import gzip
import json
import tarfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from ingest.blockjson import block_from_json
from ingest.source import RawBlock

DATA = Path(__file__).parents[1] / "data"
MAINNET_HASH = "000000000000000000000c835b2adcaedc20fdf6ee440009c249452c726dafae"


@cache
def descriptions() -> list[dict[str, Any]]:
    """The node's `getblock <hash> 3` answers, height 0 first."""
    with gzip.open(DATA / "regtest" / "rpc.jsonl.gz", "rt") as lines:
        return [json.loads(line, parse_float=Decimal) for line in lines]


@cache
def blocks() -> list[RawBlock]:
    """The chain's blocks, height 0 first, with spent outputs in the form TXOUTS."""
    return [block_from_json(block, block["height"], block["hash"]) for block in descriptions()]


def unpack(directory: Path) -> Path:
    """The node's `blocks` folder as it left it, written below `directory`."""
    with tarfile.open(DATA / "regtest" / "blocks.tar.gz") as archive:
        archive.extractall(directory, filter="data")
    return directory / "blocks"


@cache
def mainnet_block() -> bytes:
    """One serialised block of September 2021."""
    return gzip.decompress((DATA / "mainnet" / f"block_{MAINNET_HASH}.raw.gz").read_bytes())


def raw_transaction(txid: str) -> str:
    """A transaction of the chain with its witness, in hex."""
    return next(str(tx["hex"]) for block in descriptions() for tx in block["tx"] if tx["txid"] == txid)
