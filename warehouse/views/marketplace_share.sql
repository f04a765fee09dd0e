-- What part of a token's transfers of a day are marketplace transfers?
WITH sums AS (
    SELECT
        make_date((epoch(block_time)::BIGINT // 86400)::INTEGER) AS day,
        ticker,
        count(*) AS transfers,
        count(*) FILTER (marketplace) AS marketplace_transfers,
        sum(trunc(amount)::HUGEINT) AS whole,
        sum(amount - trunc(amount)) AS beside,
        coalesce(sum(trunc(amount)::HUGEINT) FILTER (marketplace), 0) AS marketplace_whole,
        coalesce(sum(amount - trunc(amount)) FILTER (marketplace), 0) AS marketplace_beside
    FROM records
    WHERE valid AND operation = 'transfer' AND ticker IS NOT NULL
    GROUP BY ALL
)
SELECT
    day,
    ticker,
    transfers,
    marketplace_transfers,
    marketplace_transfers / transfers AS transfer_share,
    try((whole::DECIMAL(38, 8) + beside)::DECIMAL(38, 8)) AS volume,
    try((marketplace_whole::DECIMAL(38, 8) + marketplace_beside)::DECIMAL(38, 8)) AS marketplace_volume,
    (marketplace_whole::DOUBLE + marketplace_beside::DOUBLE)
    / nullif(whole::DOUBLE + beside::DOUBLE, 0) AS volume_share
FROM sums
