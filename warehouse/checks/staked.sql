-- Is a program's total what its accounts have staked, and do they have no larger share than its total?
-- Rescaling takes from accounts and leaves the total as it is (D-63).
WITH summed AS (
    SELECT ticker, sum(staked) AS staked, sum(replace(scaled, '.', '')::BIGNUM) AS scaled
    FROM current_accounts
    GROUP BY ticker
),
compared AS (
    SELECT
        ticker,
        coalesce(programs.total_staked, 0) AS total_staked,
        coalesce(replace(programs.total_scaled, '.', ''), '0')::BIGNUM AS total_scaled,
        coalesce(summed.staked, 0) AS staked,
        coalesce(summed.scaled, 0::BIGNUM) AS scaled
    FROM current_programs AS programs
    FULL JOIN summed USING (ticker)
)
SELECT
    'program ' || ticker AS place,
    total_staked || ' staked, at most ' || total_scaled || ' scaled' AS expected,
    staked || ' staked, ' || scaled || ' scaled' AS found
FROM compared
WHERE total_staked <> staked OR total_scaled < scaled
ORDER BY ticker
