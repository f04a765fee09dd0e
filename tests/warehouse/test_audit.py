"""Every planted corruption is found, by the check that is there for it, and an untouched lake is clean."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from tests.helpers.forgery import Row, any_row, drop_where, repeated, rewrite, set_where
from tests.helpers.judged import FactMaker
from warehouse import errors
from warehouse.audit import FACT_CHECKS, FOLD_CHECKS, Finding, audit
from warehouse.compact import compact_step
from warehouse.folds import make_fold
from warehouse.lake import Lake
from warehouse.manifest import Fold, Segment, read_manifest, write_manifest
from warehouse.segments import read_rows, write_sorted
from warehouse.tables import TABLES

ONE = Decimal("1.00000000")
UNIT = Decimal("0.00000001")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folds, merged segments below, single blocks above."""
    home = tmp_path_factory.mktemp("lake")
    maker = FactMaker(seed=11)
    with Lake.create(home, "regtest", 100) as lake:
        for count in (*[1] * 18, 6):
            lake.commit(*maker.extend(count))
            if count == 6 or len(maker.per_block) == 12:
                make_fold(lake)
        while compact_step(lake):
            pass
        lake.commit(*maker.extend(2))
    return home


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(made, tmp_path / "lake")


def checks_of(findings: list[Finding]) -> set[str]:
    return {finding.check for finding in findings}


def test_an_untouched_lake_is_clean_at_every_height(directory: Path) -> None:
    for height in (None, 99, 100, 111, 112, 123, 125):
        assert audit(directory, height) == []


def test_an_empty_lake_is_clean(tmp_path: Path) -> None:
    Lake.create(tmp_path, "regtest", 100).close()
    assert audit(tmp_path) == []


def test_heights_that_are_not_there_are_refused(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.HeightUnknown):
        audit(directory, 126)
    with pytest.raises(errors.LakeNotFound):
        audit(tmp_path / "nothing")


def every_kind_of_file(directory: Path) -> list[str]:
    manifest = read_manifest(directory)
    return [*(segment.file.path for segment in manifest.segments), *(file.path for file in manifest.folds[0].files)]


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("spoil", [flip, lambda content: content[:-1], lambda content: content + b"\0", lambda _: b""])
def test_a_file_that_is_not_what_was_written_is_found(directory: Path, spoil: Callable[[bytes], bytes]) -> None:
    for path in every_kind_of_file(directory):
        file = directory / path
        good = file.read_bytes()
        file.write_bytes(spoil(good))
        findings = audit(directory)
        assert [(finding.check, finding.place) for finding in findings] == [("files", path)]
        file.write_bytes(good)


def test_a_file_that_is_gone_is_found(directory: Path) -> None:
    path = every_kind_of_file(directory)[0]
    (directory / path).unlink()
    (finding,) = audit(directory)
    assert str(finding).startswith(f"files: {path}: expected ")
    assert finding.found == "no file"


def test_a_row_count_other_than_the_listed_one_is_found(directory: Path) -> None:
    manifest = read_manifest(directory)
    first, *others = manifest.segments
    file = replace(first.file, rows=first.file.rows + 1)
    write_manifest(directory, manifest.with_segments([replace(first, file=file), *others]))
    assert checks_of(audit(directory)) == {"files"}


def test_a_file_that_is_no_parquet_is_found_even_if_its_digest_is_listed(directory: Path) -> None:
    manifest = read_manifest(directory)
    first, *others = manifest.segments
    (directory / first.file.path).write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    file = replace(first.file, bytes=0, sha256=empty)
    write_manifest(directory, manifest.with_segments([replace(first, file=file), *others]))
    (finding,) = audit(directory)
    assert finding.check == "files"
    assert "unreadable" in finding.found


def is_mint(row: Row) -> bool:
    return bool(row["operation"] == "mint" and row["valid"])


def is_transfer(row: Row) -> bool:
    return bool(row["operation"] == "transfer" and row["valid"] and row["amount"])


def raise_later_balances(rows: list[Row]) -> None:
    """A forged amount, carried through all later balances of the account."""
    forged = next(row for row in rows if row["cause"] == "mint")
    forged["delta"] += ONE
    account = forged["ticker"], forged["address"]
    for row in rows[rows.index(forged) :]:
        if (row["ticker"], row["address"]) == account:
            row["balance_after"] += ONE


def overdraw(rows: list[Row]) -> None:
    row = next(row for row in rows if row["cause"] == "transfer_debit")
    row["balance_after"] -= 10**12


def without_grown_ticker(rows: list[Row]) -> None:
    """Drop the first supply row of a ticker that has a later one."""
    grown = [row["ticker"] for row in rows]
    rows.remove(next(row for row in rows if grown.count(row["ticker"]) > 1 and row["minted"] > 0))


@pytest.mark.parametrize(
    ("table", "change", "checks"),
    [
        ("blocks", set_where(any_row, hash="ab" * 32), {"tip"}),
        ("blocks", set_where(any_row, cumulative_hash="ab" * 32), {"tip", "cumulative_hash"}),
        ("blocks", set_where(lambda row: row["height"] == 104, hash="ab" * 32), {"parents"}),
        ("blocks", set_where(any_row, previous_hash="ab" * 32), {"parents"}),
        ("blocks", set_where(any_row, event_hash="ab" * 32), {"event_hash", "cumulative_hash", "record_hash"}),
        ("blocks", set_where(any_row, record_hash="ab" * 32), {"record_hash"}),
        ("blocks", set_where(any_row, candidates=lambda count: count + 1), {"counts"}),
        ("blocks", drop_where(lambda row: row["height"] == 104), {"parents", "cumulative_hash", "counts"}),
        ("blocks", repeated, {"parents", "cumulative_hash", "keys", "tip"}),
        ("candidates", drop_where(any_row), {"counts"}),
        ("candidates", repeated, {"counts", "keys"}),
        (
            "operations",
            drop_where(is_mint),
            {"counts", "event_hash", "record_hash", "effects", "minted"},
        ),
        ("operations", drop_where(lambda row: not row["valid"]), {"counts", "record_hash"}),
        (
            "operations",
            set_where(is_mint, amount=lambda amount: amount + UNIT),
            {"event_hash", "effects", "minted"},
        ),
        ("operations", set_where(is_transfer, to_address="bcrt1q"), {"event_hash", "effects"}),
        ("operations", set_where(is_transfer, valid=False), {"counts", "event_hash", "record_hash", "effects"}),
        ("operations", set_where(lambda row: not row["valid"], code="INVALID_AMOUNT"), {"record_hash"}),
        ("operations", set_where(is_mint, txid="00" * 32), {"event_hash"}),
        ("balance_events", drop_where(any_row), {"counts", "effects"}),
        ("balance_events", set_where(any_row, delta=lambda delta: delta + ONE), {"effects", "running_balances"}),
        (
            "balance_events",
            set_where(any_row, balance_after=lambda after: after + ONE),
            {"running_balances", "conservation"},
        ),
        ("balance_events", raise_later_balances, {"effects", "conservation", "fold_balances"}),
        ("balance_events", overdraw, {"negative_balances", "running_balances"}),
        ("supplies", set_where(any_row, minted=lambda minted: minted + UNIT), {"minted", "conservation"}),
        ("supplies", set_where(any_row, burned=UNIT), {"conservation"}),
        ("supplies", set_where(any_row, holders=lambda holders: holders + 1), {"conservation"}),
        ("supplies", without_grown_ticker, {"minted"}),
        ("tokens", drop_where(any_row), {"deploys"}),
        ("tokens", set_where(any_row, deployer_address="bcrt1q"), {"deploys"}),
        ("tokens", set_where(any_row, deploy_txid="00" * 32), {"deploys"}),
        ("tokens", repeated, {"keys"}),
    ],
)
def test_a_forged_row_is_found_though_every_digest_is_right(
    directory: Path, table: str, change: Callable[[list[Row]], object], checks: set[str]
) -> None:
    rewrite(directory, table, change)
    found = checks_of(audit(directory))
    assert checks <= found
    assert "files" not in found


def test_more_minted_than_the_cap_is_found(directory: Path) -> None:
    minted = {
        row["ticker"] for row in read_rows(directory, read_manifest(directory), "supplies").to_pylist() if row["minted"]
    }
    rewrite(directory, "tokens", set_where(lambda row: row["ticker"] in minted, max_supply=UNIT))
    assert checks_of(audit(directory)) == {"supply_cap"}


def test_amounts_too_large_to_add_up_are_a_finding_not_a_failure(directory: Path) -> None:
    limit = Decimal("9" * 30)
    rewrite(directory, "balance_events", lambda rows: [row.update(balance_after=limit) for row in rows])
    assert {"running_balances", "conservation"} <= checks_of(audit(directory))


def set_fold(directory: Path, **files: pa.Table) -> None:
    manifest = read_manifest(directory)
    newest = manifest.folds[-1]
    balances = write_sorted(directory, "folds/forged", "balances", TABLES["balances"], files["balances"])
    supplies = write_sorted(directory, "folds/forged", "supplies", TABLES["supplies"], files["supplies"])
    forged = Fold(newest.height, (balances, supplies, *newest.serving))
    write_manifest(directory, replace(manifest, folds=(*manifest.folds[:-1], forged)))


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("fold_balances", drop_where(any_row)),
        ("fold_balances", set_where(any_row, balance=lambda balance: balance + UNIT)),
        ("fold_balances", set_where(any_row, last_height=lambda height: height - 1)),
        ("fold_balances", set_where(any_row, credit_height=lambda height: height + 1)),
        ("fold_balances", set_where(any_row, address="zz")),
        ("fold_supplies", drop_where(any_row)),
        ("fold_supplies", set_where(any_row, minted=lambda minted: minted + UNIT)),
    ],
)
def test_a_forged_fold_is_found(directory: Path, check: str, change: Callable[[list[Row]], None]) -> None:
    fold = read_manifest(directory).folds[-1]
    tables: dict[str, pa.Table] = {}
    for name, file in (("balances", fold.balances), ("supplies", fold.supplies)):
        schema = TABLES[name].schema
        rows = pa.parquet.read_table(directory / file.path, schema=schema).to_pylist()
        if check == f"fold_{name}":
            change(rows)
        tables[name] = pa.Table.from_pylist(rows, schema=schema)
    set_fold(directory, **tables)
    findings = audit(directory)
    assert checks_of(findings) == {check}
    assert all(finding.place.startswith(f"fold {fold.height}: ") for finding in findings)
    assert audit(directory, fold.height - 1) == [], "what lies above the audited height is not looked at"


def moved(segment: Segment, first: int, last: int) -> Segment:
    return replace(segment, first=first, last=last)


@pytest.mark.parametrize(
    ("table", "position", "shift"),
    [
        ("blocks", 0, (1, 0)),
        ("blocks", -1, (0, 1)),
        ("blocks", -1, (0, -1)),
        ("operations", 0, (-1, 0)),
        ("operations", 0, (0, 40)),
        ("balance_events", -1, (-1, 0)),
        ("balance_events", -1, (5, 0)),
    ],
)
def test_ranges_that_overlap_leave_gaps_or_lie_outside_are_found(
    directory: Path, table: str, position: int, shift: tuple[int, int]
) -> None:
    manifest = read_manifest(directory)
    wrong = manifest.of(table)[position]
    others = [segment for segment in manifest.segments if segment != wrong]
    shifted = moved(wrong, wrong.first + shift[0], wrong.last + shift[1])
    write_manifest(directory, manifest.with_segments([*others, shifted]))
    findings = audit(directory)
    assert "ranges" in checks_of(findings)
    assert any(table in finding.place for finding in findings if finding.check == "ranges")


def test_a_tip_that_no_block_has_is_found(directory: Path) -> None:
    manifest = read_manifest(directory)
    write_manifest(directory, replace(manifest, cumulative_hash="ab" * 32))
    assert checks_of(audit(directory)) == {"tip"}


def test_every_check_has_its_question_and_no_question_is_left_unasked() -> None:
    folder = Path(__file__).parents[2] / "warehouse" / "checks"
    assert {path.stem for path in folder.glob("*.sql")} == {*FACT_CHECKS, *FOLD_CHECKS}


def test_files_swept_by_a_running_writer_are_no_finding(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The audit begins again with the newer manifest."""
    old = read_manifest(directory)
    with Lake.open(directory, grace=0) as lake:
        lake.rewind(120)
    newer = read_manifest(directory)
    answers = iter([old, old])
    monkeypatch.setattr("warehouse.snapshot.read_manifest", lambda _: next(answers, newer))
    assert audit(directory) == []
