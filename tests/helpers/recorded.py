"""The recorded chain as the API's tests serve it."""

import json
import tarfile
from pathlib import Path

from engine.plain import PlainEngine
from ingest.files import BlockFiles
from ingest.networks import REGTEST
from ingest.scan import scan_blocks
from warehouse.folds import make_fold
from warehouse.lake import Lake

DATA = Path(__file__).parents[1] / "data/regtest"
TIP = 147


def people() -> dict[str, str]:
    """Addresses by the names that the notes on the chain use."""
    addresses: dict[str, str] = json.loads((DATA / "manifest.json").read_text())["addresses"]
    return addresses


def recorded_lake(home: Path) -> Path:
    """A lake of the whole chain in several commits, with a fold in between: lookups need the fold and what follows."""
    with tarfile.open(DATA / "blocks.tar.gz") as archive:
        archive.extractall(home, filter="data")
    source = BlockFiles(home / "blocks", REGTEST)
    engine = PlainEngine(REGTEST)
    with Lake.create(home / "lake", REGTEST.name, 0) as lake:
        for start in range(0, TIP + 1, 4):
            scanned = scan_blocks(source.blocks(start, min(start + 4, TIP + 1)))
            lake.commit(engine.judge(scanned.headers, scanned.candidates), scanned.candidates)
            if start == 116:
                make_fold(lake)
    source.close()
    return home / "lake"
