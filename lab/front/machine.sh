#!/bin/sh
# What Bascule needs from the distribution: names what is missing, asks, installs; starts no engine on this machine.
# --yes: without asking. --tests: what its own tests need as well.
set -eu
yes= tests=
for word; do
    case "$word" in --yes) yes=1 ;; --tests) tests=1 ;; esac
done

say() { printf 'bascule: %s\n' "$*" >&2; }

missing=
need() { # PROGRAM-OR-FILE PACKAGE
    command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || missing="$missing $2"
}
need dockerd docker.io
need mmdebstrap mmdebstrap
need ip iproute2
need nsenter util-linux
need /usr/lib/python3/dist-packages/nftables/nftables.py python3-nftables
# For the report's PDF.
library() { # LIBRARY PACKAGE
    ldconfig -p 2>/dev/null | grep -q "$1" || missing="$missing $2"
}
library libpango-1.0.so.0 libpango-1.0-0
library libpangoft2-1.0.so.0 libpangoft2-1.0-0
library libharfbuzz-subset.so.0 libharfbuzz-subset0
need /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core
python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
# A browser, which looks at the pages. Ubuntu's package is a snap, which a container cannot have: there those tests skip.
if [ "$tests" ] && grep -q '^ID=debian$' /etc/os-release 2>/dev/null; then
    need chromium chromium
fi

if [ "$(id -u)" != 0 ]; then
    say "a lab needs root, for namespaces and control groups: run the same command with sudo"
    exit 2
fi
[ -n "$missing" ] || exit 0

install="apt-get install --yes --no-install-recommends$missing"
if ! command -v apt-get >/dev/null 2>&1; then
    say "needed and missing:$missing; this machine has no apt-get: install them by its own means"
    exit 2
fi
if [ -z "$yes" ]; then
    say "needed and missing:$missing"
    if [ ! -t 0 ]; then
        say "nothing was changed; install them with: $install"
        exit 2
    fi
    printf 'bascule: install them now with apt-get? [y/N] ' >&2
    read -r answer
    case "$answer" in y | Y | yes | o | O | oui) ;; *)
        say "nothing was changed; install them with: $install"
        exit 2
        ;;
    esac
fi

# The engine must not start here, now or at the next boot: Bascule starts its own, inside an enclosure.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
say "installing$missing"
apt-get update --quiet --quiet
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $install >/dev/null
case "$missing" in *docker.io*)
    if [ -d /run/systemd/system ]; then
        systemctl disable --quiet docker.service docker.socket containerd.service || true
    fi
    ;;
esac
