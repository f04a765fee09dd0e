-- What is the newest supply row of every ticker?
SELECT
    max(height) AS height,
    ticker,
    arg_max(minted, height) AS minted,
    arg_max(burned, height) AS burned,
    arg_max(rounding, height) AS rounding,
    arg_max(holders, height) AS holders
FROM recent_supplies
GROUP BY ticker
