"""Candidate → operation → verdict → balance event: the rules of the protocol, pure.

The JSON parser takes a frame of the interpreter's stack for each level of a payload. Whether a payload that the rules
admit (D-20) is read must not depend on how deep in the stack its reader stands, so there is room for both.
"""

import sys
from typing import Final

ROOM: Final = 10_000
"""Frames: many times what the deepest payload and any caller need."""

sys.setrecursionlimit(max(sys.getrecursionlimit(), ROOM))
