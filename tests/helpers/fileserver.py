"""A server of files whose connections can be cut."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class FileServer(ThreadingHTTPServer):
    """Serves the files of a folder with ranges, unless it is told to do worse."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.cuts: list[int] = []
        """After how many bytes of its body each of the next answers is cut off."""
        self.refusals: list[int] = []
        """Status with which each of the next requests is refused."""
        self.knows_ranges = True
        self.requests: list[tuple[str, str | None]] = []
        """Path and range of every request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get("Range")
        server.requests.append((self.path, wanted))
        if server.refusals:
            self.send_error(server.refusals.pop(0))
            return
        file = server.folder / self.path.split("?")[0].lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        size = len(content)
        first = 0
        if wanted and server.knows_ranges:
            match = re.fullmatch(r"bytes=(\d+)-", wanted)
            assert match is not None
            first = int(match[1])
            if first >= size:
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(size - first))
        self.end_headers()
        body = content[first:]
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving_files(folder: Path) -> Iterator[FileServer]:
    """The server, while the block runs."""
    with FileServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
