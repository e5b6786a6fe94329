# SPDX-License-Identifier: Apache-2.0
"""A load generator that knows what a lost request is.

A server may close an idle keep-alive connection at any moment; a client that has just sent a request on it sees the
connection end without one byte of an answer, and every HTTP client sends an idempotent request again then (RFC 9112, section
9.3.1). That is no lost request. Lost is: a connection that is refused or reset when fresh, an answer that breaks off, an
answer with an unexpected status."""
import http.client
import threading
import time
import urllib.parse


class Load:
    """with Load(url, headers, clients=4) as load: …  Afterwards: load.done, load.retried, load.lost (list of texts)."""

    def __init__(self, url, headers=None, clients=4, keep_alive=True, statuses=(200,), pause=0.0):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.path = parts.path + ("?" + parts.query if parts.query else "")
        self.headers, self.keep_alive, self.statuses, self.pause = dict(headers or {}), keep_alive, statuses, pause
        if not keep_alive:
            self.headers["Connection"] = "close"
        self.done = self.retried = 0
        self.lost = []
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *args):
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _once(self, connection, fresh):
        """Returns what became of the request: 'done', 'closed' (idle connection was gone) or a description of the loss."""
        try:
            connection.request("GET", self.path, headers=self.headers)
            response = connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            return repr(error) + " on a fresh connection" if fresh else "closed"
        except OSError as error:
            return repr(error)
        try:
            response.read()
        except (OSError, http.client.HTTPException) as error:
            return f"the answer broke off: {error!r}"
        return "done" if response.status in self.statuses else f"status {response.status}"

    def _client(self):
        connection, fresh = None, True
        while not self._stop.is_set():
            if connection is None:
                connection, fresh = http.client.HTTPConnection(self.host, self.port, timeout=30), True
            outcome = self._once(connection, fresh)
            with self._lock:
                if outcome == "done":
                    self.done += 1
                elif outcome == "closed":
                    self.retried += 1
                else:
                    self.lost.append(outcome)
            fresh = False
            if outcome != "done" or not self.keep_alive or connection.sock is None:
                connection.close()
                connection = None
            if self.pause:
                time.sleep(self.pause)
