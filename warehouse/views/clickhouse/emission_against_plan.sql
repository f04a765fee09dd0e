-- What should a curve program have emitted after each block that changed it, and what did it pay? (R-CURVE-EMIT-1, -2)
-- The plan is max_supply x weighted / duration, rounded down to 8 decimals. 256 bits hold that product.
WITH spans AS (
    SELECT
        *,
        toInt256(duration) AS span,
        toInt256(least(last_reward_height - start_height, duration)) AS elapsed_blocks,
        toInt256(toDecimal256(max_supply, 8) * 100000000) AS supply,
        [intDiv(span, 10), intDiv(span * 3, 10), intDiv(span * 6, 10)] AS borders
    FROM programs
),
plans AS (
    SELECT
        *,
        if(
            type = 'linear',
            elapsed_blocks * 1000000000000000000,
            least(elapsed_blocks, borders[1]) * 5000000000000000000
            + greatest(least(elapsed_blocks, borders[2]) - borders[1], 0) * 1250000000000000000
            + greatest(least(elapsed_blocks, borders[3]) - borders[2], 0) * 416666666666666667
            + greatest(elapsed_blocks - borders[3], 0) * 312500000000000000
        ) AS weight,
        intDiv(supply * weight, span * 1000000000000000000) AS units
    FROM spans
)
SELECT
    ticker,
    height,
    type,
    toInt64(elapsed_blocks) AS elapsed,
    duration,
    max_supply,
    toDecimal128OrNull(
        concat(toString(intDiv(units, 100000000)), '.', leftPad(toString(units % 100000000), 8, '0')), 8
    ) AS planned,
    toDecimal128OrNull(extract(rewards_paid, '^[0-9]+(?:[.][0-9]{1,8})?'), 8) AS paid,
    toFloat64(rewards_paid) / nullif(toFloat64(units) / 1e8, 0) AS paid_share
FROM plans
