"""Log lines as JSON objects, one a line, on standard error; those of the server and of libraries too.

Finished requests go to files instead, where the operator says so.
"""

import logging
import sys
from typing import Final

import orjson
import structlog
from structlog.typing import Processor

from api.request_log import RequestLog

LIBRARIES = "uvicorn", "uvicorn.error"

OF_REQUESTS: Final = ("access",)
"""What the logger of finished requests is asked for with."""


def log_as_json(requests: RequestLog | None = None) -> None:
    """Configure this process; with `requests`, the lines of finished requests go there and nowhere else."""
    others = structlog.BytesLoggerFactory(sys.stderr.buffer)
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.dict_tracebacks,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=orjson.dumps)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *names: requests if requests and names == OF_REQUESTS else others(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event).decode()),
            ],
            foreign_pre_chain=shared,
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
