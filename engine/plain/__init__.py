"""The plain path: the protocol's rules as straightforward Python on exact numbers, the documentation of the rules.

It is slow and obvious, and shares no arithmetic with the compiled path that it is compared with. Reading order:
`transactions` (sections 2 and 3), `payloads` (4, 5), `amounts` (6), `parties` (7), `operations`, `multi_transfers` (8),
`marketplace` (9), `stones` (10), `records` (11), `ledger`, `engine`. Numbers are those of `docs/protocol.md`.

What modules add: `decimals` and `versions` first, then `swaps`, `curves` and `wraps`, each of which names its parts.
"""

from engine.plain.engine import PlainEngine

__all__ = ["PlainEngine"]
