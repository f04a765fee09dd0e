-- How many addresses have a balance that changes in a day?
-- An address is the text of one script, a pool has none. 52 bits of a script's hash stand for it, beside a number of 64
-- days, each a bit of a mask; the scripts that share these bits with another one are counted by themselves, exactly.
-- The masks' bits are counted byte by byte.
WITH scripts AS (
    SELECT script FROM fold WHERE script IS NOT NULL
    UNION
    SELECT script FROM recent_events WHERE script IS NOT NULL
),
shared AS (
    SELECT hash(script) // 4096 AS hashed FROM scripts GROUP BY hashed HAVING count(*) > 1
),
days AS (
    SELECT height, epoch(time)::BIGINT // 86400 AS day FROM blocks
),
bits AS (
    SELECT height, (day // 64)::UBIGINT AS band, 1::UBIGINT << (day % 64) AS bit FROM days
),
masks AS (
    SELECT hash(script) // 4096 * 4096 + band AS key, bit_or(bit) AS mask
    FROM balance_events
    INNER JOIN bits USING (height)
    WHERE script IS NOT NULL
    GROUP BY key
),
bytes AS (
    SELECT key % 4096 AS band, place, mask >> place & 255 AS byte, count(*) AS addresses
    FROM masks, range(0, 64, 8) AS places(place)
    WHERE key // 4096 NOT IN (FROM shared)
    GROUP BY ALL
),
counts AS (
    SELECT band::BIGINT * 64 + place + bit AS day, sum(addresses) AS addresses
    FROM bytes, range(8) AS places(bit)
    WHERE byte >> bit & 1 = 1
    GROUP BY ALL
    UNION ALL
    SELECT day, count(DISTINCT script) AS addresses
    FROM (FROM balance_events SEMI JOIN shared ON hash(script) // 4096 = hashed)
    INNER JOIN days USING (height)
    WHERE script IS NOT NULL
    GROUP BY day
)
SELECT make_date(day::INTEGER) AS day, sum(addresses)::BIGINT AS addresses
FROM counts
GROUP BY ALL
