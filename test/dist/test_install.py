# SPDX-License-Identifier: Apache-2.0
"""Building, installing and packing, as a distributor or an administrator does it."""
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("APIM_BUILD") or SOURCE / "build").resolve()
sys.path.insert(0, str(SOURCE / "test" / "integration"))

import httpd  # noqa: E402 (needs the path above)

ROLES = ("gateway", "keymgr", "portal")


def run(*argv, cwd=BUILD, check=True, **more):
    done = subprocess.run([str(a) for a in argv], cwd=cwd, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=1200, **more)
    assert not check or done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout[-4000:]}"
    return done


def configured(name):
    """A variable of the build directory's Makefile, with ${prefix} and the like filled in."""
    makefile = (BUILD / "Makefile").read_text(encoding="utf-8")

    def value(key):
        match = re.search(rf"^{key} = (.*)$", makefile, re.M)
        return re.sub(r"\$[({](\w+)[)}]", lambda m: value(m[1]), match[1].strip()) if match else ""

    return value(name)


def files_below(root):
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir())


def config_test(tmp_path, load_lines):
    conf = tmp_path / "httpd.conf"
    lines = [f"ServerRoot {tmp_path}", "ServerName localhost", "Listen 127.0.0.1:9", f"ErrorLog {tmp_path}/log",
             *httpd.load_lines([]), *load_lines]
    conf.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run(httpd.HTTPD, "-t", "-f", conf, cwd=tmp_path, check=False)


def test_install_and_uninstall_with_destdir(tmp_path):
    dest = tmp_path / "dest"
    run("make", "-s", "install", f"DESTDIR={dest}")
    modules = pathlib.Path(str(dest) + configured("apim_moduledir"))
    assert sorted(p.name for p in modules.iterdir()) == [f"mod_apim_{r}.so" for r in ROLES]
    share = pathlib.Path(str(dest) + configured("datadir")) / "apache-api-manager"
    assert (share / "sql/registry/postgresql/0001_registry.sql").exists()
    assert (share / "conf/debian/apim_gateway.load").exists()
    assert os.access(str(dest) + configured("bindir") + "/apimctl", os.X_OK)
    assert [f for f in files_below(dest) if f.endswith((".la", ".a", ".o"))] == []
    outcome = config_test(tmp_path, [f"LoadModule apim_{r}_module {modules}/mod_apim_{r}.so" for r in ROLES])
    assert outcome.returncode == 0, outcome.stdout
    run("make", "-s", "uninstall", f"DESTDIR={dest}")
    assert files_below(dest) == []


def test_modules_export_their_record_only():
    for role in ROLES:
        out = run("nm", "-D", "--defined-only", BUILD / ".libs" / f"mod_apim_{role}.so").stdout
        assert [line.split()[-1] for line in out.splitlines()] == [f"apim_{role}_module"]


def test_load_files_go_where_a2enmod_looks(tmp_path):
    build, dest, available = tmp_path / "build", tmp_path / "dest", tmp_path / "etc/mods-available"
    available.mkdir(parents=True)
    build.mkdir()
    run(SOURCE / "configure", "-q", "-C", f"--with-load-dir={available}", "--with-module-dir=/opt/modules",
        f"--cache-file={tmp_path}/cache", cwd=build)
    run("make", "-s", "install-apim_loadDATA", f"DESTDIR={dest}", cwd=build)
    text = pathlib.Path(f"{dest}{available}/apim_gateway.load").read_text(encoding="utf-8")
    assert text.startswith("# Depends: proxy proxy_http dbd\n")
    assert "\nLoadModule apim_gateway_module /opt/modules/mod_apim_gateway.so\n" in text


@pytest.mark.parametrize("role", ROLES)
def test_apxs_installs_a_built_module(tmp_path, role):
    etc, modules, fakes = tmp_path / "etc", tmp_path / "modules", tmp_path / "bin"
    for folder in (etc / "mods-available", modules, fakes):
        folder.mkdir(parents=True)
    a2enmod = fakes / "a2enmod"
    a2enmod.write_text(f"#!/bin/sh\necho $1 >> {tmp_path}/enabled\n", encoding="utf-8")
    a2enmod.chmod(0o755)
    scratch = tmp_path / "built"
    scratch.mkdir()
    shutil.copy(BUILD / f"mod_apim_{role}.la", scratch)
    shutil.copytree(BUILD / ".libs", scratch / ".libs", ignore=lambda d, names: [n for n in names if role not in n])
    run(configured("APXS"), "-S", f"LIBEXECDIR={modules}", "-S", f"SYSCONFDIR={etc}", "-i", "-a", "-n", f"apim_{role}",
        f"mod_apim_{role}.la", cwd=scratch, env=dict(os.environ, PATH=f"{fakes}:{os.environ['PATH']}"))
    load = (etc / "mods-available" / f"apim_{role}.load").read_text(encoding="utf-8")
    assert (tmp_path / "enabled").read_text(encoding="utf-8") == f"apim_{role}\n"
    outcome = config_test(tmp_path, load.splitlines())
    assert outcome.returncode == 0, outcome.stdout


def test_modules_load_in_the_order_of_the_alphabet(tmp_path):
    """As Debian's mods-enabled/*.load are read: apim_gateway comes before dbd and proxy."""
    names = sorted([f"apim_{r}" for r in ROLES] + list(httpd.MODULES))
    lines = [line for name in names for line in
             ([f"LoadModule {name}_module {BUILD}/.libs/mod_{name}.so"] if name.startswith("apim_") else
              [line for line in httpd.load_lines([], (name,)) if f"{name}_module" in line])]
    outcome = config_test(tmp_path, [line for line in lines if line.startswith("LoadModule apim_")])
    assert outcome.returncode == 0, outcome.stdout
    conf = tmp_path / "alphabet.conf"
    conf.write_text("\n".join([f"ServerRoot {tmp_path}", "ServerName localhost", "Listen 127.0.0.1:9",
                               f"ErrorLog {tmp_path}/log", httpd.load_lines([], ())[0],
                               *lines, "<Location /gw>", "ApimGateway On", "</Location>"]) + "\n")
    outcome = run(httpd.HTTPD, "-t", "-f", conf, cwd=tmp_path, check=False)
    assert outcome.returncode == 0, outcome.stdout


MISSING = {
    "apr-1": "libapr1-dev libaprutil1-dev", "libcrypto": "libssl-dev", "jansson": "libjansson-dev", "yaml-0.1": "libyaml-dev",
    "lmdb": "liblmdb-dev", "libpq": "libpq-dev", "libcurl": "libcurl4-openssl-dev", "libzip": "libzip-dev",
}


@pytest.fixture(scope="module")
def configure(tmp_path_factory):
    """Runs configure out of tree with one shared cache of what the compiler was asked."""
    top = tmp_path_factory.mktemp("configure")

    def go(*args, **env):
        work = top / f"w{len(list(top.iterdir()))}"
        work.mkdir()
        cache = top / "cache"
        done = run(SOURCE / "configure", "-q", f"--cache-file={cache}", *args, cwd=work, check=False,
                   env={**os.environ, **env})
        if cache.exists():  # what pkg-config and apxs said must be asked anew
            kept = [line for line in cache.read_text(encoding="utf-8").splitlines()
                    if not re.search(r"pkg_cv_|PKG_CONFIG|APXS|ac_cv_env_", line)]
            cache.write_text("\n".join(kept) + "\n", encoding="utf-8")
        return done

    return go


@pytest.mark.parametrize("module", MISSING)
def test_configure_names_the_package_of_a_missing_library(tmp_path, configure, module):
    fake = tmp_path / "pkg-config"
    real = shutil.which("pkg-config")
    fake.write_text(f'#!/bin/sh\ncase "$*" in *{module}*) echo "no {module}" >&2; exit 1;; esac\nexec {real} "$@"\n',
                    encoding="utf-8")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    done = configure(PKG_CONFIG=str(fake))
    assert done.returncode != 0
    assert f"On Debian: apt-get install {MISSING[module]}" in done.stdout, done.stdout[-1500:]


def test_configure_names_the_package_of_a_missing_apxs(configure):
    done = configure("--with-apxs=/nonexistent/apxs")
    assert done.returncode != 0 and "apt-get install apache2-dev" in done.stdout, done.stdout[-1500:]


def test_configure_names_pkg_config(configure):
    done = configure(PKG_CONFIG="/nonexistent/pkg-config")
    assert done.returncode != 0 and "apt-get install pkg-config" in done.stdout, done.stdout[-1500:]


@pytest.mark.slow
def test_distcheck():
    """The tarball builds, tests, installs and uninstalls on its own, from a read-only source tree."""
    run("make", "-s", f"-j{os.cpu_count() or 2}", "distcheck")
