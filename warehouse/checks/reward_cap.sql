-- Did a program pay more than its supply (D-65), or other than was minted? Each claim rounds what it mints: by half a
-- unit at most, and the total of the rewards is cut to whole units here.
WITH paid AS (
    SELECT
        ticker,
        max_supply,
        rewards_paid,
        regexp_extract(rewards_paid || '.', '^(\d+)\.(\d{0,8})(\d*)', ['tokens', 'units', 'rest']) AS parts
    FROM current_programs
),
claims AS (
    SELECT ticker, count(*) AS claims FROM balance_events WHERE cause = 'reward' GROUP BY ticker
),
compared AS (
    SELECT
        paid.ticker,
        paid.max_supply,
        paid.rewards_paid,
        (parts.tokens || '.' || rpad(parts.units, 8, '0'))::DECIMAL(38, 8) AS whole,
        parts.rest SIMILAR TO '.*[1-9].*' AS more,
        coalesce(supplies.minted, 0) AS minted,
        (coalesce(claims.claims, 0) // 2 + 1)::DECIMAL(20, 0) * 0.00000001::DECIMAL(9, 8) AS tolerance
    FROM paid
    LEFT JOIN claims USING (ticker)
    LEFT JOIN latest_supplies AS supplies USING (ticker)
)
SELECT
    ticker AS place,
    'at most ' || max_supply || ', ' || minted || ' minted' AS expected,
    rewards_paid AS found
FROM compared
WHERE whole > max_supply OR (whole = max_supply AND more) OR abs(minted - whole) > tolerance
ORDER BY ticker
