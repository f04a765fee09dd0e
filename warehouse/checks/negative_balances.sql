-- Is any balance below zero after a block? Within one, what is shown can stand a few units off the exact balance.
SELECT
    ticker || ' of ' || address || ' at block ' || height || ' event ' || sequence AS place,
    'zero or more' AS expected,
    balance_after::VARCHAR AS found
FROM balance_events
QUALIFY balance_after < 0 AND row_number() OVER (PARTITION BY height, ticker, address ORDER BY sequence DESC) = 1
ORDER BY height, sequence
