-- How many STONES are minted in a day, to how many addresses, and how many have been by then? (R-CORE-STONE-1)
WITH days AS (
    SELECT
        DATE '1970-01-01' + floor(extract(epoch FROM block_time) / 86400)::INTEGER AS day,
        count(*)::BIGINT AS mints,
        sum(amount)::DECIMAL(38, 8) AS minted,
        count(DISTINCT to_address)::BIGINT AS recipients
    FROM records
    WHERE valid AND operation = 'mint_stones'
    GROUP BY day
)
SELECT day, mints, minted, recipients, (sum(minted) OVER (ORDER BY day))::DECIMAL(38, 8) AS total
FROM days
