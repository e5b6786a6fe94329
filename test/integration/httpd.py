# SPDX-License-Identifier: Apache-2.0
"""Real httpd processes, each with a private ServerRoot."""
import datetime
import functools
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import time

from database import NAMES
from support import BUILD, SANITIZE, free_port, give_to, listening, run, wait_until

MPM = os.environ.get("APIM_TEST_MPM", "event")
MODULES = ("authn_core", "authz_core", "authz_host", "alias", "dir", "env", "headers", "mime", "reqtimeout", "request",
           "setenvif", "slotmem_shm", "socache_shmcb", "status", "proxy", "proxy_http", "lbmethod_byrequests",
           "proxy_balancer", "dbd")
ROLES = ("gateway", "keymgr", "portal")

# Lines of an error log that no test may cause without saying so.
BAD = re.compile(r"\[[a-z0-9_-]*:(error|crit|alert|emerg)\]|AddressSanitizer|runtime error:|exit signal|Assertion .*failed|"
                 r"pool concurrency check|double free|malloc\(\)|corrupted")
# httpd's own complaints that mean nothing: event closes its pollset while a client's idle connection is being parked.
HARMLESS = re.compile(r"AH03093: process_socket: apr_pollset_add failure for keep alive")
# At SIGTERM, and only then, event's close_worker_sockets() closes connections that workers are just lingering with.
LINGERING = re.compile(r"\(9\)Bad file descriptor: AH03092: process_lingering_close: apr_pollset_add failure")
STOPPED = "AH00491: caught SIGTERM, shutting down"
STOP_TAKES = 10  # seconds at most from SIGTERM until the parent says that it is done

# The stack of a crash that is httpd's own: at SIGTERM, event's close_worker_sockets() in the child's main thread reads the
# sockets of workers that may just be done with them and have given the memory back. A stop by SIGTERM under calls can meet
# it in any httpd 2.4, with none of our modules; the pattern asks that nothing but APR and event is above main().
STOP_RACE = re.compile(r"^#0 +0x\w+ in apr_(?:os_sock_get|socket_\w+) \(\) from \S*/libapr-1\S*\n(?:#\d+ +0x\w+ in \S+ \(\) "
                       r"from \S*/(?:mod_mpm_event|libapr-1)\.so\S*\n)+(?!#\d+ .*mod_apim)", re.MULTILINE)
# The same, when the signal that httpd's handler sends itself again is taken by another thread: the one that crashed is below the
# handler.
STOP_RACE_BELOW = re.compile(r"^Thread \d+ \(.*\(LWP (\d+)\)\):\n(?:#\d+ .*\n)*?#\d+ +<signal handler called>\n#\d+ +0x\w+ in apr_(?:os_sock_get|"
                             r"socket_\w+) \(\) from \S*/libapr-1\S*\n#\d+ +0x\w+ in \S+ \(\) from \S*/mod_mpm_event\.so", re.MULTILINE)
STOP_RACE_ASAN = re.compile(r"#0 0x\w+ in apr_(?:os_sock_get|socket_\w+) .*\n +#1 0x\w+ .*/mod_mpm_event\.so")

# A child that crashes leaves a core file (CoreDumpDirectory), and the report has its stack.
resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)


def of_a_stop(line, following):
    """1 if the line was written while the httpd that wrote it was being stopped: its parent says so soon after."""
    def second(text):
        found = re.match(r"\[(\w+ \w+ \d+ [\d:]+\.\d+ \d+)\]", text)
        return found and datetime.datetime.strptime(found.group(1), "%a %b %d %H:%M:%S.%f %Y").timestamp()
    end = next((text for text in following if STOPPED in text), None)
    return end is not None and second(line) is not None and second(end) - second(line) < STOP_TAKES


def stack_of(core):
    """The stacks of the threads of a core file, as far as gdb can tell."""
    if not shutil.which("gdb"):
        return "(no gdb)"
    text = run(["gdb", "-batch", "-nx", "-ex", "bt 24", "-ex", "thread apply all bt 12", HTTPD, core], check=False).stdout
    head, *threads = re.split(r"(?m)^(?=Thread \d+ \()", text[max(text.find("Core was generated"), 0):])
    return head + "".join(sorted(threads, key=lambda t: "<signal handler called>" not in t))


def _tool(names, folders=("/usr/sbin", "/usr/bin", "/usr/local/apache2/bin")):
    for name in names:
        found = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""),) + folders))
        if found:
            return found
    raise RuntimeError(f"none of {names} found")


HTTPD = os.environ.get("APIM_HTTPD") or _tool(("apache2", "httpd"))


@functools.lru_cache(None)
def module_dir():
    return pathlib.Path(run([_tool(("apxs", "apxs2")), "-q", "LIBEXECDIR"]).stdout.strip())


@functools.lru_cache(None)
def builtin_modules():
    return run([HTTPD, "-l"]).stdout


@functools.lru_cache(None)
def sanitizer_library():
    return run(["gcc", "-print-file-name=libasan.so"]).stdout.strip()


def process_env(root):
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TMPDIR": str(root / "tmp")}
    if SANITIZE:
        # The handlers cannot be replaced by httpd's, which end in a core file that AddressSanitizer forbids: every crash has its stack.
        env.update(LD_PRELOAD=sanitizer_library(),
                   ASAN_OPTIONS=f"detect_leaks=0:detect_odr_violation=0:log_path={root}/logs/asan:abort_on_error=0:"
                                "handle_segv=2:handle_sigbus=2:handle_sigfpe=2:handle_sigill=2:handle_abort=2",
                   UBSAN_OPTIONS=f"print_stacktrace=1:halt_on_error=1:log_path={root}/logs/ubsan")
    return env


@functools.lru_cache(None)
def role_module(role):
    return BUILD / ".libs" / f"mod_apim_{role}.so"


def load_lines(roles, modules=MODULES):
    lines = []
    for name in (f"mpm_{MPM}",) + tuple(modules):
        if f"mod_{name}.c" not in builtin_modules():
            lines.append(f"LoadModule {name}_module {module_dir()}/mod_{name}.so")
    return lines + [f"LoadModule apim_{role}_module {role_module(role)}" for role in roles]


def database_lines(db):
    """DBD* directives of a Database: in the main server, or one virtual host a database and ApimDatabase pointing there."""
    def dbd(name):
        return [f"DBDriver {db.driver}", f'DBDParams "{db.params(name)}"', "DBDMin 0", "DBDKeep 2", "DBDMax 32",
                "DBDExptime 300"]
    if not db.separate:
        return dbd("api_manager")
    lines = []
    for name in NAMES:
        lines += [f"ApimDatabase {name} db-{name}.invalid", "<VirtualHost 127.0.0.1:1>",
                  f"ServerName db-{name}.invalid", *dbd(name), "</VirtualHost>"]
    return lines


# What switches a role on, beyond loading its module. {…}: attributes of the node.
ROLE_LINES = {
    "keymgr": ["ApimKeymgr On", "ApimOlderGrants password"],
    "portal": ["ApimPublisher On", "ApimStore On", "ApimAdmin On", "ApimGatewayUrl {public_gateway}",
               "ApimKeyManagerUrl {public_keymgr}"],
    "gateway": ["ApimReplica {replica}", "ApimSyncInterval 100ms"],
}
GATEWAY_LOCATION = ["<Location />", "ApimGateway On", "</Location>"]


def known(role, line):
    """False for a directive that the module, as it is built, does not have."""
    word = line.split()[0]
    return not word.startswith("Apim") or word.encode() + b"\0" in role_module(role).read_bytes()


class Node:
    """One httpd with some roles. The main server (url) carries Key Manager and portal; a virtual host of its own
    (gateway_url) is the gateway. Directories: root, and below it replica, data, logs, tmp, conf."""

    def __init__(self, name, root, roles, db, secret, user, keymgr="in-process", extra="", gateway_extra="",
                 gateway_location=None, mpm_lines=None, modules=MODULES, public_gateway=None, public_keymgr=None):
        self.name, self.root, self.roles, self.db, self.user = name, root, tuple(roles), db, user
        self.port, self.gateway_port = free_port(), free_port()
        self.url, self.gateway_url = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.gateway_port}"
        self.public_gateway = public_gateway or self.gateway_url
        self.public_keymgr = public_keymgr or self.url
        self.replica, self.data, self.error_log = root / "replica", root / "data", root / "logs" / "error_log"
        self.access_log, self.conf = root / "logs" / "access_log", root / "conf" / "httpd.conf"
        self.extra, self.gateway_extra = extra, gateway_extra
        self.keymgr, self.secret, self.modules = keymgr, secret, modules
        self.gateway_location = GATEWAY_LOCATION if gateway_location is None else gateway_location
        self.mpm_lines = mpm_lines or ["StartServers 2", "ServerLimit 4", "ThreadsPerChild 25", "ThreadLimit 25",
                                       "MinSpareThreads 25", "MaxSpareThreads 75", "MaxRequestWorkers 75"]
        if MPM == "prefork":
            self.mpm_lines = ["StartServers 8", "ServerLimit 60", "MaxRequestWorkers 60"]
        self.process = None
        self._scanned = 0
        for folder in ("replica", "data", "logs", "tmp", "conf", "htdocs", "run"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "conf" / "cluster.secret").write_text(secret + "\n", encoding="utf-8")
        (root / "conf" / "mime.types").write_text("text/html html\napplication/json json\n", encoding="utf-8")
        for folder in (self.replica, self.data, root / "tmp", root / "logs"):
            give_to(folder, user)
        self.write_conf()

    # -- configuration -----------------------------------------------------------------------------------------------
    def conf_lines(self):
        lines = [f"ServerRoot {self.root}", "ServerName 127.0.0.1", f"Listen 127.0.0.1:{self.port}",
                 f"DefaultRuntimeDir {self.root}/run", f"PidFile {self.root}/run/httpd.pid",
                 f"CoreDumpDirectory {self.root}/logs", f"ErrorLog {self.error_log}"]
        lines += load_lines(self.roles, self.modules) + self.mpm_lines
        if self.user is not None:
            lines += [f"User {self.user.pw_name}", f"Group #{self.user.pw_gid}"]
        lines += ["LogLevel info", *[f"LogLevel apim_{role}:debug" for role in self.roles],
                  'LogFormat "%h %u %t \\"%r\\" %>s %b %D" test', f"CustomLog {self.access_log} test",
                  f"DocumentRoot {self.root}/htdocs", f"TypesConfig {self.root}/conf/mime.types",
                  "Timeout 30", "KeepAlive On", "MaxKeepAliveRequests 0",
                  "KeepAliveTimeout 5", "<Directory />", "AllowOverride None", "Require all granted", "</Directory>",
                  "ExtendedStatus On", "<Location /server-status>", "SetHandler server-status", "</Location>"]
        if self.db is not None:
            lines += database_lines(self.db)
        if self.roles:
            lines += [f"ApimClusterSecret file:{self.root}/conf/cluster.secret"]
            if self.keymgr != "in-process":
                lines += [f"ApimKeyManager {self.keymgr}"]
        for role in self.roles:
            lines += [line.format(**vars(self)) for line in ROLE_LINES[role]
                      if known(role, line)]
        lines += self.extra.strip().splitlines()
        if "gateway" in self.roles:
            lines += [f"Listen 127.0.0.1:{self.gateway_port}", f"<VirtualHost 127.0.0.1:{self.gateway_port}>",
                      "ServerName gateway.test",
                      *[line for line in self.gateway_location if known("gateway", line)],
                      *self.gateway_extra.strip().splitlines(),
                      "</VirtualHost>"]
        return lines

    def write_conf(self):
        self.conf.write_text("\n".join(self.conf_lines()) + "\n", encoding="utf-8")

    def configtest(self):
        """(exit status, what httpd -t says)."""
        done = run([HTTPD, "-d", self.root, "-f", self.conf, "-t"], env=process_env(self.root), check=False)
        return done.returncode, done.stdout

    # -- processes ---------------------------------------------------------------------------------------------------
    def dump(self, define):
        """Output of httpd -t -D <define>."""
        return subprocess.run([HTTPD, "-d", str(self.root), "-f", str(self.conf), "-t", "-D", define], env=process_env(self.root),
                              capture_output=True, text=True, timeout=60).stdout

    def start(self, wait=True):
        assert not self.running, f"{self.name} runs already"
        with open(self.root / "logs" / "console", "ab") as console:
            self.process = subprocess.Popen([HTTPD, "-d", str(self.root), "-f", str(self.conf), "-DFOREGROUND"],
                                            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                                            env=process_env(self.root), start_new_session=True)
        if wait:
            wait_until(self._is_up, 30, what=f"{self.name} did not start; {self.root}/logs has:\n{self.tail()}")
        return self

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode} while starting:\n{self.tail()}")
        ports = [self.port] + ([self.gateway_port] if "gateway" in self.roles else [])
        return all(listening(p) for p in ports)

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def children(self):
        """Process ids of the running children."""
        out = run(["ps", "-o", "pid=", "--ppid", self.pid], check=False).stdout
        return [int(word) for word in out.split()]

    def stop(self, how=signal.SIGTERM):
        if not self.running:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within 30 s:\n{self.tail()}") from None

    def kill(self):
        """Like a power cut: parent and children at once."""
        if self.running:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def restart(self):
        self.stop()
        return self.start()

    def graceful(self, wait=True):
        """apachectl graceful; with wait, returns when the new generation is up."""
        before = self.log().count("resuming normal operations")
        self.process.send_signal(signal.SIGUSR1)
        if wait:
            wait_until(lambda: self.log().count("resuming normal operations") > before, 20, what="graceful restart")

    # -- logs --------------------------------------------------------------------------------------------------------
    def log(self):
        return self.error_log.read_text(encoding="utf-8", errors="replace") if self.error_log.exists() else ""

    def tail(self, lines=40):
        text = ""
        for path in sorted((self.root / "logs").glob("*")):
            if path.name != "access_log" and path.is_file():
                rows = path.read_text(encoding="utf-8", errors="replace").splitlines()
                text += f"--- {path}\n" + "\n".join(rows[-lines:]) + "\n"
        return text

    def bad_lines(self, expected):
        """Lines since the last call that no test expected; sanitizer reports and core files too."""
        text = self.log()
        fresh, self._scanned = text[self._scanned:], len(text)
        lines = fresh.splitlines()
        bad = [line for i, line in enumerate(lines) if BAD.search(line) and not HARMLESS.search(line)
               and not (LINGERING.search(line) and of_a_stop(line, lines[i:])) and not any(e.search(line) for e in expected)]
        stopped = self._cores_of_stops()
        bad = [line for line in bad if not any(f"child pid {pid} exit signal" in line for pid in stopped)]
        for path in (self.root / "logs").iterdir():
            if path.name.startswith("asan") and not self.running and STOP_RACE_ASAN.search(path.read_text(errors="replace")):
                path.rename(path.with_name("reported-" + path.name))
                # A second thread of that child may have died by the signal itself. The first line of a report goes to the error log.
                bad = [line for line in bad if f"child pid {path.name.rpartition('.')[2]} exit signal" not in line]
                bad = [line for line in bad if line != "AddressSanitizer:DEADLYSIGNAL"]
            elif path.name.startswith(("asan", "ubsan")):
                bad.append(f"{path}:\n" + path.read_text(encoding="utf-8", errors="replace")[:4000])
                path.rename(path.with_name("reported-" + path.name))
            elif path.name.startswith("core") and not path.name.endswith(".seen"):
                bad.append(f"core file {path}:\n{stack_of(path)[:20000]}")
                path.rename(path.with_name(path.name + ".seen"))
        return [f"{self.name}: {line}" for line in bad]

    def _cores_of_stops(self):
        """Process ids of children that died of STOP_RACE while being stopped; their core files are put aside."""
        found = []
        for path in [] if self.running else sorted((self.root / "logs").glob("core*")):
            stack = "" if path.name.endswith(".seen") else stack_of(path)
            thread = STOP_RACE_BELOW.search(stack) or STOP_RACE.search(stack) and re.search(r"Current thread is 1 \(.*\(LWP (\d+)\)", stack)
            if thread:
                found.append(thread.group(1))
                path.rename(path.with_name(path.name + ".seen"))
        return found

    def logged(self, pattern, deadline=10):
        """Waits until the error log matches the pattern; returns the match."""
        return wait_until(lambda: re.search(pattern, self.log()), deadline, what=f"{self.name} logs /{pattern}/")


def pause(seconds):
    """For the few things that cannot be waited for by a condition (a token's life)."""
    time.sleep(seconds)
