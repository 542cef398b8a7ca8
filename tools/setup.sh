# What ./serve, ./cluster, ./test and bench/run share: installing what a fresh machine lacks, and building only what changed. Sourced, with
# $root set to the checkout. Says what it does; says nothing when there is nothing to do.

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

need_command() {
    command -v "$1" >/dev/null 2>&1 || fail "$1 is not installed: $2"
}

# Debian packages, by name; those that are there already cost nothing.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    say "installing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq >/dev/null || fail "apt-get update failed"
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
        fail "apt-get could not install ${missing[*]}"
}

# The npm packages of a folder with a lock file.
need_npm() {
    local folder="$root/$1"
    [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] && return
    say "installing npm packages of $1"
    (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null) || fail "npm ci failed in $1"
    touch "$folder/node_modules/.package-lock.json"
}

# Builds a project in Release unless its output is newer than every source. One at a time: several processes may be started at once in a fresh checkout.
build() {
    exec 9<"$root/tools/setup.sh"
    flock 9
    build_locked "$@" 9<&-
    exec 9<&-
}

build_locked() {
    local project="$1" output="$2"
    need_command dotnet "install the .NET SDK 10"
    if [ -e "$root/$output" ] && [ -z "$(changed_since "$root/$output")" ]; then
        return
    fi
    say "building $project"
    dotnet build "$root/$project" -c Release --nologo -v quiet -clp:NoSummary >&2 || fail "the build failed"
    # An incremental build leaves the output as it was if no assembly changed; it is up to date all the same.
    touch "$root/$output"
}

changed_since() {
    find "$root" \( -name bin -o -name obj -o -name node_modules -o -name artifacts -o -name .git -o -name models \) -prune -o \
        -type f \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' -o -name '*.proto' -o -name '*.sln' -o -name .editorconfig \
        -o -name BannedSymbols.txt -o -path '*/gateway/Console/Files/*' \) -newer "$1" -print -quit
}
