# SPDX-License-Identifier: Apache-2.0
"""The figure of the distributed deployment, small: three gateways (one without a database), two Key Managers and two portals behind an
external and an internal balancer, as conf/lb-external.conf and conf/lb-internal.conf have them."""
import socket
import threading

import requests

from client import Client
from httpd import MODULES
from support import free_port, wait_until

HEALTH = ["<Location /apim-health>", "SetHandler apim-health", "ApimGateway Off", "</Location>"]
BALANCER_MODULES = ("proxy_hcheck",)
# Health is asked every second; a member that was found dead is tried again after a second, and by the health check before.
MEMBER = "hcmethod=GET hcuri=/apim-health hcinterval=1 hcpasses=1 hcfails=1 retry=1 connectiontimeout=1"
# A node that hangs is told by its time-out: the time-out of a member is also that of its health check.
LB_EXTERNAL = """
ProxyHCTPsize 8
<Proxy balancer://gateways>
{gateways}
</Proxy>
<Proxy balancer://portals>
{portals}
</Proxy>
<Proxy balancer://keys>
{keymgrs}
</Proxy>
ApimRetryIdempotent On
Header always set Retry-After 2 "expr=%{{REQUEST_STATUS}} -in {{'502', '503', '504'}} && -z %{{resp:Retry-After}}"
ProxyPass /server-status !
ProxyPass /gateway balancer://gateways
ProxyPass /api balancer://portals/api
ProxyPass / balancer://keys/
"""
LB_INTERNAL = """
ProxyHCTPsize 8
<Proxy balancer://feeds>
{feeds}
ProxySet failontimeout=On
</Proxy>
<Proxy balancer://keymgrs>
{keymgrs}
ProxySet failontimeout=On
</Proxy>
ProxyPass /server-status !
ProxyPass /internal/keymgr/v1/feed-heads balancer://feeds/internal/keymgr/v1/feed-heads
ProxyPass / balancer://keymgrs/
"""
MPM = ["StartServers 2", "ServerLimit 4", "ThreadsPerChild 32", "ThreadLimit 32", "MinSpareThreads 16", "MaxSpareThreads 96",
       "MaxRequestWorkers 96"]


def members(urls, timeout):
    return "\n".join(f"BalancerMember {url} {MEMBER} timeout={timeout}" for url in urls)


class Wire:
    """A TCP forwarder that can be cut: connections break and new ones are refused until it is mended."""

    def __init__(self, port):
        self.target, self.port, self.pairs, self.lock = port, free_port(), [], threading.Lock()
        self.server = None
        self.mend()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def mend(self):
        self.server = socket.create_server(("127.0.0.1", self.port), reuse_port=True)
        threading.Thread(target=self._accept, args=(self.server,), daemon=True).start()

    def cut(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for end in (end for pair in pairs for end in pair):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self, server):
        while True:
            try:
                near, _ = server.accept()
                far = socket.create_connection(("127.0.0.1", self.target), 5)
            except OSError:
                if server.fileno() < 0:
                    return
                continue
            far.settimeout(None)
            with self.lock:
                self.pairs.append((near, far))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Cluster:
    """keymgrs, internal, gateways, portals, external: nodes of an Env. client goes through the external balancer; direct(node) to one
    gateway. wire: between the last gateway, which has no database, and the internal balancer's feed."""

    def __init__(self, env, db, timeout=2):
        self.env = env
        self.keymgrs = [env.node(["keymgr"], f"km{i}", db=db, mpm_lines=MPM, extra="\n".join([f"ApimNodeName km{i}", *HEALTH[:2], HEALTH[3]]))
                        for i in (1, 2)]
        urls = [k.url for k in self.keymgrs]
        self.internal = self._balancer("lb-internal", LB_INTERNAL.format(feeds=members(urls, 4), keymgrs=members(urls, timeout)))
        self.wire = Wire(self.internal.port)
        self.gateways = [self._gateway(i, db) for i in (1, 2)] + [self._gateway(3, None, f"ApimFeed {self.wire.url}")]
        external = free_port()
        self.portals = [env.node(["portal"], f"portal{i}", db=db, mpm_lines=MPM, keymgr=self.internal.url,
                                 public_gateway=f"http://127.0.0.1:{external}/gateway", public_keymgr=f"http://127.0.0.1:{external}",
                                 extra="\n".join([f"ApimNodeName portal{i}", *HEALTH[:2], HEALTH[3]])) for i in (1, 2)]
        self.external = self._balancer("lb-external", LB_EXTERNAL.format(
            gateways=members([g.gateway_url for g in self.gateways], 30), portals=members([p.url for p in self.portals], 30),
            keymgrs=members(urls, 30)), external)
        self.nodes = [*self.keymgrs, self.internal, *self.gateways, *self.portals, self.external]
        self.client = Client(self.external.url, self.external.url, self.external.url + "/gateway")
        for name in ("gateways", "portals"):
            for node in getattr(self, name):
                wait_until(lambda: self.healthy(node), 20, what=f"{node.name} is healthy")  # noqa: B023

    def _balancer(self, name, lines, port=None):
        node = self.env.node(["gateway"], name, db=None, start=False, mpm_lines=MPM, gateway_location=[], extra=lines,
                             modules=(*MODULES, *BALANCER_MODULES), keymgr="http://127.0.0.1:9")
        if port:
            node.port, node.url = port, f"http://127.0.0.1:{port}"
            node.write_conf()
        return node.start()

    def _gateway(self, i, db, *more):
        return self.env.node(["gateway"], f"gw{i}", db=db, mpm_lines=MPM, keymgr=self.internal.url,
                             gateway_location=["<Location />", "ApimGateway On", "</Location>", *HEALTH],
                             extra="\n".join([f"ApimNodeName gw{i}", "ApimKeyManagerTimeout 5s", *more]))

    @staticmethod
    def healthy(node):
        try:
            url = node.gateway_url if "gateway" in node.roles else node.url
            return requests.get(url + "/apim-health", timeout=3).status_code == 200
        except requests.RequestException:
            return False

    def direct(self, gateway):
        return Client(self.external.url, self.external.url, gateway.gateway_url)
