"""From the chain to candidates."""

import os

# Arrow gives freed memory back to the system at once, and every batch asks for as much again: a tenth of the time.
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "5000")
