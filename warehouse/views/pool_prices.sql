-- What did a pool ask for its tokens after each block that changed it?
SELECT
    pool,
    pools.height AS height,
    blocks.time AS time,
    token_a,
    token_b,
    reserve_a,
    reserve_b,
    nullif(reserve_b::DOUBLE, 0) / nullif(reserve_a::DOUBLE, 0) AS price
FROM pools
INNER JOIN blocks ON blocks.height = pools.height
