"""Counting requests of each client by their cost."""

import asyncio

from api.counts import Count, Counts


def test_each_client_has_its_own_room_for_each_rate() -> None:
    async def asked() -> list[Count]:
        counts = Counts(None)
        asking = [("50/hour", "one", 20), ("50/hour", "one", 20), ("50/hour", "one", 20), ("50/hour", "one", 10)]
        asking += [("50/hour", "one", 1), ("50/hour", "other", 20), ("100/hour", "one", 20)]
        return [await counts.take(*each) for each in asking]

    found = asyncio.run(asked())
    assert [count.allowed for count in found] == [True, True, False, True, False, True, True]
    assert [count.left for count in found] == [30, 10, 10, 0, 0, 30, 80]
    assert {(count.limit, count.seconds) for count in found} == {(50, 3600), (100, 3600)}
    assert all(1 <= count.reset <= 3600 for count in found)
