-- Is any balance ever below zero?
SELECT
    ticker || ' of ' || address || ' at block ' || height || ' event ' || sequence AS place,
    'zero or more' AS expected,
    balance_after::VARCHAR AS found
FROM balance_events
WHERE balance_after < 0
ORDER BY height, sequence
