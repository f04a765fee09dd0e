-- How many transfers of each token are there in a day, and of what kinds?
SELECT
    DATE '1970-01-01' + floor(extract(epoch FROM block_time) / 86400)::INTEGER AS day,
    ticker,
    count(*) FILTER (WHERE valid)::BIGINT AS transfers,
    count(*) FILTER (WHERE valid AND marketplace)::BIGINT AS marketplace_transfers,
    count(*) FILTER (WHERE valid AND multi)::BIGINT AS multi_transfers,
    count(*) FILTER (WHERE NOT valid)::BIGINT AS refused_transfers
FROM records
WHERE operation = 'transfer' AND ticker IS NOT NULL
GROUP BY ALL
