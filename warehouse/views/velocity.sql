-- What part of a token's circulation do the transfers of a day move?
WITH supplies_of_days AS (
    SELECT
        ticker,
        make_date((epoch(time)::BIGINT // 86400)::INTEGER) AS day,
        arg_max((minted - burned + rounding)::DECIMAL(38, 8), height) AS circulating
    FROM supplies
    INNER JOIN blocks USING (height)
    GROUP BY ALL
)
SELECT
    moved.day,
    moved.ticker,
    moved.volume,
    known.circulating,
    moved.volume::DOUBLE / nullif(known.circulating::DOUBLE, 0) AS velocity
FROM daily_volume AS moved
ASOF LEFT JOIN supplies_of_days AS known ON known.ticker = moved.ticker AND known.day <= moved.day
