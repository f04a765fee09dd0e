"""Snapshots from a server: over connections that are cut, and from servers that know less than others."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.helpers.fileserver import FileServer, serving_files
from tests.helpers.snapshots import FORMS, exported_home
from warehouse.audit import audit
from warehouse.bundles import web
from warehouse.bundles.errors import DownloadStopped, NoSnapshot, Tampered
from warehouse.bundles.reading import import_into, verify
from warehouse.bundles.signing import read_public
from warehouse.bundles.web import WebFile, is_open_to_others, shown
from warehouse.errors import LakeNotFound
from warehouse.manifest import read_manifest


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported_home(tmp_path_factory.mktemp("web"))


@pytest.fixture
def key(home: Path) -> Ed25519PublicKey:
    return read_public(home / "ours.pub")


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(web, "PAUSE", 0.001)
    with serving_files(home) as server:
        yield server


@pytest.mark.parametrize("form", FORMS)
def test_what_is_served_is_imported(
    server: FileServer, home: Path, key: Ed25519PublicKey, tmp_path: Path, form: str
) -> None:
    contents = verify(f"{server.url}/{form}", key)
    assert contents == verify(home / form, key)
    assert import_into(f"{server.url}/{form}", tmp_path / "lake", key) == contents
    assert audit(tmp_path / "lake", None) == []


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_connection_that_is_cut_half_way_goes_on_where_it_was(
    server: FileServer, home: Path, key: Ed25519PublicKey, tmp_path: Path, knows_ranges: bool
) -> None:
    size = (home / "chain.tar").stat().st_size
    server.cuts, server.knows_ranges = [size // 2, 100 if knows_ranges else size // 2 + 100], knows_ranges
    import_into(f"{server.url}/chain.tar", tmp_path / "lake", key)
    assert [wanted for _, wanted in server.requests] == [None, f"bytes={size // 2}-", f"bytes={size // 2 + 100}-"]
    assert audit(tmp_path / "lake", None) == []


def test_files_of_a_folder_go_on_too(server: FileServer, home: Path, key: Ed25519PublicKey, tmp_path: Path) -> None:
    server.cuts = [10, 5]
    import_into(f"{server.url}/chain", tmp_path / "lake", key)
    assert server.requests[:3] == [
        ("/chain/snapshot.json", None),
        ("/chain/snapshot.json", "bytes=10-"),
        ("/chain/snapshot.json", "bytes=15-"),
    ]
    assert audit(tmp_path / "lake", None) == []


def test_an_import_that_was_interrupted_fetches_only_what_is_missing(
    server: FileServer, home: Path, key: Ed25519PublicKey, tmp_path: Path
) -> None:
    """The server is gone for good half way; the next run takes what is left."""
    size = (home / "chain.tar").stat().st_size
    server.cuts = [size // 2, *[0] * web.ATTEMPTS]
    with pytest.raises(DownloadStopped, match="run the same command again"):
        import_into(f"{server.url}/chain.tar", tmp_path / "lake", key)
    with pytest.raises(LakeNotFound):
        read_manifest(tmp_path / "lake")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "lake").rglob("*.parquet")}
    assert kept
    server.cuts, server.requests = [], []
    import_into(f"{server.url}/chain.tar", tmp_path / "lake", key)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    (begin,) = (int(wanted[6:-1]) for _, wanted in server.requests if wanted)
    assert begin > sum(path.stat().st_size for path in kept)


def test_a_server_that_is_busy_is_asked_again(server: FileServer, key: Ed25519PublicKey) -> None:
    server.refusals = [503, 429, 500]
    verify(f"{server.url}/chain.tar", key)
    server.refusals = [503] * web.ATTEMPTS
    with pytest.raises(DownloadStopped, match="the server answers 503"):
        verify(f"{server.url}/chain.tar", key)


def test_what_no_patience_changes_ends_at_once(server: FileServer, home: Path, key: Ed25519PublicKey) -> None:
    for place in ("absent.tar", "absent"):
        server.requests = []
        with pytest.raises(NoSnapshot, match="the server answers 404"):
            verify(f"{server.url}/{place}", key)
        assert len(server.requests) == 1
    for place in ("http://example:port/chain.tar", "https:///chain.tar"):
        with pytest.raises(NoSnapshot, match="is not a snapshot"):
            verify(place, key)
    with pytest.raises(DownloadStopped):
        verify("http://127.0.0.1:1/chain.tar", key)


def test_a_file_that_ends_early_is_refused(server: FileServer, home: Path, key: Ed25519PublicKey) -> None:
    """However whole the server says it is."""
    content = (home / "chain.tar").read_bytes()
    for length in (len(content) - 1, len(content) // 2, 512, 0):
        (home / "short.tar").write_bytes(content[:length])
        with pytest.raises((Tampered, NoSnapshot)):
            verify(f"{server.url}/short.tar", key)


def test_a_byte_that_was_changed_on_the_way_is_refused(
    server: FileServer, home: Path, key: Ed25519PublicKey, tmp_path: Path
) -> None:
    content = bytearray((home / "chain.tar").read_bytes())
    content[len(content) // 2] ^= 1
    (home / "changed.tar").write_bytes(content)
    with pytest.raises(Tampered):
        import_into(f"{server.url}/changed.tar", tmp_path / "lake", key)
    with pytest.raises(LakeNotFound):
        read_manifest(tmp_path / "lake")


def test_reading_beyond_the_end_gives_nothing(server: FileServer, home: Path) -> None:
    with web.connected() as client:
        file = WebFile(client, httpx.URL(f"{server.url}/ours.pub"))
        whole = (home / "ours.pub").read_bytes()
        file.seek(len(whole))
        assert file.read(1) == b""
        file.seek(len(whole) - 3)
        assert (file.read(2), file.read(2), file.read(2)) == (whole[-3:-1], whole[-1:], b"")


@pytest.mark.parametrize(
    ("place", "is_open"),
    [
        ("https://example.org/chain.tar", False),
        ("http://127.0.0.1:8000/chain.tar", False),
        ("http://[::1]/chain.tar", False),
        ("http://localhost/chain.tar", False),
        ("http://10.0.0.1/chain.tar", True),
        ("http://example.org/chain.tar", True),
    ],
)
def test_only_plain_http_beyond_this_machine_is_open_to_others(place: str, is_open: bool) -> None:
    assert is_open_to_others(place) is is_open


def test_secrets_of_an_address_are_not_shown() -> None:
    url = httpx.URL("https://me:secret@example.org/chain.tar?signature=secret#x")
    assert shown(url) == "https://example.org/chain.tar"
