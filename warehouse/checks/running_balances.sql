-- Is every balance the one before plus the change?
WITH running AS (
    SELECT
        height,
        sequence,
        ticker,
        address,
        balance_after,
        coalesce(lag(balance_after) OVER (PARTITION BY ticker, address ORDER BY height, sequence), 0) + delta AS expected
    FROM balance_events
)
SELECT
    ticker || ' of ' || address || ' at block ' || height || ' event ' || sequence AS place,
    expected::VARCHAR AS expected,
    balance_after::VARCHAR AS found
FROM running
WHERE balance_after <> expected
ORDER BY height, sequence
