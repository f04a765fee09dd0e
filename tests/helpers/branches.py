"""A lake that is written block after block, and taken back, with operations of all modules by chance."""

import pyarrow as pa

from engine.judge import Engine
from ingest.networks import REGTEST
from ingest.source import Tip
from tests.helpers.builders import candidates, headers
from tests.helpers.traffic import Traffic
from warehouse.lake import Lake


class BranchWriter:
    """The writer of an open lake of regtest."""

    def __init__(self, lake: Lake, seed: int) -> None:
        self.lake = lake
        self._engine = Engine(REGTEST)
        self._traffic = Traffic(seed)
        self._branch = 0

    @property
    def tip(self) -> Tip:
        assert self.lake.tip is not None
        return self.lake.tip

    def extend(self, blocks: int) -> None:
        """So many blocks more, in one commit."""
        first = self.lake.manifest.next_height
        mined = {
            height: self._traffic.txs(self._traffic.random.randint(4, 12)) for height in range(first, first + blocks)
        }
        head, found = headers(mined, str(self._branch)), candidates(mined)
        if self.lake.tip:
            place = head.schema.get_field_index("previous_hash")
            field = head.schema.field(place)
            previous = pa.array([self.lake.tip.hash, *head["previous_hash"].to_pylist()[1:]], field.type)
            head = head.set_column(place, field, previous)
        self.lake.commit(self._engine.judge(head, found), found)

    def rewind(self, blocks: int) -> None:
        """Take so many blocks back; what comes next are others."""
        self.lake.rewind(self.tip.height - blocks)
        self._engine.restore(self.lake.state())
        self._branch += 1
