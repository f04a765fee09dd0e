-- What does a block's end add to the block's event text, line by line? (R-CORE-BLK-6)
-- Balances are rounded, positions due are settled, and what that leaves is rounded again.
WITH first_payments AS (
    SELECT height, min(sequence) AS sequence FROM balance_events WHERE starts_with(cause, 'expiry') GROUP BY height
)
SELECT
    settlements.height,
    2 AS pass,
    settlements.number AS place,
    'expiry' AS operation,
    txid || ':' || vout AS output,
    ticker,
    amount,
    'POOL::' || pool AS from_address,
    address AS to_address,
    concat_ws(';', 'expiry', txid, vout, ticker, amount, 'POOL::' || pool, address) AS line
FROM settlements
UNION ALL
SELECT
    events.height,
    CASE WHEN events.sequence > first_payments.sequence THEN 3 ELSE 1 END,
    events.sequence,
    'rounding',
    NULL,
    ticker,
    delta,
    NULL,
    address,
    concat_ws(';', 'rounding', '', '', ticker, delta, '', address)
FROM balance_events AS events
LEFT JOIN first_payments USING (height)
WHERE cause = 'rounding'
