"""Runestones mint STONES (section 10)."""

from typing import Final

from engine.plain.decimals import tokens
from engine.plain.ledger import BlockInProgress
from engine.plain.parties import Party, owner_of_output, stones_recipient
from engine.plain.records import Record
from engine.plain.transactions import Transaction, protocol_payload
from engine.verdicts import Code
from ingest.networks import AMOUNT_LIMIT, DECIMALS, Network

STONES: Final = "STONES"
ONE: Final = 10**DECIMALS


def judge_stones(
    block: BlockInProgress, tx_index: int, txid: str, transaction: Transaction, vout: int, network: Network
) -> Record | None:
    """Mint 1 STONES to whom the runestone's outputs name (R-CORE-STONE-1 to R-CORE-STONE-6).

    No deploy and no limit is asked for, except that the total stays below 10^30. The record names the credited
    party, where the predecessor prefers the owner of output 0 (D-16).
    """
    if block.height < network.stones_height:
        return None
    party = stones_recipient(transaction, vout, network)
    code = _refusal(block, party)
    if party is not None and code is None:
        block.mint(STONES, party, tokens(ONE), "mint_stones")
    owner_of_first = owner_of_output(transaction, 0, network)
    return Record(
        tx_index=tx_index,
        txid=txid,
        vout=vout,
        operation="mint_stones",
        payload=protocol_payload(transaction.outputs[vout]),
        valid=code is None,
        ticker=STONES,
        ticker_text=STONES,
        amount=ONE,
        recipient=party,
        code=code,
        decisions=frozenset(
            ({"D-16"} if owner_of_first not in (None, party) else set())
            | ({"D-3"} if code is Code.EXCEEDS_MAX_SUPPLY else set())
        ),
    )


def _refusal(block: BlockInProgress, party: Party | None) -> Code | None:
    """No recipient (R-CORE-STONE-3), or a total that could not be stored any more (R-CORE-CONST-8, D-3)."""
    if party is None:
        return Code.NO_STANDARD_OUTPUT
    minted = block.ledger.supply(STONES).minted
    return Code.EXCEEDS_MAX_SUPPLY if minted + ONE >= AMOUNT_LIMIT else None
