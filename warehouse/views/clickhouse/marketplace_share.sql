-- What part of a token's transfers of a day are marketplace transfers?
WITH sums AS (
    SELECT
        toDate(block_time) AS day,
        ticker,
        toInt64(count()) AS transfers,
        toInt64(sum(marketplace::UInt8)) AS marketplace_transfers,
        sum(toDecimal256(amount, 8)) AS moved,
        sum(toDecimal256(if(marketplace, amount, 0), 8)) AS marketplace_moved
    FROM records
    WHERE valid AND operation = 'transfer' AND ticker IS NOT NULL
    GROUP BY day, ticker
)
SELECT
    day,
    ticker,
    transfers,
    marketplace_transfers,
    marketplace_transfers / transfers AS transfer_share,
    toDecimal128OrNull(toString(moved), 8) AS volume,
    toDecimal128OrNull(toString(marketplace_moved), 8) AS marketplace_volume,
    toFloat64(marketplace_moved) / nullif(toFloat64(moved), 0) AS volume_share
FROM sums
