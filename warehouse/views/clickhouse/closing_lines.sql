-- What does a block's end add to the block's event text, line by line? (R-CORE-BLK-6)
WITH first_payments AS (
    SELECT height, toNullable(min(sequence)) AS first FROM balance_events WHERE startsWith(cause, 'expiry') GROUP BY height
)
SELECT
    height,
    toInt32(2) AS pass,
    toInt64(number) AS place,
    'expiry' AS operation,
    toNullable(concat(txid, ':', toString(vout))) AS output,
    ticker,
    amount,
    toNullable(concat('POOL::', pool)) AS from_address,
    address AS to_address,
    concatWithSeparator(
        ';', 'expiry', txid, toString(vout), ticker, toDecimalString(amount, 8), concat('POOL::', pool), address
    ) AS line
FROM settlements
UNION ALL
SELECT
    events.height,
    toInt32(if(ifNull(events.sequence > first_payments.first, false), 3, 1)),
    toInt64(events.sequence),
    'rounding',
    NULL,
    ticker,
    delta,
    NULL,
    address,
    concatWithSeparator(';', 'rounding', '', '', ticker, toDecimalString(delta, 8), '', address)
FROM balance_events AS events
LEFT JOIN first_payments ON first_payments.height = events.height
WHERE cause = 'rounding'
