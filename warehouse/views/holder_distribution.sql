-- How unequally is each token held?
-- With x the balances by rank from the largest, the Gini coefficient is ((n + 1) sum(x) - 2 sum(rank x)) / (n sum(x)).
-- Whole tokens and what is beside them are added apart, exactly; only the last step is a ratio.
WITH sorted AS (
    SELECT ticker, list(balance ORDER BY balance DESC) AS held
    FROM balances
    WHERE balance > 0
    GROUP BY ticker
),
ranked AS (
    SELECT ticker, unnest(held) AS balance, generate_subscripts(held, 1) AS rank
    FROM sorted
),
parts AS (
    SELECT
        *,
        trunc(balance)::HUGEINT AS whole,
        ((balance - trunc(balance)) * 100000000)::HUGEINT AS beside
    FROM ranked
),
sums AS (
    SELECT
        ticker,
        count(*) AS holders,
        sum(balance) AS held,
        (count(*) + 1) * sum(whole) - 2 * sum(rank * whole) AS skew,
        (count(*) + 1) * sum(beside) - 2 * sum(rank * beside) AS skew_beside,
        sum(balance) FILTER (rank <= 1) AS top_1,
        sum(balance) FILTER (rank <= 10) AS top_10,
        sum(balance) FILTER (rank <= 100) AS top_100
    FROM parts
    GROUP BY ticker
)
SELECT
    ticker,
    holders,
    held,
    (skew::DOUBLE + skew_beside::DOUBLE / 1e8) / holders / held::DOUBLE AS gini,
    top_1::DOUBLE / held::DOUBLE AS top_1_share,
    top_10::DOUBLE / held::DOUBLE AS top_10_share,
    top_100::DOUBLE / held::DOUBLE AS top_100_share
FROM sums
