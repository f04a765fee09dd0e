-- What did every record ask for, and what came of it?
SELECT *
FROM records
LEFT JOIN (SELECT height, hash AS block_hash FROM blocks) AS hashes USING (height)
