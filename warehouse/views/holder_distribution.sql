-- How unequally is each token held?
-- With x the balances by rank from the largest, the Gini coefficient is ((n + 1) sum(x) - 2 sum(rank x)) / (n sum(x)).
-- Multiples of 10^10 tokens and what is beside them, which sorts in 64 bits, are added apart, exactly; only the last
-- step is a ratio.
WITH split AS (
    SELECT
        ticker,
        CASE WHEN balance < 10000000000 THEN 0 ELSE trunc(balance)::HUGEINT // 10000000000 END AS high,
        CASE WHEN balance < 10000000000 THEN balance ELSE balance % 10000000000 END::DECIMAL(18, 8) AS low
    FROM balances
    WHERE balance > 0
),
sorted AS (
    SELECT ticker, high, list_reverse_sort(list(low)) AS lows
    FROM split
    GROUP BY ticker, high
),
bands AS (
    SELECT
        *,
        sum(len(lows)) OVER (PARTITION BY ticker ORDER BY high DESC ROWS UNBOUNDED PRECEDING) - len(lows) AS above
    FROM sorted
),
ranked AS (
    SELECT ticker, high, unnest(lows) AS low, above::BIGINT + generate_subscripts(lows, 1) AS rank
    FROM bands
),
sums AS (
    SELECT
        ticker,
        count(*) AS holders,
        sum(high) AS high,
        sum(low) AS low,
        sum(rank * high) AS ranked_high,
        sum(rank * low) AS ranked_low,
        sum(high) FILTER (rank <= 1) AS high_1,
        sum(low) FILTER (rank <= 1) AS low_1,
        sum(high) FILTER (rank <= 10) AS high_10,
        sum(low) FILTER (rank <= 10) AS low_10,
        sum(high) FILTER (rank <= 100) AS high_100,
        sum(low) FILTER (rank <= 100) AS low_100
    FROM ranked
    GROUP BY ticker
),
totals AS (
    SELECT
        ticker,
        holders,
        ((high * 10000000000)::DECIMAL(38, 8) + low)::DECIMAL(38, 8) AS held,
        ((holders + 1) * high - 2 * ranked_high) * 10000000000 AS skew_high,
        (holders + 1) * low - 2 * ranked_low AS skew_low,
        (high_1 * 10000000000)::DECIMAL(38, 8) + low_1 AS top_1,
        (high_10 * 10000000000)::DECIMAL(38, 8) + low_10 AS top_10,
        (high_100 * 10000000000)::DECIMAL(38, 8) + low_100 AS top_100
    FROM sums
)
SELECT
    ticker,
    holders,
    held,
    ((skew_high + trunc(skew_low)::HUGEINT)::DOUBLE + (skew_low - trunc(skew_low))::DOUBLE)
    / holders / held::DOUBLE AS gini,
    top_1::DOUBLE / held::DOUBLE AS top_1_share,
    top_10::DOUBLE / held::DOUBLE AS top_10_share,
    top_100::DOUBLE / held::DOUBLE AS top_100_share
FROM totals
