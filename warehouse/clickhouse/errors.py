"""What can be wrong with a ClickHouse that is published to, each with what to do. No message holds a password."""

from warehouse.errors import LakeError, UnusableQuery


class PublishError(LakeError):
    """Base of what publishing raises."""


class ServerAway(PublishError):
    """The server cannot be reached, or is too busy: the only one of these errors that may pass by itself."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(f"{target} does not answer ({why}): start the server or correct --to")


class WrongPassword(PublishError):
    """The server does not know the user, or not by this password."""

    def __init__(self, target: str) -> None:
        super().__init__(f"{target} refuses the user or the password: correct them in --to or SIMPLICITY_PUBLISH_TO")


class NotPermitted(PublishError):
    """The user may not do what publishing needs."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(f"{target} does not permit it: its user needs CREATE, SELECT, INSERT and ALTER there ({why})")


class Refused(PublishError):
    """The server answers with an error that no waiting mends."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(f"{target} refuses: {why}")


class WrongTarget(PublishError):
    """The database was published to from a lake of another network or start."""

    def __init__(self, target: str, what: str, found: object, ours: object) -> None:
        super().__init__(
            f"{target} holds a lake whose {what} is {found}, not {ours}: name another database, or drop this one"
        )


class OtherSchema(PublishError):
    """The tables there are of another schema version."""

    def __init__(self, target: str, found: int, ours: int) -> None:
        super().__init__(
            f"{target} holds tables of schema version {found}, not {ours}: publish anew into an empty database, "
            "let readers change over, then drop this one"
        )


class TakenOver(PublishError):
    """Another publisher has begun to write to the same database."""

    def __init__(self, target: str) -> None:
        super().__init__(f"{target} is being published to by another process: stop one of them, only one may run")


class UnusableTarget(UnusableQuery):
    """The address names no ClickHouse."""

    def __init__(self) -> None:
        super().__init__(
            "--to and --backend name a ClickHouse as clickhouse://user:password@host:port/database or chdb:///folder"
        )
