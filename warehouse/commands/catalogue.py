"""`simplicity catalogue`: the views in a DuckDB file, where no indexer keeps it."""

import settings
from warehouse.catalogue import write_catalogue
from warehouse.manifest import read_manifest


def catalogue(data: settings.Data, output: settings.Output = None) -> None:
    """Write the DuckDB file with all views: for a copy of a lake, or a lake seen under another path."""
    write_catalogue(data, read_manifest(data), output)
