-- How many transfers of each token are there in a day, and of what kinds?
SELECT
    make_date((epoch(block_time)::BIGINT // 86400)::INTEGER) AS day,
    ticker,
    count(*) FILTER (valid) AS transfers,
    count(*) FILTER (valid AND marketplace) AS marketplace_transfers,
    count(*) FILTER (valid AND multi) AS multi_transfers,
    count(*) FILTER (NOT valid) AS refused_transfers
FROM records
WHERE operation = 'transfer' AND ticker IS NOT NULL
GROUP BY ALL
