"""SQL of strangers: what analysts need runs, and nothing else does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from tests.helpers.judged import FactMaker
from warehouse.allowed_sql import LONGEST, PUBLIC, checked
from warehouse.analyst import asked
from warehouse.errors import QueryTooLarge, UnusableQuery
from warehouse.lake import Lake
from warehouse.manifest import read_manifest


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("analyst") / "lake"
    with Lake.create(directory, "regtest", 100) as lake:
        lake.commit(*FactMaker().extend(12))
    return directory


@contextmanager
def rows(lake: Path, query: str) -> Iterator[pa.Table]:
    with asked(lake, read_manifest(lake), query) as reader:
        yield reader.read_all()


USEFUL = [
    *(f"FROM {name} LIMIT 2" for name in sorted(PUBLIC)),
    'SELECT * FROM "Balances" -- a comment; SET x = 1',
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r",
    "SELECT ticker, sum(amount) OVER w, row_number() OVER w FROM operations WINDOW w AS (PARTITION BY ticker ORDER BY "
    "height DESC)",
    "SELECT CASE WHEN true THEN 2 END, [x + 1 FOR x IN [1]], try_cast('a' AS INT), 1 IN (SELECT 1), EXISTS (SELECT 2)",
    "SELECT * FROM balances JOIN holders USING (ticker, address) ASOF JOIN blocks c ON last_height >= c.height",
    "SELECT ticker, count(*) FILTER (valid) FROM operations WHERE ticker LIKE 'W%' GROUP BY ROLLUP (ticker)",
    "SELECT time::DATE + INTERVAL 1 DAY, {'a': 1}, map {'a': 1}, strftime(time, '%Y'), time AT TIME ZONE 'UTC' "
    "FROM blocks",
    "VALUES (1, 2)",
    "SELECT n FROM range(10) t(n) UNION SELECT unnest([1, 2]) ORDER BY 1 LIMIT 3",
    "PIVOT (SELECT ticker, balance FROM balances) ON ticker IN ('WTF') USING sum(balance)",
    "SELECT DISTINCT ON (ticker) * FROM holders ORDER BY ticker, rank LIMIT 10%",
    "SELECT COLUMNS('h.*') FROM blocks QUALIFY row_number() OVER (ORDER BY height) = 1",
    "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT * FROM b",
    "SELECT date_trunc('day', b.time) AS day, o.ticker, sum(o.amount) FROM operations o JOIN blocks b USING (height) "
    "WHERE o.valid GROUP BY ALL",
]

HOSTILE = [
    # files and the network
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'manifest.json'",
    "SELECT * FROM read_parquet('{segment}')",
    "SELECT * FROM '{segment}'",
    "SELECT * FROM parquet_metadata('{segment}')",
    "SELECT * FROM parquet_schema('{segment}')",
    "SELECT * FROM parquet_file_metadata('{segment}')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM 'https://example.com/x.parquet'",
    "SELECT (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT * FROM balances WHERE ticker IN (SELECT content FROM read_text('/etc/passwd'))",
    "SELECT * FROM balances ORDER BY (SELECT size FROM read_blob('/etc/passwd'))",
    "SELECT * FROM range((SELECT size FROM read_blob('/etc/passwd')))",
    "SELECT * FROM blocks LIMIT (SELECT size FROM read_blob('/etc/passwd'))",
    "SELECT count(*) FILTER ((SELECT size > 1 FROM read_blob('/etc/passwd'))) FROM blocks",
    "SELECT sum(height) OVER (ORDER BY (SELECT size FROM read_blob('/etc/passwd'))) FROM blocks",
    "FROM blocks JOIN tip ON (SELECT size > 1 FROM read_blob('/etc/passwd'))",
    "PIVOT (SELECT * FROM read_text('/etc/passwd')) ON size IN (1) USING count(*)",
    "VALUES ((SELECT content FROM read_text('/etc/passwd')))",
    "COPY balances TO '/tmp/stolen.csv'",
    "COPY (SELECT 1) TO '/tmp/stolen.csv'",
    "EXPORT DATABASE '/tmp/stolen'",
    "ATTACH '/tmp/stolen.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CREATE SECRET s (TYPE s3)",
    # settings and the inside
    "SET memory_limit = '100GB'",
    "RESET lock_configuration",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "SELECT current_setting('temp_directory')",
    "SELECT getenv('HOME')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM pragma_table_info('balances')",
    "SELECT * FROM duckdb_views",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM main.sqlite_master",
    "SELECT * FROM system.information_schema.columns",
    "SELECT * FROM memory.main.fold",
    "SELECT * FROM fold",
    "SELECT * FROM recent_events",
    "SHOW TABLES",
    "DESCRIBE balances",
    "SUMMARIZE balances",
    "EXPLAIN SELECT 1",
    "SELECT write_log('x')",
    "SELECT nextval('s')",
    "SELECT * FROM which_table",
    # changes
    "CREATE TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW balances AS SELECT 1",
    "CREATE MACRO sum(x) AS 1",
    "DROP VIEW balances",
    "DELETE FROM balances",
    "INSERT INTO balances SELECT * FROM balances",
    "UPDATE balances SET balance = 0",
    "WITH x AS (DELETE FROM balances RETURNING *) SELECT * FROM x",
    "WITH x AS (INSERT INTO balances VALUES (1) RETURNING *) SELECT * FROM x",
    "BEGIN",
    "CALL range(1)",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    # tricks
    "",
    ";",
    "-- nothing",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW balances",
    "SELECT 1;;COPY balances TO '/tmp/stolen.csv'",
    "SELECT /* */ getenv /* */ ('HOME')",
    "SELECT \"getenv\"('HOME')",
    "SELECT main.\"getenv\"('HOME')",
    "SELECT system.main.md5('x')",
    "SELECT 'x'.getenv()",
    "SELECT list_transform(['HOME'], x -> getenv(x))",
    "SELECT list_aggregate([1], 'sum')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('balances')",
    "SELECT * FROM query_table(['balances'])",
    "SELECT json_execute_serialized_sql('x')",
    "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "WITH sqlite_master AS (SELECT * FROM sqlite_master) SELECT * FROM sqlite_master",
    "WITH RECURSIVE sqlite_master AS (SELECT sql FROM sqlite_master UNION ALL SELECT sql FROM sqlite_master) "
    "SELECT * FROM sqlite_master",
    "SELECT * FROM sqlite_master, (WITH sqlite_master AS (SELECT 1) FROM sqlite_master)",
    "WITH x AS (SELECT content FROM read_text('/etc/passwd')) SELECT 1",
    "SELECT * FROM directory",
    "SELECT * FROM balances AT (VERSION => 1)",
    "SELECT $1",
    "SELECT ?",
    "SELECT * FROM balances WHERE ticker = $ticker",
    "SELECT 1\0",
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 1000000000, 'x')",
    "SELECT printf('%1000000000d', 1)",
    "SELECT range(1000000000)",
    "SELECT sleep_ms(100000)",
    "SELECT '" + "x" * LONGEST + "'",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT nonsense FROM balances",
    "SELECT",
]


@pytest.mark.parametrize("query", USEFUL)
def test_what_analysts_need_is_answered(lake: Path, query: str) -> None:
    with rows(lake, query) as found:
        assert found.num_columns


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.parametrize("query", [query for query in HOSTILE if "nonsense" not in query])
def test_what_could_reach_anything_else_is_refused_before_it_is_run(
    lake: Path, engine: duckdb.DuckDBPyConnection, query: str
) -> None:
    segment = lake / read_manifest(lake).of("blocks")[0].file.path
    with pytest.raises(UnusableQuery):
        checked(engine, query.replace("{segment}", str(segment)))


def test_a_statement_without_meaning_is_told_why(lake: Path) -> None:
    with pytest.raises(UnusableQuery, match="nonsense"), rows(lake, "SELECT nonsense FROM balances"):
        pass


def test_even_without_the_list_the_engine_is_locked(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that got past the list would still find no file, no setting and no variable of the program."""
    monkeypatch.setattr("warehouse.analyst.checked", lambda _connection, query: query)
    secret = pa.table({"x": [1]})
    assert secret.num_rows
    for query in (
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/etc/*')",
        f"SELECT * FROM read_text('{lake}/manifest.json')",
        "COPY (SELECT 1 AS x) TO '/tmp/simplicity-stolen.csv'",
        "ATTACH '/tmp/simplicity-stolen.db'",
        "INSTALL httpfs",
        "SET memory_limit = '100GB'",
        "SET lock_configuration = false",
        "SET allowed_paths = ['/etc/passwd']",
        "SELECT * FROM secret",
    ):
        with pytest.raises((UnusableQuery, duckdb.Error)), rows(lake, query) as found:
            pytest.fail(f"{query} gave {found.num_rows} rows")


def test_memory_has_its_end(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.analyst.MEMORY", "60MB")
    monkeypatch.setattr("warehouse.analyst.DISK", "1MB")
    with pytest.raises(QueryTooLarge), rows(lake, "SELECT array_agg(n) FROM range(100000000) t(n)"):
        pass
