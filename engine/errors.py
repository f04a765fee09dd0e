"""What can be wrong with the tables handed to an engine. Protocol errors are not here: they are verdicts."""


class EngineError(Exception):
    """The engine was given something that no scan produces; nothing was judged."""


class BrokenChain(EngineError):
    """Blocks do not follow each other, or do not follow the block that the ledger ends with.

    Rewind the ledger to the last common block and judge again from there.
    """


class MalformedCandidate(EngineError):
    """A candidate's bytes are not a transaction with the outputs it spends: the archive is damaged.

    Scan the block again.
    """
