#!/bin/sh
# The README's two commands on a machine that has nothing: a minimal root folder with only git,
# make, python3 and certificates, a clean clone of the last commit inside it, chroot.
#
#   tests/bare.sh [--user] [SUITE [COMMAND...]]     SUITE: bookworm (default), trixie, forky, noble
#
# --user: not as root, but as anna, an ordinary user who may use sudo and has the clone in her home
# folder. After each command, nothing in it may belong to anybody else.
#
# Needs root and mmdebstrap (installed when missing). What runs inside ends with this script.
set -eu
user=
[ "${1:-}" != --user ] || { user=anna; shift; }
suite=${1:-bookworm}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- "make demo" "make test"
top=$(cd "$(dirname "$0")/.." && pwd)

fail() { printf 'test-bare: %s\n' "$*" >&2; exit 1; }
case $suite in -*) fail "$suite is no suite; --user is the only option, and comes first" ;; esac
[ "$(id -u)" = 0 ] || fail "needs root: it makes a root folder and changes into it"
command -v mmdebstrap >/dev/null 2>&1 || {
    apt-get -q update >/dev/null && apt-get -q install -y --no-install-recommends mmdebstrap >/dev/null \
        || fail "mmdebstrap could not be installed"; }

bare=$(mktemp -d "${TMPDIR:-/tmp}/hotline-bare.XXXXXX")
trap 'rm -rf --one-file-system "$bare" "$bare.keys"' EXIT
trap 'exit 130' INT TERM

# A mirror may lag: signatures are checked, only the date of the lists is not.
make_root() {
    mmdebstrap --quiet --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
        "$@" >/dev/null
}

began=$(date +%s)
packages=apt,git,make,python3,ca-certificates${user:+,sudo}
if [ "$suite" = noble ]; then
    keys=/usr/share/keyrings/ubuntu-archive-keyring.gpg
    if [ ! -f "$keys" ]; then
        # Not every Debian has a package of Ubuntu's keys; trixie's is unpacked, not installed.
        make_root --variant=extract --include=ubuntu-archive-keyring trixie "$bare.keys" \
            || fail "Ubuntu's keys could not be fetched from Debian trixie"
        keys=$bare.keys$keys
    fi
    make_root --variant=minbase --include="$packages" --keyring="$keys" --components=main,universe "$suite" "$bare"
else
    make_root --variant=minbase --include="$packages" "$suite" "$bare"
fi || fail "no minimal $suite could be made"
echo "test-bare: a bare $suite is there after $(($(date +%s) - began)) s"

# How this machine reaches its package registries: certificates, names, pip's configuration.
for file in /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/resolv.conf /etc/hosts; do
    [ -f "$file" ] && cp -L "$file" "$bare$file"
done
hostname >"$bare/etc/hostname" 2>/dev/null || true
if [ -n "$user" ]; then
    home=/home/$user
    chroot "$bare" useradd --create-home --uid 12345 --shell /bin/sh "$user"
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"$bare/etc/sudoers.d/$user"
    chmod 440 "$bare/etc/sudoers.d/$user"
    clone=$home/hotline
else
    home=/root
    clone=/srv/hotline
fi
git clone -q --no-hardlinks "$top" "$bare$clone"
[ -z "$user" ] || chroot "$bare" chown -R "$user:" "$clone"

run_inside() {
    # A mount and process space of its own: whatever runs inside ends with it.
    unshare --mount --pid --fork --kill-child sh -eu -c '
        bare=$1 user=$2 home=$3; shift 3
        mount -t proc proc "$bare/proc"
        mount --rbind /dev "$bare/dev"
        exec env -i HOME="$home" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            LANG=C.UTF-8 TERM="${TERM:-dumb}" PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
            chroot ${user:+--userspec="$user"} "$bare" sh -c "$1"
    ' sh "$bare" "$user" "$home" "$1"
}

for command in "$@"; do
    began=$(date +%s)
    run_inside "cd $clone && $command" || fail "'$command' failed on a bare $suite"
    echo "test-bare: '$command' on a bare $suite took $(($(date +%s) - began)) s"
    [ -z "$user" ] || {
        others=$(chroot "$bare" find "$clone" ! -user "$user" -print | head -n 5)
        [ -z "$others" ] || fail "'$command' left what is not $user's: $others"; }
done
