"""Benchmarks run with the memory settings of the command, which count only when they are made before Arrow is loaded."""

import settings  # noqa: F401 (imported for what it sets)
