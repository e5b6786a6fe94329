# SPDX-License-Identifier: Apache-2.0
"""The figure of the distributed deployment, small: three gateways (one without a database), two Key Managers and two portals behind an
external and an internal balancer, which run conf/lb-external.conf and conf/lb-internal.conf."""
import socket
import threading

import requests

from client import Client
from httpd import MODULES
from support import SOURCE, free_port, wait_until

HEALTH = ["<Location /apim-health>", "SetHandler apim-health", "</Location>"]
BALANCER_MODULES = (*MODULES, "proxy_hcheck", "lbmethod_bybusyness")
MPM = ["StartServers 2", "ServerLimit 4", "ThreadsPerChild 32", "ThreadLimit 32", "MinSpareThreads 16", "MaxSpareThreads 96",
       "MaxRequestWorkers 96"]


def member_lines(name, urls):
    """The lines of conf/members/<name>.conf for these nodes."""
    line = next(x for x in (SOURCE / "conf" / "members" / f"{name}.conf").read_text().splitlines() if x.startswith("BalancerMember"))
    return "".join(f'BalancerMember "{url}" {line.split(maxsplit=2)[2]}\n' for url in urls)


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

    def __init__(self, env, db):
        self.env = env
        self.keymgrs = [env.node(["keymgr"], f"km{i}", db=db, mpm_lines=MPM, extra="\n".join([f"ApimNodeName km{i}", *HEALTH]))
                        for i in (1, 2)]
        self.internal, inside = self._balancer("lb-internal", keymgrs=[k.url for k in self.keymgrs])
        self.wire = Wire(int(inside.rpartition(":")[2]))
        self.gateways = [self._gateway(i, db, inside) for i in (1, 2)] + [self._gateway(3, None, inside, f"ApimFeed {self.wire.url}")]
        self.portals = [env.node(["portal"], f"portal{i}", db=db, mpm_lines=MPM, keymgr=inside, extra="\n".join(
            [f"ApimNodeName portal{i}", "ApimKeyManagerTimeout 7s", *HEALTH])) for i in (1, 2)]
        self.external, self.url = self._balancer("lb-external", inside, gateways=[g.gateway_url for g in self.gateways],
                                                 portals=[p.url for p in self.portals])
        self.nodes = [*self.keymgrs, self.internal, *self.gateways, *self.portals, self.external]
        self.client = Client(self.url, self.url, self.url + "/gateway")
        for node in (*self.gateways, *self.portals):
            wait_until(lambda: self.healthy(node), 20, what=f"{node.name} is healthy")  # noqa: B023

    def _balancer(self, name, keymgr="http://127.0.0.1:9", **members):
        """(node, its address)."""
        port = free_port()
        node = self.env.node(["gateway"], name, db=None, start=False, mpm_lines=MPM, gateway_location=[], modules=BALANCER_MODULES,
                             keymgr="http://127.0.0.1:9")
        for kind, urls in members.items():
            (node.root / "conf" / f"{kind}.conf").write_text(member_lines(kind, urls), encoding="utf-8")
        defines = {"APIM_LISTEN": "127.0.0.1", "APIM_PORT": port, "APIM_URL": f"http://127.0.0.1:{port}", "APIM_LOGS": node.root / "logs",
                   "APIM_MEMBERS": node.root / "conf", "APIM_CONF": SOURCE / "conf", "APIM_KEYMGR": keymgr}
        node.extra = "\n".join([*(f"Define {k} {v}" for k, v in defines.items()), f"Include {SOURCE}/conf/{name}.conf"])
        node.write_conf()
        return node.start(), f"http://127.0.0.1:{port}"

    def _gateway(self, i, db, keymgr, *more):
        return self.env.node(["gateway"], f"gw{i}", db=db, mpm_lines=MPM, keymgr=keymgr,
                             gateway_location=["<Location /gateway>", "ApimGateway On", "</Location>", *HEALTH],
                             extra="\n".join([f"ApimNodeName gw{i}", "ApimKeyManagerTimeout 7s", *more]))

    @staticmethod
    def healthy(node):
        try:
            url = node.gateway_url if "gateway" in node.roles else node.url
            return requests.get(url + "/apim-health", timeout=3).status_code == 200
        except requests.RequestException:
            return False

    def direct(self, gateway):
        return Client(self.url, self.url, gateway.gateway_url + "/gateway")
