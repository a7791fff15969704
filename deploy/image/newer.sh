# Shared by build-newer-*.sh: packages of newer Debian suites, from this machine's own mirror, without touching its apt.
# Sourced after lib.sh.

# What lies in the cache is asked for again only after so many minutes: a run must not depend on the network.
newer_valid_min=$((7 * 24 * 60))

# Exit code 3 and one line on standard output: the packages cannot be had here, which is no defect of the rig.
unavailable() { printf 'unavailable=%s\n' "$*"; exit 3; }

# Prints the archive that this machine's apt uses for its own suite; the newer suites lie beside it.
debian_archive() {
    local codename
    codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    apt-get indextargets --format '$(ORIGIN) $(IDENTIFIER) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
        awk -v c="$codename" '$1 == "Debian" && $2 == "Packages" && $4 == c && $5 == "main" { print $3; exit }'
}

# newer_sources NAME STATUS SUITE...: an apt of our own below the cache, which knows these suites only. Its options are left
# in the array newer_apt. STATUS is the dpkg status it reads (/dev/null: nothing is installed).
newer_sources() {
    local name=$1 status=$2 archive folder suite
    shift 2
    archive=$(debian_archive)
    [ -n "$archive" ] || unavailable "this machine's apt has no Debian main archive"
    folder=$cache_dir/apt-$name
    mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial"
    for suite in "$@"; do echo "deb $archive $suite main"; done > "$folder/sources.list"
    newer_apt=(-o "Dir::State=$folder/state" -o "Dir::Cache=$folder/cache" -o "Dir::Etc::sourcelist=$folder/sources.list"
        -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null -o "Dir::State::status=$status"
        -o APT::Sandbox::User=root -o Debug::NoLocking=true -o DPkg::Post-Invoke::= -o APT::Update::Post-Invoke::=)
    timeout 300 apt-get "${newer_apt[@]}" -qq -o APT::Update::Error-Mode=any update >&2
}

# newer_ready POINTER: the layer that the pointer file names, while it is young enough. With "any" as second argument the
# age does not matter (the mirror does not answer).
newer_ready() {
    local layer
    [ -e "$1" ] || return 1
    [ "${2:-}" = any ] || [ -n "$(find "$1" -mmin "-$newer_valid_min")" ] || return 1
    layer=$cache_dir/$(cat "$1")
    [ -e "$layer/done" ] || return 1
    printf '%s\n' "$layer"
}
