-- What should a curve program have emitted after each block that changed it, and what did it pay? (R-CURVE-EMIT-1, -2)
-- The plan is max_supply x weighted / duration, rounded down to 8 decimals, where each block weighs what its part of the
-- program is multiplied by, in units of 10^-18. No integer holds that product: supply and weight are divided with rest,
-- and the rests are put together last.
WITH spans AS (
    SELECT
        ticker,
        height,
        type,
        duration,
        max_supply,
        rewards_paid,
        trunc(max_supply)::HUGEINT * 100000000 + ((max_supply - trunc(max_supply)) * 100000000)::HUGEINT AS supply,
        duration::HUGEINT AS span,
        least(last_reward_height - start_height, duration)::HUGEINT AS elapsed,
        [duration::HUGEINT // 10, duration::HUGEINT * 3 // 10, duration::HUGEINT * 6 // 10] AS borders
    FROM programs
),
weighted AS (
    SELECT
        *,
        CASE type
            WHEN 'linear' THEN elapsed * 1000000000000000000
            ELSE
                least(elapsed, borders[1]) * 5000000000000000000
                + greatest(least(elapsed, borders[2]) - borders[1], 0) * 1250000000000000000
                + greatest(least(elapsed, borders[3]) - borders[2], 0) * 416666666666666667
                + greatest(elapsed - borders[3], 0) * 312500000000000000
        END AS weight
    FROM spans
),
parts AS (
    SELECT
        *,
        1000000000000000000::HUGEINT AS unit,
        supply // span AS rate,
        supply % span AS rest,
        weight // 1000000000000000000 AS blocks,
        weight % 1000000000000000000 AS fraction
    FROM weighted
),
plans AS (
    SELECT
        *,
        rate * blocks + rate // unit * fraction + rate % unit * fraction // unit + rest * blocks // span
        + (rate % unit * fraction % unit * span + rest * blocks % span * unit + rest * fraction) // (span * unit) AS units
    FROM parts
)
SELECT
    ticker,
    height,
    type,
    elapsed::BIGINT AS elapsed,
    duration,
    max_supply,
    try_cast(units // 100000000 || '.' || lpad((units % 100000000)::VARCHAR, 8, '0') AS DECIMAL(38, 8)) AS planned,
    try_cast(regexp_extract(rewards_paid, '^[0-9]+([.][0-9]{1,8})?') AS DECIMAL(38, 8)) AS paid,
    rewards_paid::DOUBLE / nullif(units::DOUBLE / 1e8, 0) AS paid_share
FROM plans
