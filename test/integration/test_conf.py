# SPDX-License-Identifier: Apache-2.0
"""The files of conf/: each is a configuration that httpd takes, alone and in the ways its comments offer."""
import subprocess

import pytest

from database import scratch_dir
from httpd import HTTPD, module_dir, process_env
from support import BUILD, SOURCE

PG = "host=127.0.0.1 dbname=apim user=apim connect_timeout=1"
DATABASES = {"APIM_DB_USER_MANAGER": PG, "APIM_DB_API_MANAGER": PG, "APIM_DB_REGISTRY": PG}
GATEWAY_DATABASES = {"APIM_DB_API_MANAGER": PG, "APIM_DB_REGISTRY": PG}
GATEWAY, KEYMGR, PORTAL = {"APIM_LOAD_GATEWAY": ""}, {"APIM_LOAD_KEYMGR": ""}, {"APIM_LOAD_PORTAL": ""}
CASES = {
    "gateway": ("gateway", {**GATEWAY, **GATEWAY_DATABASES}),
    "gateway in a DMZ": ("gateway", {**GATEWAY, "APIM_FEED": "http://127.0.0.1:9"}),
    "gateway of an environment": ("gateway", {**GATEWAY, **GATEWAY_DATABASES, "APIM_ENVIRONMENT": "Internal"}),
    "keymgr": ("keymgr", {**KEYMGR, **DATABASES}),
    "publisher alone": ("portal", {**PORTAL, **DATABASES, "APIM_PUBLISHER": ""}),
    "store alone": ("portal", {**PORTAL, **DATABASES, "APIM_STORE": ""}),
    "admin alone": ("portal", {**PORTAL, **DATABASES, "APIM_ADMIN": ""}),
    "whole portal": ("portal", {**PORTAL, **DATABASES, "APIM_PUBLISHER": "", "APIM_STORE": "", "APIM_ADMIN": ""}),
    "external balancer": ("lb-external", GATEWAY),
    "external balancer without our module": ("lb-external", {}),
    "internal balancer": ("lb-internal", GATEWAY),
    "internal balancer without our module": ("lb-internal", {}),
}


@pytest.fixture(scope="module")
def root():
    path = scratch_dir("apim-conf-")
    for folder in ("run", "logs", "htdocs", "replica", "tls", "local", "tmp", "data"):
        (path / folder).mkdir()
    (path / "cluster.secret").write_text("0" * 64 + "\n", encoding="ascii")
    tls = path / "tls"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=node",
                    "-addext", "subjectAltName=DNS:*.apim.internal", "-keyout", tls / "node.key", "-out", tls / "node.pem"],
                   check=True, capture_output=True, timeout=60)
    (tls / "ca.pem").write_bytes((tls / "node.pem").read_bytes())
    (tls / "client.pem").write_bytes((tls / "node.pem").read_bytes() + (tls / "node.key").read_bytes())
    return path


def configtest(root, role, more):
    scheme = "https" if "APIM_TLS" in more else "http"
    defines = {"HTTPD_MODULES": module_dir(), "APIM_MODULES": BUILD / ".libs", "APIM_CONF": SOURCE / "conf", "APIM_ROLE": role,
               "APIM_NODE": "node1", "APIM_STATE": root, "APIM_LOGS": root / "logs", "APIM_PIDFILE": root / "run" / "pid",
               "APIM_LISTEN": "127.0.0.1", "APIM_PORT": 8443, "APIM_URL": "https://api.example.org",
               "APIM_MEMBERS": SOURCE / "conf" / "members", "APIM_KEYMGR": f"{scheme}://127.0.0.1:8444",
               "APIM_BALANCERS": "10.0.0.20 10.0.0.21", "APIM_LOCAL": root / "local", "APIM_PAGES": BUILD / "pages", **more}
    lines = [f'Define {name} "{value}"' if str(value) else f"Define {name}" for name, value in defines.items()]
    conf = root / "httpd.conf"
    conf.write_text("\n".join([*lines, f'Include "{SOURCE}/conf/quickstart/node.conf"', ""]), encoding="utf-8")
    done = subprocess.run([HTTPD, "-d", root, "-f", conf, "-t"], env=process_env(root), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    return done.returncode, done.stdout


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("case", CASES)
def test_configuration_of_a_role(root, case, tls):
    role, more = CASES[case]
    more = {**more, "APIM_TLS": root / "tls"} if tls else more
    if tls and "APIM_FEED" in more:
        more["APIM_FEED"] = "https://127.0.0.1:9"
    status, said = configtest(root, role, more)
    assert status == 0 and "warn" not in said, said


def test_a_balancer_manager_is_for_this_machine_only():
    for name in ("lb-external", "lb-internal"):
        conf = (SOURCE / "conf" / f"{name}.conf").read_text(encoding="utf-8")
        assert "SetHandler balancer-manager\n        Require local" in conf


def test_a_missing_name_is_told(root):
    role, more = CASES["keymgr"]
    status, said = configtest(root, role, {k: v for k, v in more.items() if k != "APIM_DB_REGISTRY"})
    assert status != 0 or "APIM_DB_REGISTRY" in said, said
