"""Shapes of answers about W. Field names are those that clients know."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from api.rows import UNIT, Amount, amount_text
from engine.tickers import WRAPPED
from warehouse.serving_view import View
from warehouse.vaults import Vault


class Contract(TypedDict):
    """An output that locks bitcoin for W."""

    contract_ref: Annotated[str, Field(description="`txid:vout` of the output; addresses can repeat.")]
    script_address: str
    initiator_address: str
    status: Annotated[str, Field(description="active or closed.")]
    initial_amount: Amount
    timelock_delay: Annotated[int, Field(description="Blocks after which the initiator can recover the bitcoin.")]
    creation_height: int
    closure_height: int | None
    closing_txid: str | None


class WrapTvl(TypedDict):
    """How much W there is."""

    ticker: str
    remaining_locked: Annotated[str, Field(description="W minted less W burned, plus what positions lock.")]


class WrapMetrics(TypedDict):
    """Counts as text."""

    tvl_w: Amount
    active_contracts: str
    closed_contracts: str
    expired_contracts: Annotated[str, Field(description="Always 0: an output stays active until it is spent.")]


def contract_row(vault: Vault) -> Contract:
    """A vault as clients know it."""
    return Contract(
        contract_ref=vault.vault,
        script_address=vault.lock_address,
        initiator_address=vault.initiator_address,
        status=vault.status,
        initial_amount=amount_text(vault.amount * UNIT),
        timelock_delay=vault.delay,
        creation_height=vault.opened_height,
        closure_height=vault.closed_height,
        closing_txid=vault.closing_txid,
    )


def remaining_locked(view: View) -> str:
    """Minted less burned, plus what positions lock; zero while W is not deployed."""
    supply = view.supply(WRAPPED)
    if supply is None or view.token(WRAPPED) is None:
        return amount_text(0)
    return amount_text(supply.minted - supply.burned + view.extensions.locks.by_ticker.get(WRAPPED, 0))
