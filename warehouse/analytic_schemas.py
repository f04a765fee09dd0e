"""What a row of each analytic view is, what tells its rows apart, and its columns with their units."""

from typing import Final, NamedTuple

import pyarrow as pa

from engine.schemas import AMOUNT
from ingest.candidates import column


class Analysis(NamedTuple):
    """An analytic view: `key` is its grain."""

    row: str
    key: tuple[str, ...]
    schema: pa.Schema


def _measured(name: str, type_: pa.DataType, unit: str, doc: str, nullable: bool) -> pa.Field:
    field = column(name, type_, doc, nullable=nullable)
    return field.with_metadata({**field.metadata, "unit": unit})


def _text(name: str, doc: str, *, nullable: bool = False) -> pa.Field:
    return column(name, pa.string(), doc, nullable=nullable)


def _tokens(name: str, doc: str, *, nullable: bool = False) -> pa.Field:
    return _measured(name, AMOUNT, "tokens", doc, nullable)


def _sum(name: str, doc: str) -> pa.Field:
    return _tokens(name, f"{doc} Null where the sum does not fit.", nullable=True)


def _count(name: str, unit: str, doc: str) -> pa.Field:
    return _measured(name, pa.int64(), unit, doc, nullable=False)


def _ratio(name: str, doc: str, *, unit: str = "share, 0 to 1", nullable: bool = False) -> pa.Field:
    return _measured(name, pa.float64(), unit, doc, nullable)


def _height(name: str, doc: str, *, nullable: bool = False) -> pa.Field:
    return _measured(name, pa.int32(), "block height", doc, nullable)


def _time(name: str, doc: str) -> pa.Field:
    return _measured(name, pa.timestamp("s", tz="UTC"), "UTC", doc, nullable=False)


_DAY: Final = _measured("day", pa.date32(), "UTC day", "Day of the blocks, by the time in their headers.", False)
_TICKER: Final = _text("ticker", "Normalised ticker.")
_POOL: Final = _text("pool", "Pool id: token A, a hyphen, token B (R-SWAP-POOL-1).")

DISTRIBUTION: Final = pa.schema(
    [
        _TICKER,
        _count("holders", "accounts", "Accounts with a balance above zero, pools among them."),
        _tokens("held", "All that they hold; what is staked is in no account."),
        _ratio("gini", "Gini coefficient of the balances: 0 when all are equal, towards 1 when one account has all."),
        _ratio("top_1_share", "Part of `held` in the largest account."),
        _ratio("top_10_share", "Part of `held` in the ten largest accounts."),
        _ratio("top_100_share", "Part of `held` in the hundred largest accounts."),
    ]
)

ANALYSES: Final = {
    "supply_progress": Analysis(
        "A ticker that was deployed or minted.",
        ("ticker",),
        pa.schema(
            [
                _TICKER,
                _tokens("max_supply", "Most that may ever be minted; null while no deploy exists.", nullable=True),
                _tokens("minted", "Minted so far (R-CORE-MINT-5)."),
                _tokens("remaining", "What may still be minted; null as `max_supply`.", nullable=True),
                _ratio("progress", "Minted by maximum; null where there is no maximum or it is zero.", nullable=True),
                _tokens("burned", "Burned so far."),
                _tokens("circulating", "Minted less burned plus rounding."),
                _count("holders", "accounts", "Accounts with a balance above zero."),
                _count(
                    "mints", "operations", "Valid `mint` and `mint_stones`; rewards of programs are not among them."
                ),
                _height("first_mint_height", "Block of the first of them; null when there is none.", nullable=True),
                _height("last_mint_height", "Block of the last of them; null when there is none.", nullable=True),
            ]
        ),
    ),
    "holder_distribution": Analysis("A ticker that any account holds.", ("ticker",), DISTRIBUTION),
    "daily_volume": Analysis(
        "A ticker on a day on which it was validly transferred.",
        ("day", "ticker"),
        pa.schema([_DAY, _TICKER, _sum("volume", "Sum of the amounts of valid transfers.")]),
    ),
    "daily_transfers": Analysis(
        "A ticker on a day on which a transfer of it was asked for.",
        ("day", "ticker"),
        pa.schema(
            [
                _DAY,
                _TICKER,
                _count("transfers", "operations", "Valid transfers, each recipient of a multi-transfer for itself."),
                _count(
                    "marketplace_transfers", "operations", "Those executed as marketplace transfers (R-CORE-MKT-6)."
                ),
                _count("multi_transfers", "operations", "Those that are steps of multi-transfers."),
                _count("refused_transfers", "operations", "Transfers that were refused."),
            ]
        ),
    ),
    "active_addresses": Analysis(
        "A day on which any balance changed.",
        ("day",),
        pa.schema([_DAY, _count("addresses", "addresses", "Addresses with a balance event; pools are left out.")]),
    ),
    "address_spans": Analysis(
        "An address that ever had a balance event, for all tickers together; pools are left out.",
        ("address",),
        pa.schema(
            [
                _text("address", "The address."),
                _height("first_height", "Block of its first balance event."),
                _time("first_time", "Time of that block."),
                _height("last_height", "Block of its newest balance event."),
                _time("last_time", "Time of that block."),
                _count("events", "balance events", "Its balance events."),
            ]
        ),
    ),
    "new_addresses": Analysis(
        "A day on which an address had its first balance event.",
        ("day",),
        pa.schema(
            [
                _DAY,
                _count("addresses", "addresses", "Addresses whose first balance event is of this day."),
                _count("total", "addresses", "Addresses that appeared until the end of the day."),
            ]
        ),
    ),
    "velocity": Analysis(
        "A ticker on a day on which it was validly transferred.",
        ("day", "ticker"),
        pa.schema(
            [
                _DAY,
                _TICKER,
                _sum("volume", "Sum of the amounts of valid transfers."),
                _tokens(
                    "circulating",
                    "In circulation at the end of the day; null for receipt tokens, which have no supply rows.",
                    nullable=True,
                ),
                _ratio(
                    "velocity",
                    "Volume by circulation: above 1 where tokens moved more than once; null where none circulate.",
                    unit="per day",
                    nullable=True,
                ),
            ]
        ),
    ),
    "marketplace_share": Analysis(
        "A ticker on a day on which it was validly transferred.",
        ("day", "ticker"),
        pa.schema(
            [
                _DAY,
                _TICKER,
                _count("transfers", "operations", "Valid transfers."),
                _count(
                    "marketplace_transfers", "operations", "Those executed as marketplace transfers (R-CORE-MKT-6)."
                ),
                _ratio("transfer_share", "Marketplace transfers by all of them, counted."),
                _sum("volume", "Sum of the amounts of all of them."),
                _sum("marketplace_volume", "Sum of the amounts of marketplace transfers."),
                _ratio("volume_share", "The same by amounts; null when nothing was moved.", nullable=True),
            ]
        ),
    ),
    "refusals_by_reason": Analysis(
        "A reason for which operations of one kind were refused.",
        ("operation", "reason"),
        pa.schema(
            [
                _text("operation", "Kind of operation; `invalid` when it could not be told."),
                _text("reason", "Code of the refusal, that of the step in a multi-transfer.", nullable=True),
                _count("refusals", "operations", "Operations refused for it."),
                _ratio("share", "Part of all refusals."),
                _height("first_height", "Block of the first of them."),
                _height("last_height", "Block of the newest of them."),
            ]
        ),
    ),
    "pool_prices": Analysis(
        "A pool after a block that changed it.",
        ("pool", "height"),
        pa.schema(
            [
                _POOL,
                _height("height", "Block after which the prices hold."),
                _time("time", "Time of that block."),
                _text("token_a", "The pool's first ticker."),
                _text("token_b", "The pool's second ticker."),
                _tokens("reserve_a", "What active positions offer of token A (R-SWAP-EXE-3)."),
                _tokens("reserve_b", "What active positions offer of token B."),
                _ratio(
                    "price",
                    "Price of token A before any trade moves it: reserve B by reserve A; null while either is empty.",
                    unit="token B per token A",
                    nullable=True,
                ),
            ]
        ),
    ),
    "pool_volumes": Analysis(
        "One way through a pool, on a day on which somebody traded that way.",
        ("day", "pool", "source"),
        pa.schema(
            [
                _DAY,
                _POOL,
                _text("source", "Ticker that executors sold."),
                _text("destination", "Ticker that they bought."),
                _count("trades", "trades", "Executed trades."),
                _count("executors", "addresses", "Different addresses that traded."),
                _sum("sold", "Sold in all, of the source."),
                _sum("bought", "Bought in all, of the destination, fees included."),
            ]
        ),
    ),
    "pool_fees": Analysis(
        "A ticker in which a pool earned fees, on a day on which somebody bought it.",
        ("day", "pool", "ticker"),
        pa.schema(
            [
                _DAY,
                _POOL,
                _text("ticker", "Ticker that was bought, in which the fee is paid (R-SWAP-CALC-1)."),
                _count("trades", "trades", "Trades that bought it."),
                _sum("fees", "Fees of these trades."),
                _ratio("fee_share", "Fees by what was bought; null when that is nothing.", nullable=True),
            ]
        ),
    ),
    "position_values": Analysis(
        "A liquidity position that is active.",
        ("position_id",),
        pa.schema(
            [
                _measured("position_id", pa.int64(), "", "Number of the position in order of opening, from 1.", False),
                _POOL,
                _text("owner_address", "Who locked the tokens and gets them back."),
                _text("source", "Ticker that is locked."),
                _text("destination", "Ticker that trades pay for it."),
                _tokens("amount", "Locked at first."),
                _tokens("locked", "Still locked."),
                _tokens("received", "Received in trades, of the destination."),
                _height("unlock_height", "Block at whose end the position is settled."),
                _count("side_positions", "positions", "Active positions of the pool that lock the same ticker."),
                _sum("side_locked", "What they lock together: the value locked on this side of the pool."),
                _ratio("share", "Part of that which this position locks; null when it is nothing.", nullable=True),
                _ratio(
                    "price",
                    "Price of the source by the pool's reserves; null while either is empty.",
                    unit="destination per source",
                    nullable=True,
                ),
            ]
        ),
    ),
    "emission_against_plan": Analysis(
        "A curve program after a block that changed it.",
        ("ticker", "height"),
        pa.schema(
            [
                _text("ticker", "Reward ticker of the program."),
                _height("height", "Block after which the row holds."),
                _text("type", "linear or exponential (R-CURVE-EMIT-1, R-CURVE-EMIT-2)."),
                _count("elapsed", "blocks", "Blocks for which rewards were emitted, at most the duration."),
                _count("duration", "blocks", "Blocks for which the program runs."),
                _tokens("max_supply", "What it emits in all."),
                _tokens(
                    "planned", "What the plan emits in the elapsed blocks; null if it does not fit.", nullable=True
                ),
                _tokens("paid", "Rewards that claims paid; null if that does not fit.", nullable=True),
                _ratio("paid_share", "Paid by planned; null before the first block of the plan.", nullable=True),
            ]
        ),
    ),
    "stones_by_day": Analysis(
        "A day on which STONES were minted.",
        ("day",),
        pa.schema(
            [
                _DAY,
                _count("mints", "operations", "Valid mints of STONES."),
                _tokens("minted", "STONES minted on the day."),
                _count("recipients", "addresses", "Different addresses that were credited."),
                _tokens("total", "STONES minted until the end of the day."),
            ]
        ),
    ),
    "block_statistics": Analysis(
        "A day that has a block.",
        ("day",),
        pa.schema(
            [
                _DAY,
                _height("first_height", "Lowest block of the day."),
                _height("last_height", "Highest block of the day."),
                _count("blocks", "blocks", "Blocks of the day."),
                _ratio(
                    "mean_interval",
                    "Mean time from the block before; null for the first block of the lake alone.",
                    unit="seconds",
                    nullable=True,
                ),
                _count("transactions", "transactions", "Transactions, coinbases included."),
                _count("candidates", "transactions", "Transactions that the prefilter kept (R-CORE-BLK-3)."),
                _count("operations", "operations", "Records, valid or not."),
                _count("valid_operations", "operations", "Those that took effect."),
                _count("refused_operations", "operations", "Those that were refused."),
                _count("balance_events", "balance events", "Changes of balances."),
                _measured("most_operations", pa.int32(), "operations", "Most records in one block of the day.", False),
            ]
        ),
    ),
}
"""By the names of `warehouse.view_texts.ANALYTIC_VIEWS`."""
