-- What is the newest supply row of every ticker?
SELECT height, ticker, minted, burned, rounding, holders
FROM recent_supplies
ORDER BY height DESC
LIMIT 1 BY ticker
