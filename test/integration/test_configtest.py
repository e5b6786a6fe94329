# SPDX-License-Identifier: Apache-2.0
"""`httpd -t` refuses what is wrong with a sentence that names the directive and says what to write."""
import re

import pytest

from httpd import ROLES, known
from support import SOURCE

pytestmark = pytest.mark.databases("sqlite")

# directive line, what the refusal must say (regular expression)
COMMON = [
    ("ApimDatabase stock x.invalid", r"user_manager, api_manager or registry"),
    ("ApimDatabase registry nowhere.invalid", r"no <VirtualHost> with ServerName nowhere\.invalid"),
    ("ApimDatabaseConnections many", r"whole number from 1 to 1000"),
    ("ApimDatabaseConnections 0", r"whole number from 1 to 1000"),
    ("ApimDatabaseConnections 1001", r"whole number from 1 to 1000"),
    ("ApimDatabaseWait soon", r"duration from 10ms to 60s"),
    ("ApimDatabaseWait 5min", r"duration from 10ms to 60s"),
    ("ApimDatabaseWait -1", r"duration from 10ms to 60s"),
    ("ApimClusterSecret verysecretverysecretverysecretverysecret", r"file:<path>"),
    ("ApimClusterSecret file:/nonexistent/secret", r"cannot read /nonexistent/secret"),
    ("ApimClusterSecret file:{root}/conf/short.secret", r"at least 32 characters \(openssl rand -hex 32"),
    ("ApimKeyManager ftp://x", r"in-process, balancer://<name>, http://<host>:<port>"),
    ("ApimKeyManagerTimeout 1h", r"duration from 10ms to 60s"),
    ('ApimNodeName "gate way"', r"letters, digits and"),
    ("ApimAuditLog /nonexistent/audit.log", r"a file in a directory that exists"),
    ('ApimAuditLog "|"', r"write the program after"),
]
PORTAL = [
    ("ApimPublisher Maybe", r"ApimPublisher must be On or Off"),
    ("ApimStore Maybe", r"ApimStore must be On or Off"),
    ("ApimAdmin Maybe", r"ApimAdmin must be On or Off"),
    ("ApimSelfSignUp Maybe", r"ApimSelfSignUp must be On or Off"),
    ("ApimMaxDefinitionSize huge", r"size in MiB from 1 to 200"),
    ("ApimMaxDefinitionSize 0", r"size in MiB from 1 to 200"),
    ("ApimPublishWait 5min", r"duration from 0ms to 30s"),
    ("ApimPages /nonexistent/pages", r"ApimPages: cannot read the directory /nonexistent/pages"),
    ("ApimImportAllow example.org", r"an address or a network"),
    ("ApimGatewayUrl gateway.example.org", r"base URL such as https://"),
    ("ApimGatewayUrl https://user:pw@host/", r"base URL such as https://"),
    ("ApimKeyManagerUrl ftp://host", r"base URL such as https://"),
]
GATEWAY = [
    ("ApimGateway Perhaps", r"ApimGateway must be On or Off"),
    ("ApimFeed ftp://keys", r"write database, or http\(s\)://<host>"),
    ("ApimFeed http://keys/?x=1", r"write database, or http\(s\)://<host>"),
    ("ApimFeed http://keys database", r"database alone, or addresses only"),
    ("ApimFeedCA /nonexistent/ca.pem", r"cannot read '/nonexistent/ca.pem'"),
    ("ApimFeedCertificate /nonexistent/node.pem", r"cannot read '/nonexistent/node.pem'"),
    ("ApimSyncInterval never", r"duration from"),
    ("ApimBackendTimeout never", r"duration from"),
    ("ApimBackendConnectTimeout never", r"duration from"),
    ("ApimBackendIdleConnections some", r"whole number from"),
    ("ApimKeepAliveHold 2s", r"a duration from 0ms to 1s"),
    ("ApimCacheSize tiny", r"ApimCacheSize.*write"),
    ("ApimCacheSize 512K", r"ApimCacheSize.*write a size from 1M"),
    ("ApimCacheTTL never", r"duration from"),
    ("ApimNegativeCacheTTL never", r"duration from"),
    ("ApimKeyManagerConnections few", r"whole number from"),
    ("ApimRateLimitSize tiny", r"ApimRateLimitSize.*write"),
    ("ApimRetryIdempotent Perhaps", r"ApimRetryIdempotent must be On or Off"),
    ("ApimUsage Perhaps", r"ApimUsage must be On or Off"),
    ("ApimUsageInterval never", r"duration from"),
    ("ApimUsageBuffer tiny", r"ApimUsageBuffer.*write"),
    ("ApimUsageSpool 1K", r"ApimUsageSpool.*write a size from 1M"),
    ("ApimBackendAssertion Perhaps", r"ApimBackendAssertion must be On or Off"),
    ('ApimBackendAssertionHeader "X JWT"', r"X-JWT-Assertion or such"),
    ("ApimCorsOrigins app.example.org", r"https://app\.example\.org"),
    ("ApimCorsMaxAge never", r"duration from"),
    ("ApimRateLimitHeaders Perhaps", r"ApimRateLimitHeaders must be On or Off"),
]
KEYMGR = [
    ("ApimKeymgr Perhaps", r"ApimKeymgr must be On or Off"),
    ("ApimSigningAlgorithm none", r"ApimSigningAlgorithm.*ES256"),
    ("ApimIssuer not-a-url", r"ApimIssuer.*write"),
    ('ApimTokenAudience "my gateways"', r"name or URL, without blanks"),
    ("ApimOlderGrants password saml", r"'saml' is not one of them; write password, implicit, both, or None"),
    ("ApimTokenResource https://api.example.com api.example.com", r"'api\.example\.com' is not usable; write the URLs"),
    ("ApimUsageRetention 2d 60d soon", r"duration from"),
    ("ApimCleanInterval never", r"duration from"),
    ("ApimKeyRotation never", r"duration from"),
    ("ApimAccessTokenLifetime never", r"duration from"),
    ("ApimRefreshTokenLifetime never", r"duration from"),
    ("ApimSecretOverlap never", r"duration from"),
    ("ApimLoginLifetime never", r"duration from"),
]
CASES = [(role, *case) for role, table in (("portal", COMMON + PORTAL), ("gateway", COMMON + GATEWAY),
                                           ("keymgr", COMMON + KEYMGR)) for case in table]


@pytest.fixture(scope="module")
def nodes(env):
    made = {}
    for role in ROLES:
        made[role] = env.node([role], name=f"check-{role}", start=False, keymgr="http://127.0.0.1:1")
        (made[role].root / "conf" / "short.secret").write_text("too short\n", encoding="utf-8")
    return made


def outcome(node, line):
    node.extra = line.format(root=node.root)
    node.write_conf()
    return node.configtest()


@pytest.mark.parametrize("role", ROLES)
def test_a_good_configuration_passes(nodes, role):
    status, said = outcome(nodes[role], "")
    assert status == 0 and "Syntax OK" in said, said


@pytest.mark.parametrize("role, line, expected", CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_a_wrong_directive_is_refused(nodes, role, line, expected):
    if not known(role, line):
        pytest.fail(f"mod_apim_{role} has no {line.split()[0]}")
    status, said = outcome(nodes[role], line)
    assert status != 0, f"accepted: {line}"
    assert re.search(expected, said, re.S), said
    assert line.split()[0] in said, said


def test_every_directive_that_takes_a_value_has_a_case():
    """A new directive needs a line in the tables above."""
    tried = {line.split()[0] for _, line, _ in CASES}
    code = "".join(p.read_text(encoding="utf-8") for p in (SOURCE / "modules").rglob("*.[ch]"))
    free_text = {"ApimReplica", "ApimEnvironment"}
    names = set(re.findall(r'AP_INIT_\w+\(\s*"(Apim\w+)"', code))
    assert names <= tried | free_text, sorted(names - tried - free_text)
