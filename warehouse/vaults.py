"""Questions about what is locked for W after one block."""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from warehouse.view_queries import ViewQueries


class Vault(NamedTuple):
    """An output that locks bitcoin for W."""

    vault: str
    """`txid:vout` of the output."""
    lock_address: str
    initiator_address: str
    amount: int
    """In satoshis, which are as many W."""
    delay: int
    status: str
    opened_height: int
    closed_height: int | None
    closing_txid: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which vaults are asked for; what is None does not matter."""

    status: str | None = None
    initiator_address: str | None = None
    lock_address: str | None = None

    @property
    def condition(self) -> str:
        """The filter in SQL."""
        return " AND ".join(f"{name} = ${name}" for name in self.values) or "true"

    @property
    def values(self) -> dict[str, Any]:
        """Parameters of the condition."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) is not None}


_COLUMNS: Final = ", ".join(Vault._fields)
_NEWEST_FIRST: Final = "opened_height DESC, opened_op_index DESC"


class Vaults:
    """Vaults after the block of `views`."""

    def __init__(self, views: ViewQueries) -> None:
        self._views = views

    def newest(self, wanted: Wanted, limit: int, skip: int = 0) -> list[Vault]:
        """A page of vaults, newest first."""
        order = f"ORDER BY {_NEWEST_FIRST} LIMIT $limit OFFSET $skip"
        return self._vaults(f"WHERE {wanted.condition} {order}", {**wanted.values, "limit": limit, "skip": skip})

    def count(self, wanted: Wanted) -> int:
        """How many there are."""
        query = f"SELECT count(*) FROM current_vaults WHERE {wanted.condition}"
        return int(self._views.rows(query, wanted.values)[0][0])

    def at(self, lock_address: str) -> Vault | None:
        """The vault of an address; of several the newest that is active, or the newest."""
        order = f"ORDER BY status = 'active' DESC, {_NEWEST_FIRST} LIMIT 1"
        found = self._vaults(f"WHERE lock_address = $lock_address {order}", {"lock_address": lock_address})
        return found[0] if found else None

    def by_status(self) -> dict[str, int]:
        """How many vaults are in each state."""
        return dict(self._views.rows("SELECT status, count(*) FROM current_vaults GROUP BY status"))

    def _vaults(self, tail: str, values: dict[str, Any]) -> list[Vault]:
        return [Vault._make(row) for row in self._views.rows(f"SELECT {_COLUMNS} FROM current_vaults {tail}", values)]
