-- What did every record ask for, and what came of it?
SELECT *
FROM records
-- Of one type by every reader's settings for joins.
LEFT JOIN (SELECT height, toNullable(hash) AS block_hash FROM blocks) AS hashes USING (height)
