"""Addresses that filters and paths name, under whatever parameter."""

from typing import Annotated

from fastapi import Query

from api.errors import InvalidAddress
from api.parameters import LONGEST_ADDRESS, checked_address
from warehouse.serving_view import View

AddressFilter = Annotated[
    str | None, Query(max_length=LONGEST_ADDRESS, description="Only this address, or `POOL::` and a pool.")
]


def named_address(view: View, text: str, field: str) -> str:
    """The address as the lake spells it. Raises InvalidAddress, which blames the parameter `field`."""
    try:
        return checked_address(view, text)
    except InvalidAddress as error:
        raise InvalidAddress(error.detail, field) from error


def wanted_address(view: View, text: str | None, field: str) -> str | None:
    """The same of a filter that may be absent."""
    return None if text is None else named_address(view, text, field)
