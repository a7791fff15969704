# Shared by the image scripts: cache paths, content keys, safe removal.
# Sourced, never run; first, because it may start the caller again. Callers have `set -euo pipefail`.

image_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$image_dir/../without-sys-time.sh"
cache_dir=${CLOCKMEND_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/clockmend}

say() { printf '[image] %s\n' "$*" >&2; }
die() { printf '[image] error: %s\n' "$*" >&2; exit 1; }

# Content key of the given strings and of the contents of the given files
# ("@PATH"), 16 hex digits. Directories are hashed file by file with their names
# below the directory, so the same checkout elsewhere has the same key.
content_key() {
    local item
    for item in "$@"; do
        case $item in
            @*) (cd "$(dirname "${item#@}")" && find "$(basename "${item#@}")" -type f -print0 |
                LC_ALL=C sort -z | xargs -0 -r sha256sum) ;;
            *) printf '%s\n' "$item" ;;
        esac
    done | sha256sum | cut -c1-16
}

# Removes a tree that may have been used as a chroot. A mount left inside it
# would otherwise be emptied through the tree, so any mount below it refuses.
remove_tree() {
    local tree
    [ -e "$1" ] || return 0
    tree=$(realpath "$1")
    case $tree in "$(realpath "$cache_dir")"/?*) ;; *) die "refusing to remove $tree: not in the cache" ;; esac
    if awk -v t="$tree" '$2 == t || index($2, t "/") == 1 { found = 1 } END { exit !found }' /proc/mounts; then
        die "refusing to remove $tree: something is mounted inside"
    fi
    rm -rf --one-file-system -- "$tree"
}

# Keeps the two newest layers of a kind (the older one may be in use by a guest
# of another run) and removes the rest.
prune_layers() {
    local old
    touch "$cache_dir/$1-$2"
    ls -1dt "$cache_dir/$1"-????????????????/ | tail -n +3 | while read -r old; do remove_tree "${old%/}"; done
}

# Copies a tree with owners, links and extended attributes.
copy_tree() { cp -a --reflink=auto -- "$1" "$2"; }

# A daemon must not start inside a chroot, whatever its postinst wants.
guard_services() {
    printf '#!/bin/sh\nexit 101\n' > "$1/usr/sbin/policy-rc.d"
    chmod 0755 "$1/usr/sbin/policy-rc.d"
}
unguard_services() { rm -f "$1/usr/sbin/policy-rc.d"; }

# One "deb" line for each Debian suite of this release that this machine's own
# apt uses: a local mirror, proxy or snapshot is then used for the guest too.
apt_sources() {
    local codename
    codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    apt-get indextargets --format '$(ORIGIN) $(IDENTIFIER) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
        awk -v c="$codename" '$1 == "Debian" && $2 == "Packages" && $5 == "main" &&
            ($4 == c || $4 == c "-updates" || $4 == c "-security") { print "deb " $3 " " $4 " main" }' | sort -u
}

# The download settings (proxies, retries, date checks) of this machine's apt.
apt_settings() { apt-config dump | grep -E '^Acquire::(Check-|Retries|Queue-Mode|[a-z]+::)' || true; }

# Downloads packages into a folder of the cache with this machine's apt, for
# the dpkg status file given (empty: plain download of exactly these names).
download_debs() {
    local into=$1 status=$2
    shift 2
    mkdir -p "$into/partial"
    if [ -z "$status" ]; then
        (cd "$into" && apt-get -qq -o APT::Sandbox::User=root download "$@" >&2)
        return
    fi
    apt-get -qq -y --no-install-recommends --no-remove --download-only \
        -o APT::Sandbox::User=root -o Debug::NoLocking=true \
        -o Dir::State::status="$status" -o Dir::State::extended_states=/dev/null \
        -o Dir::Cache::archives="$into" -o APT::Keep-Downloaded-Packages=true -o APT::Clean-Installed=false \
        -o DPkg::Post-Invoke::= -o APT::Update::Post-Invoke::= \
        install "$@" >&2
}

# Installs what lies in TREE/debs, by the tree's own apt (it knows the order
# that pre-dependencies need) and without any network.
install_debs() {
    DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$1" sh -c \
        'exec apt-get -q -y -o Dpkg::Use-Pty=0 --no-install-recommends -o APT::Sandbox::User=root install /debs/*.deb' < /dev/null
}
