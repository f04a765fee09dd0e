-- How many addresses appear for the first time in a day, and how many have by then?
-- An address is the text of one script, a pool has none. A script's hash stands for it; the scripts that share theirs
-- with another one are looked at by themselves.
WITH scripts AS (
    SELECT script FROM fold WHERE script IS NOT NULL
    UNION
    SELECT script FROM recent_events WHERE script IS NOT NULL
),
shared AS (
    SELECT hash(script) AS hashed FROM scripts GROUP BY hashed HAVING count(*) > 1
),
hashes AS (
    SELECT hash(script) AS hashed, min(height) AS height
    FROM balance_events
    WHERE script IS NOT NULL
    GROUP BY hashed
),
firsts AS (
    SELECT height FROM hashes WHERE hashed NOT IN (FROM shared)
    UNION ALL
    SELECT min(height) AS height
    FROM (FROM balance_events SEMI JOIN shared ON hash(script) = hashed)
    WHERE script IS NOT NULL
    GROUP BY script
),
days AS (
    SELECT make_date((epoch(time)::BIGINT // 86400)::INTEGER) AS day, count(*) AS addresses
    FROM firsts
    INNER JOIN blocks USING (height)
    GROUP BY day
)
SELECT day, addresses, sum(addresses) OVER (ORDER BY day)::BIGINT AS total
FROM days
