#!/bin/sh
# Installs what is missing: OS packages (apt), Python packages (.venv), Asterisk (.asterisk, only
# where the machine and its distribution have none that is new enough). `./setup.sh tests` also installs
# what only the tests need, `./setup.sh bench` what only the benchmarks need. Safe to run again: it looks first, and a second run takes no time.
set -eu
cd "$(dirname "$0")"

say() { printf '%s\n' "setup: $*"; }
fail() { printf '%s\n' "setup: $*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else fail "this needs root: run it as root, or install sudo ($*)"
    fi
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# The tests start a PostgreSQL of their own: where it is installed for them, no server need run besides.
no_cluster() {
    case $1 in *postgresql*) ;; *) return 0 ;; esac
    settings=/etc/postgresql-common/createcluster.conf
    if [ -e "$settings" ] || installed postgresql-common; then return 0; fi
    as_root mkdir -p "${settings%/*}"
    echo 'create_main_cluster = false' | as_root tee "$settings" >/dev/null
}

os_packages() {
    command -v apt-get >/dev/null 2>&1 || fail "apt-get is missing: Debian 12+ or Ubuntu 24.04+ is needed"
    missing=
    for package in python3 python3-venv espeak-ng libespeak-ng1 sip-tester ca-certificates $1; do
        installed "$package" || missing="$missing $package"
    done
    [ -z "$missing" ] && return
    no_cluster "$missing"
    say "installing OS packages:$missing"
    log=$(mktemp)
    # shellcheck disable=SC2086  # one word a package
    if ! { as_root apt-get -q update && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "apt-get could not install$missing: see its last lines above"
    fi
    rm -f "$log"
}

python_packages() {
    python=$(command -v /usr/bin/python3 || command -v python3)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python $version is too old: 3.11 or later is needed"
    # As after a run with sudo.
    [ ! -e .venv ] || [ -w .venv ] || fail ".venv belongs to $(stat -c %U .venv): 'sudo chown -R $(id -un) .' gives it back to you"
    if ! marked installed "$version $(sha256sum <requirements.txt)"; then
        say "installing Python packages into .venv (Python $version)"
        rm -rf .venv
        "$python" -m venv .venv
        with_pip requirements.txt
        printf '%s\n' "$mark" >.venv/installed
    fi
    case $1 in
        tests) only_for tests requirements-dev.txt ;;
        bench) only_for bench requirements-bench.txt ;;
    esac
}

only_for() {
    if ! marked "installed-$1" "$(sha256sum <"$2")"; then
        say "installing the Python packages that only '$1' needs"
        with_pip "$2"
        printf '%s\n' "$mark" >".venv/installed-$1"
    fi
}

# Whether .venv/$1 says $2: what was installed the last time.
marked() { mark=$2; [ -f ".venv/$1" ] && [ "$(cat ".venv/$1")" = "$mark" ]; }

with_pip() {
    .venv/bin/python -m pip -q --disable-pip-version-check install --require-hashes --no-deps -r "$1" \
        || fail "pip could not install the Python packages: see above"
}

# Programs for the tests whose packages would serve or listen if they were installed: unpacked into .tools instead.
test_programs() {
    folder=$(mktemp -d)
    wanted=
    if ! there promtool; then
        apt-cache show prometheus >/dev/null 2>&1 || as_root apt-get -q update >"$folder/log" 2>&1 || true
        # Later distributions have it in a package of its own.
        if apt-cache show promtool >/dev/null 2>&1; then wanted=promtool; else wanted=prometheus; fi
    fi
    there fail2ban-regex || wanted="$wanted fail2ban"
    if [ -z "$wanted" ]; then rmdir "$folder"; return; fi
    say "unpacking for the tests: $wanted"
    # shellcheck disable=SC2086  # one word a package
    if ! { download $wanted || { as_root apt-get -q update && download $wanted; }; } >"$folder/log" 2>&1; then
        tail -n 15 "$folder/log" >&2
        rm -rf "$folder"
        fail "apt-get could not download $wanted: see its last lines above"
    fi
    for package in "$folder"/*.deb; do dpkg-deb -x "$package" .tools || fail "$package could not be unpacked"; done
    rm -rf "$folder" .tools/usr/bin/prometheus .tools/usr/share/prometheus .tools/usr/share/doc
    mkdir -p .tools/bin
    [ ! -x .tools/usr/bin/promtool ] || ln -sf ../usr/bin/promtool .tools/bin/promtool
    [ ! -x .tools/usr/bin/fail2ban-regex ] || {
        # shellcheck disable=SC2016  # For the program, not for us.
        printf '%s\n' '#!/bin/sh' 'tools=$(dirname "$(readlink -f "$0")")/..' \
            'export PYTHONPATH="$tools/usr/lib/python3/dist-packages"' \
            'exec /usr/bin/python3 "$tools/usr/bin/fail2ban-regex" --config "$tools/etc/fail2ban" "$@"' \
            >.tools/bin/fail2ban-regex
        chmod +x .tools/bin/fail2ban-regex
    }
}

there() { command -v "$1" >/dev/null || [ -x ".tools/bin/$1" ]; }

download() { (cd "$folder" && apt-get -q download "$@"); }

case ${1:-} in
    '') os_packages '' ;;
    tests) os_packages "postgresql systemd"; test_programs ;;
    bench) os_packages postgresql ;;
    *) fail "'$1' is unknown: it is './setup.sh', './setup.sh tests' or './setup.sh bench'" ;;
esac
python_packages "${1:-}"
sh asterisk/get.sh
