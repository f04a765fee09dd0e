-- What part of a token's circulation do the transfers of a day move?
WITH supplies_of_days AS (
    SELECT
        supplies.ticker AS ticker,
        toDate(blocks.time) AS day,
        toNullable(argMax(minted - burned + rounding, supplies.height)) AS circulating
    FROM supplies
    INNER JOIN blocks ON blocks.height = supplies.height
    GROUP BY ticker, day
)
SELECT
    moved.day AS day,
    moved.ticker AS ticker,
    moved.volume AS volume,
    known.circulating AS circulating,
    toFloat64(moved.volume) / nullif(toFloat64(known.circulating), 0) AS velocity
FROM daily_volume AS moved
ASOF LEFT JOIN supplies_of_days AS known ON known.ticker = moved.ticker AND known.day <= moved.day
