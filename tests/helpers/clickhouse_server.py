"""ClickHouse's engine behind its HTTP interface, in a process that can be killed.

`python -m tests.helpers.clickhouse_server FOLDER PORT [CONFIG]` serves the database in FOLDER, with the users, profiles
and quotas of a configuration if one is given; whoever asks is the user `default` of it. No package has the server
itself, so this stands between the real client of a server and the real engine: statements, settings, parameters, rows,
errors and what is left on the disk are theirs. Every statement is announced on standard output before it is run.
"""

import json
import re
import signal
import subprocess
import sys
import threading
from contextlib import closing
from email import message_from_bytes, policy
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from socket import socket
from tempfile import NamedTemporaryFile
from typing import IO, Final
from urllib.parse import parse_qsl, urlsplit

from chdb.state import connect

from tests.helpers.api import free_port

ROOT: Final = Path(__file__).parents[2]

TRANSPORT: Final = {
    "client_protocol_version",
    "database",
    "enable_http_compression",
    "http_headers_progress_interval_ms",
    "query",
    "query_id",
    "send_progress_in_http_headers",
    "wait_end_of_query",
}
"""Parameters of a request that are no settings."""

_FORMAT: Final = re.compile(r"\bFORMAT\s+(\w+)\s*$")
_CODE: Final = re.compile(r"Code: (\d+)\.")


class Server(ThreadingHTTPServer):
    """Requests are answered side by side, each by a connection of its own: settings last as long as a request."""

    daemon_threads = True

    def __init__(self, folder: str, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = folder
        self._kept = connect(folder)

    def handle_error(self, request: socket | tuple[bytes, socket], client_address: object) -> None:
        """A client that was killed is no error of the server."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """What a client of ClickHouse sends, as far as ours is one."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK, b"Ok.\n", {})

    def do_POST(self) -> None:
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get_content_type() == "multipart/form-data":
            given |= _fields(self.headers["Content-Type"], body)
            body = b""
        query = given.get("query") or body.decode()
        print("asked", " ".join(query.split())[:60], flush=True)
        try:
            content = self._run(query, given, body if "query" in given else b"")
        except RuntimeError as error:
            code = _CODE.search(str(error))
            headers = {"X-ClickHouse-Exception-Code": code[1]} if code else {}
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error).encode(), headers)
            return
        form = _FORMAT.search(query)
        told = form[1] if form else "TabSeparated"
        self._answer(HTTPStatus.OK, content, {"X-ClickHouse-Format": told} if content else {})

    def _run(self, query: str, given: dict[str, str], rows: bytes) -> bytes:
        values = {name[6:]: value for name, value in given.items() if name.startswith("param_")}
        with closing(connect(self.server.folder)) as connection:
            if "database" in given:
                connection.query(f"USE `{given['database']}`")
            for name, value in given.items():
                if name not in TRANSPORT and not name.startswith("param_"):
                    connection.query(f"SET {name} = '{value}'")
            if not rows:
                return bytes(connection.query(query, "TabSeparated", params=values).bytes() or b"")
            with NamedTemporaryFile(suffix=".rows") as file:
                file.write(rows)
                file.flush()
                start, form = query.rsplit(" FORMAT ", 1)
                connection.query(f"{start} FROM INFILE '{file.name}' FORMAT {form}")
                return b""

    def _answer(self, status: HTTPStatus, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "X-ClickHouse-Summary": json.dumps({})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are announced already."""


def _fields(kind: str, body: bytes) -> dict[str, str]:
    """The fields of a form."""
    form = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body, policy=policy.HTTP)
    return {str(part.get_param("name", header="content-disposition")): _content(part) for part in form.iter_parts()}


def _content(part: Message) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


class ServerProcess:
    """The server, started and killed as often as wanted, at one port over one folder."""

    def __init__(self, folder: Path, config: Path | None = None) -> None:
        self.port = free_port()
        self._folder = f"{folder}?config-file={config}" if config else str(folder)
        self._asked: Queue[str] = Queue()
        self._process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None

    @property
    def address(self) -> str:
        return f"clickhouse://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when it answers."""
        command = [sys.executable, "-m", "tests.helpers.clickhouse_server", self._folder, str(self.port)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self._listener = threading.Thread(target=self._listen, args=(self._process.stdout,))
        self._listener.start()

    def kill(self) -> None:
        """With SIGKILL, whatever it is doing."""
        assert self._process is not None
        assert self._listener is not None
        self._process.kill()
        self._listener.join()
        code, self._process = self._process.wait(), None
        assert code == -signal.SIGKILL, f"the server had ended with {code}"

    def next_statements(self, count: int, seconds: float) -> list[str]:
        """The beginnings of the statements that are asked from now on, fewer if none comes for so many seconds."""
        with self._asked.mutex:
            self._asked.queue.clear()
        found: list[str] = []
        try:
            while len(found) < count:
                found.append(self._asked.get(timeout=seconds))
        except Empty:
            pass
        return found

    def _listen(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._asked.put(line.removeprefix("asked ").strip())

    def __enter__(self) -> "ServerProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()


def main() -> None:
    with Server(sys.argv[1], int(sys.argv[2])) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
