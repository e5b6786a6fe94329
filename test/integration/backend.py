# SPDX-License-Identifier: Apache-2.0
"""A back end under the test's control: echoes what it was sent as JSON, counts, and misbehaves on demand."""
import hashlib
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Seen:
    """One request as the back end saw it. headers: list of (name, value) in order."""

    def __init__(self, method, path, headers, body_length, body_sha256, body):
        self.method, self.path, self.headers = method, path, headers
        self.body_length, self.body_sha256, self.body = body_length, body_sha256, body

    def header(self, name):
        """Values of a header joined by ', '; None if it is absent."""
        values = [v for n, v in self.headers if n.lower() == name.lower()]
        return ", ".join(values) if values else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        with self.server.backend.lock:
            self.server.backend.connections += 1

    def _chunks(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                if size == 0:
                    while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                        pass
                    return
                yield self.rfile.read(size)
                self.rfile.readline()
        left = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            data = self.rfile.read(min(left, 65536))
            if not data:
                raise ConnectionError("the body broke off")
            left -= len(data)
            yield data

    def _answer(self):
        backend = self.server.backend
        digest, length, kept = hashlib.sha256(), 0, b""
        for data in self._chunks():
            digest.update(data)
            length += len(data)
            if len(kept) < 65536:
                kept += data
        seen = Seen(self.command, self.path, list(self.headers.items()), length, digest.hexdigest(), kept)
        with backend.lock:
            backend.requests += 1
            backend.seen.append(seen)
            del backend.seen[:-1000]
            delay, status, size, drop, half = backend.delay, backend.status, backend.size, backend.drop, backend.half
            backend.drop = drop if isinstance(drop, bool) else max(drop - 1, 0)
            extra = list(backend.headers)
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        delay = float(query.get("delay", delay))
        status = int(query.get("status", status))
        size = int(query.get("size", size))
        if delay:
            time.sleep(delay)
        if drop:
            self.close_connection = True
            return
        if size:
            body = b""
        else:
            body = json.dumps({"method": seen.method, "path": seen.path, "headers": seen.headers, "length": length,
                               "sha256": seen.body_sha256, "backend": backend.name}).encode()
        self.send_response(status)
        for name, value in extra:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/octet-stream" if size else "application/json")
        self.send_header("Content-Length", str(size or len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if half:
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
            return
        if not size:
            self.wfile.write(body)
        block = b"0123456789abcdef" * 4096
        while size > 0:
            self.wfile.write(block[:size])
            size -= len(block)

    def handle(self):
        try:
            super().handle()
        except (ConnectionError, TimeoutError, ValueError):
            pass

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Backend:
    """url, connections, requests, seen (the last 1000), last; set delay (s), status, size (bytes of body in place of the
    echo), headers (list of pairs added to answers), drop (close without an answer; a number: so many times)
    or half (close after half of it). The query
    parameters delay, status and size of a single request win over them."""

    def __init__(self, name="backend", port=0):
        self.name = name
        self.lock = threading.Lock()
        self.connections = self.requests = 0
        self.seen = []
        self.delay, self.status, self.size, self.drop, self.half, self.headers = 0.0, 200, 0, False, False, []
        self.server = _Server(("127.0.0.1", port), _Handler)
        self.server.backend = self
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    @property
    def last(self):
        return self.seen[-1]

    def reset(self):
        """Zero counters, default behaviour."""
        with self.lock:
            self.connections = self.requests = 0
            self.seen.clear()
            self.delay, self.status, self.size, self.drop, self.half, self.headers = 0.0, 200, 0, False, False, []

    def close(self):
        self.server.shutdown()
        self.server.server_close()
