"""Benchmarks run with the command's memory settings, which count only when made before Arrow is loaded."""

import settings  # noqa: F401 (imported for what it sets)
