"""Constants of the protocol per network (R-CORE-CONST-*, R-CORE-ADDR-1, D-24, D-82).

They are consensus: code, never configuration.
"""

from dataclasses import dataclass
from typing import Final

DECIMALS: Final = 8
"""Decimal places of every token (R-CORE-CONST-7)."""

MAX_PAYLOAD: Final = 2000
"""Longest payload in bytes that is interpreted (R-CORE-CONST-6)."""

MAX_NESTING: Final = 512
"""Most `{` and `[` open at once outside strings in an accepted payload (D-20)."""

AMOUNT_LIMIT: Final = 10**30 * 10**DECIMALS
"""First amount, in units of 10^-8, that is out of range (R-CORE-AMT-4, D-3)."""


@dataclass(frozen=True, slots=True)
class Network:
    """Heights at which rules begin, and what distinguishes the network's blocks and addresses."""

    name: str
    genesis_height: int
    """First block that is interpreted (R-CORE-CONST-1)."""
    template_height: int
    """First block judged by the new marketplace template (R-CORE-CONST-2)."""
    stones_height: int
    """First block in which runestones mint STONES (R-CORE-CONST-3)."""
    swap_exe_height: int
    """First block in which a swap `exe` is accepted (R-CORE-CONST-4)."""
    bech32_prefix: str
    p2pkh_version: int
    p2sh_version: int
    magic: bytes
    """Message start bytes that precede each block in the node's block files."""
    genesis_hash: str
    """Hash of block 0 in the node's display order: tells networks apart."""
    chain: str
    """The node's own name for the network, as `getblockchaininfo` reports it."""
    easiest_bits: int
    """Least proof of work that a header may claim, in the header's compact form."""
    emergency_range: tuple[int, int] | None = None
    """Inclusive heights of R-CORE-MKT-7; unknown, therefore absent, on every network (D-24)."""


def _test_network(name: str, prefix: str, magic: str, genesis_hash: str, chain: str, easiest_bits: int) -> Network:
    return Network(name, 0, 0, 0, 0, prefix, 0x6F, 0xC4, bytes.fromhex(magic), genesis_hash, chain, easiest_bits)


MAINNET: Final = Network(
    name="mainnet",
    genesis_height=895534,
    template_height=901350,
    stones_height=925399,
    swap_exe_height=926480,
    bech32_prefix="bc",
    p2pkh_version=0x00,
    p2sh_version=0x05,
    magic=bytes.fromhex("f9beb4d9"),
    genesis_hash="000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
    chain="main",
    easiest_bits=0x1D00FFFF,
)
TESTNET4: Final = _test_network(
    "testnet4",
    "tb",
    "1c163f28",
    "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
    "testnet4",
    0x1D00FFFF,
)
SIGNET: Final = _test_network(
    "signet", "tb", "0a03cf40", "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6", "signet", 0x1E0377AE
)
REGTEST: Final = _test_network(
    "regtest",
    "bcrt",
    "fabfb5da",
    "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
    "regtest",
    0x207FFFFF,
)

NETWORKS: Final = {network.name: network for network in (MAINNET, TESTNET4, SIGNET, REGTEST)}
