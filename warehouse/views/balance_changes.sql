-- What changed a balance, from what to what, in which pool, and for which position?
WITH
-- The first `swap_in` of a trade is the executor's, then comes one for each position that gave, in order; a position that
-- closed has two `swap_return`, out of the pool and to the owner.
given AS (
    SELECT height, op_index, 'swap_in' AS cause, fill + 2 AS number, position_id FROM fills
    UNION ALL
    SELECT
        height,
        op_index,
        'swap_return',
        2 * row_number() OVER (PARTITION BY height, op_index ORDER BY fill) - unnest([1, 0]),
        position_id
    FROM fills
    WHERE closed
),
trades AS (
    SELECT
        height,
        sequence,
        op_index,
        cause,
        row_number() OVER (PARTITION BY height, op_index, cause ORDER BY sequence) AS number
    FROM balance_events
    WHERE starts_with(cause, 'swap_')
),
opened AS (
    SELECT height, op_index, pool, position_id
    FROM records
    INNER JOIN positions USING (height, txid, vout)
    WHERE start_height = height
),
-- What the pool gave for a payment to the owner comes before it.
payments AS (
    SELECT
        height,
        sequence,
        min(sequence) FILTER (cause = 'expiry') OVER (
            PARTITION BY height ORDER BY sequence ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS payment
    FROM balance_events
    WHERE starts_with(cause, 'expiry')
),
places AS (
    SELECT trades.height, trades.sequence, executions.pool, given.position_id
    FROM trades
    INNER JOIN executions USING (height, op_index)
    LEFT JOIN given USING (height, op_index, cause, number)
    UNION ALL
    SELECT trades.height, trades.sequence, opened.pool, opened.position_id
    FROM trades
    INNER JOIN opened USING (height, op_index)
    WHERE cause = 'swap_init'
    UNION ALL
    SELECT payments.height, payments.sequence, settlements.pool, settlements.position_id
    FROM payments
    INNER JOIN settlements ON settlements.height = payments.height AND settlements.sequence = payments.payment
)
SELECT
    events.height,
    events.sequence,
    events.op_index,
    records.txid,
    records.vout,
    records.operation,
    events.cause,
    events.ticker,
    events.address,
    (events.balance_after - events.delta)::DECIMAL(38, 8) AS balance_before,
    events.delta,
    events.balance_after,
    places.pool,
    places.position_id
FROM balance_events AS events
LEFT JOIN records USING (height, op_index)
LEFT JOIN places USING (height, sequence)
