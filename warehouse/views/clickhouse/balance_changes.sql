-- What changed a balance, from what to what, in which pool, and for which position?
WITH
given AS (
    SELECT height, op_index, 'swap_in' AS cause, toInt64(fill + 2) AS number, position_id FROM fills
    UNION ALL
    SELECT height, op_index, 'swap_return', toInt64(2 * place) - before, position_id
    FROM (
        SELECT height, op_index, row_number() OVER (PARTITION BY height, op_index ORDER BY fill) AS place, position_id
        FROM fills
        WHERE closed
    )
    ARRAY JOIN [1, 0] AS before
),
trades AS (
    SELECT
        height,
        sequence,
        op_index,
        cause,
        toInt64(row_number() OVER (PARTITION BY height, op_index, cause ORDER BY sequence)) AS number
    FROM balance_events
    WHERE startsWith(cause, 'swap_')
),
opened AS (
    SELECT height, op_index, pool, position_id
    FROM records
    INNER JOIN positions USING (height, txid, vout)
    WHERE start_height = height
),
payments AS (
    SELECT
        height,
        sequence,
        min(if(cause = 'expiry', sequence, NULL)) OVER (
            PARTITION BY height ORDER BY sequence ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
        ) AS payment
    FROM balance_events
    WHERE startsWith(cause, 'expiry')
),
places AS (
    SELECT trades.height AS height, trades.sequence AS sequence, executions.pool AS pool, known.position_id AS position_id
    FROM trades
    INNER JOIN executions ON executions.height = trades.height AND executions.op_index = trades.op_index
    LEFT JOIN (
        SELECT height, op_index, cause, number, toNullable(position_id) AS position_id FROM given
    ) AS known ON known.height = trades.height AND known.op_index = trades.op_index AND known.cause = trades.cause
        AND known.number = trades.number
    UNION ALL
    SELECT trades.height, trades.sequence, opened.pool, opened.position_id
    FROM trades
    INNER JOIN opened ON opened.height = trades.height AND opened.op_index = trades.op_index
    WHERE cause = 'swap_init'
    UNION ALL
    SELECT payments.height, payments.sequence, settlements.pool, settlements.position_id
    FROM payments
    INNER JOIN settlements ON settlements.height = payments.height AND settlements.sequence = payments.payment
)
SELECT
    events.height AS height,
    events.sequence AS sequence,
    events.op_index AS op_index,
    known.txid AS txid,
    known.vout AS vout,
    known.operation AS operation,
    events.cause AS cause,
    events.ticker AS ticker,
    events.address AS address,
    (events.balance_after - events.delta)::Decimal(38, 8) AS balance_before,
    events.delta AS delta,
    events.balance_after AS balance_after,
    spots.pool AS pool,
    spots.position_id AS position_id
FROM balance_events AS events
LEFT JOIN (
    SELECT
        height,
        op_index,
        toNullable(txid) AS txid,
        toNullable(vout) AS vout,
        toNullable(operation::String) AS operation
    FROM records
) AS known ON known.height = events.height AND known.op_index = events.op_index
LEFT JOIN (
    SELECT height, sequence, toNullable(pool::String) AS pool, toNullable(position_id) AS position_id FROM places
) AS spots ON spots.height = events.height AND spots.sequence = events.sequence
