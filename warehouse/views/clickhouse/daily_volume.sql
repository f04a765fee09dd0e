-- How much of each token do valid transfers move in a day?
SELECT
    toDate(block_time) AS day,
    ticker,
    -- No column holds more than 38 digits: null from there on.
    toDecimal128OrNull(toString(sum(toDecimal256(amount, 8))), 8) AS volume
FROM records
WHERE valid AND operation = 'transfer' AND ticker IS NOT NULL
GROUP BY day, ticker
