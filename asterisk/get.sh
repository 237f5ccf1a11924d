#!/bin/sh
# Sees to an Asterisk that is new enough: the machine's own; else the distribution's package; else
# Debian forky's, unpacked into .asterisk/root (270 MB; nothing of it is installed or entered, and
# no root rights are needed). Safe to run again: it looks first.
#
# HOTLINE_ASTERISK_ROOT names another folder than .asterisk/root.
set -eu
cd "$(dirname "$0")/.."
root=${HOTLINE_ASTERISK_ROOT:-.asterisk/root}
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else fail "this needs root: run it as root, or install sudo ($*)"
    fi
}

# The same minimum as in asterisk/found.py, which says why.
new_enough() {
    version=${1#*:}
    major=${version%%.*}
    rest=${version#*.}
    minor=${rest%%[!0-9]*}
    case "$major$minor" in '' | *[!0-9]*) return 1 ;; esac
    [ -n "$minor" ] && [ "$version" != "$major" ] || return 1
    case $major in
        20) [ "$minor" -ge 12 ] ;;
        21) [ "$minor" -ge 7 ] ;;
        22) [ "$minor" -ge 2 ] ;;
        *) [ "$major" -gt 22 ] ;;
    esac
}

told_version() { sed -n 's/^Asterisk \(certified\/\)\{0,1\}//p'; }

on_machine() {
    command -v asterisk >/dev/null 2>&1 && new_enough "$(asterisk -V 2>/dev/null | told_version)"
}

# What the unpacked one under $1 says its version is; it runs by its own loader.
unpacked_version() {
    for loader in "$1"/usr/lib64/ld-linux*.so* "$1"/usr/lib/ld-linux*.so*; do
        [ -f "$loader" ] || continue
        libraries=$(echo "$1"/usr/lib/*-linux-gnu* | tr ' ' ':')
        "$loader" --library-path "$libraries" "$1/usr/sbin/asterisk" -V 2>/dev/null | told_version
        return
    done
}

# Runs a long command quietly; when it fails, its last lines and the mend ($1) are shown.
quietly() {
    mend=$1
    shift
    log=$(mktemp)
    if ("$@") >"$log" 2>&1 </dev/null; then rm -f "$log"
    else
        tail -n 15 "$log" >&2
        rm -f "$log"
        fail "$mend"
    fi
}

apt_update() { as_root apt-get -q update; }
apt_install() {
    apt_update && as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
}

candidate() {
    if ! ls /var/lib/apt/lists/*Packages* >/dev/null 2>&1; then
        quietly "apt-get update failed: see above; check the network and /etc/apt" apt_update
    fi
    apt-cache policy asterisk 2>/dev/null | sed -n 's/^ *Candidate: *//p'
}

install_package() {
    say "installing the distribution's Asterisk $1"
    # The packaged service must not run: it would take the ports of the Asterisk that we start.
    ours=
    if [ ! -e "$policy" ]; then
        ours=yes
        trap 'as_root rm -f "$policy"' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    quietly "apt-get could not install asterisk: see its last lines above" apt_install asterisk
    if [ -n "$ours" ]; then
        as_root rm -f "$policy"
        trap - EXIT INT TERM
    fi
    if [ -d /run/systemd/system ]; then
        as_root systemctl disable --now asterisk >/dev/null 2>&1 || true
    fi
}

unpack() {
    command -v mmdebstrap >/dev/null 2>&1 || {
        say "installing mmdebstrap"
        quietly "apt-get could not install mmdebstrap: see its last lines above" apt_install mmdebstrap
    }
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -e "$keys" ] || {
        say "installing Debian's keys"
        quietly "apt-get could not install debian-archive-keyring: see above" apt_install debian-archive-keyring
    }
    mkdir -p "$(dirname "$root")"
    # Two runs at once: the second waits, and finds the work done.
    exec 9>"$root.lock"
    flock 9
    new_enough "$(unpacked_version "$root")" && return
    say "unpacking Asterisk 22 from Debian forky into $root (a 90 MB download, about half a minute)"
    rm -rf "$root.new"
    trap 'rm -rf "$root.new"' EXIT
    trap 'exit 130' INT TERM
    # A mirror may lag: signatures are checked, only the date of the lists is not. Nothing is run
    # inside the folder (variant extract), so neither root nor mounts are needed (mode chrootless).
    # Ubuntu's apt does not know Debian's keys: they are named.
    quietly "mmdebstrap could not fetch Asterisk: see its last lines above; check the network" \
        mmdebstrap --mode=chrootless --skip=check/chrootless --variant=extract --include=asterisk \
        --keyring="$keys" --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
        forky "$root.new"
    got=$(unpacked_version "$root.new")
    new_enough "$got" || fail "the unpacked Asterisk is '${got:-not running}': 22.2 or later was expected; try again later"
    rm -rf "$root"
    mv "$root.new" "$root"
    trap - EXIT INT TERM
    say "Asterisk $got is in $root"
}

# Asterisk's dialplan computes dates and hours with the machine's time zones.
[ -e /usr/share/zoneinfo/Asia/Shanghai ] || {
    say "installing tzdata"
    quietly "apt-get could not install tzdata: see its last lines above" apt_install tzdata
}
if on_machine || new_enough "$(unpacked_version "$root")"; then exit 0; fi
packaged=$(candidate)
if new_enough "$packaged"; then install_package "$packaged"
else unpack
fi
# A name that does not resolve costs every call seconds.
timeout 5 getent hosts "$(hostname)" >/dev/null 2>&1 ||
    say "this machine's own name does not resolve: add '127.0.1.1 $(hostname)' to /etc/hosts, or calls will be slow"
