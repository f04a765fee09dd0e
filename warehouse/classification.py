"""What kinds of data there are, and who may read them."""

from enum import Enum


class Classification(Enum):
    """By where the data comes from and whom it can harm. The value says who may read it."""

    PUBLIC = "anyone: it is read off the public chain"
    DERIVED = "anyone: it is computed from the public chain by public rules"
    OPERATIONAL = "operators and whoever reads the tables: it is about running this installation"
    CONFIDENTIAL = "operators alone: keys, logs, trail"

    @property
    def word(self) -> str:
        """As the tables' page writes it."""
        return self.name.lower()
