#!/bin/sh
# The README's two commands on a machine that has nothing: a minimal root folder with only git,
# make, python3 and certificates, a clean clone of the last commit inside it, chroot.
#
#   tests/bare.sh [SUITE [COMMAND...]]     SUITE: bookworm (default), trixie, forky, noble
#
# Needs root and mmdebstrap (installed when missing). What runs inside ends with this script.
set -eu
suite=${1:-bookworm}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- "make demo" "make test"
top=$(cd "$(dirname "$0")/.." && pwd)

fail() { printf 'test-bare: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "needs root: it makes a root folder and changes into it"
command -v mmdebstrap >/dev/null 2>&1 || {
    apt-get -q update >/dev/null && apt-get -q install -y --no-install-recommends mmdebstrap >/dev/null \
        || fail "mmdebstrap could not be installed"; }

bare=$(mktemp -d "${TMPDIR:-/tmp}/hotline-bare.XXXXXX")
trap 'rm -rf --one-file-system "$bare"' EXIT
trap 'exit 130' INT TERM

if [ "$suite" = noble ]; then keyring="--keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg --components=main,universe"
else keyring=; fi
began=$(date +%s)
# shellcheck disable=SC2086  # options, one word each
mmdebstrap --quiet --variant=minbase --include=git,make,python3,ca-certificates $keyring \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"' \
    "$suite" "$bare" >/dev/null || fail "no minimal $suite could be made"
echo "test-bare: a bare $suite is there after $(($(date +%s) - began)) s"

# How this machine reaches its package registries: certificates, names, pip's configuration.
for file in /etc/ssl/certs/ca-certificates.crt /etc/pip.conf /etc/resolv.conf /etc/hosts; do
    [ -f "$file" ] && cp -L "$file" "$bare$file"
done
hostname >"$bare/etc/hostname" 2>/dev/null || true
git clone -q --no-hardlinks "$top" "$bare/srv/hotline"

run_inside() {
    # A mount and process space of its own: whatever runs inside ends with it.
    unshare --mount --pid --fork --kill-child sh -eu -c '
        bare=$1; shift
        mount -t proc proc "$bare/proc"
        mount --rbind /dev "$bare/dev"
        exec env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            LANG=C.UTF-8 TERM="${TERM:-dumb}" PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
            chroot "$bare" sh -c "cd /srv/hotline && $*"
    ' sh "$bare" "$1"
}

for command in "$@"; do
    began=$(date +%s)
    run_inside "$command" || fail "'$command' failed on a bare $suite"
    echo "test-bare: '$command' on a bare $suite took $(($(date +%s) - began)) s"
done
