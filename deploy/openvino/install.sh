#!/usr/bin/env bash
# Unpacks OpenVINO for a silo's --openvino DIR:  deploy/openvino/install.sh [--plugin] [--from WHEEL_OR_FOLDER] DIR
# Without --from the wheel comes from PyPI by pip: the one with OpenVINO built into ONNX Runtime, for every x86-64 processor; --plugin is the one for Intel's.
set -euo pipefail

fail() {
    echo "error: $*" >&2
    exit 1
}

usage() {
    echo "usage: deploy/openvino/install.sh [--plugin] [--from WHEEL_OR_FOLDER] DIR" >&2
    exit 64
}

wheel=onnxruntime-openvino version=1.24.1 python=(--python-version 3.11 --implementation cp --abi cp311)
sum=3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8
from='' target=''
while [ $# -gt 0 ]; do
    case "$1" in
        --plugin)
            wheel=onnxruntime-ep-openvino version=1.8.1 python=(--python-version 3.11)
            sum=3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924
            ;;
        --from)
            [ $# -ge 2 ] || usage
            from=$2
            shift
            ;;
        -*) usage ;;
        *)
            [ -z "$target" ] || usage
            target=$1
            ;;
    esac
    shift
done
[ -n "$target" ] || usage
[ "$(uname -m)" = x86_64 ] || fail "the wheels are for x86-64 processors, this machine's is $(uname -m)"
[ ! -e "$target" ] || [ -z "$(ls -A "$target")" ] || fail "'$target' is not empty; remove it, or name another folder"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -z "$from" ]; then
    python3 -m pip --version >/dev/null 2>&1 || fail "pip is not installed (Debian package python3-pip); or download $wheel $version from PyPI and pass it by --from"
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --platform manylinux_2_28_x86_64 "${python[@]}" -d "$work" "$wheel==$version"
    from=$(ls "$work"/*.whl)
fi
if [ -f "$from" ]; then
    # A wheel of the other kind says so itself.
    case "$(basename "$from")" in
        onnxruntime_ep_openvino-1.8.1-*) sum=3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924 ;;
        onnxruntime_openvino-1.24.1-*) sum=3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8 ;;
    esac
    found=$(sha256sum "$from" | cut -d ' ' -f 1)
    [ "$found" = "$sum" ] || fail "the SHA-256 of '$from' is $found, expected $sum: it is not the wheel that the silo was tried with"
    python3 -m zipfile -e "$from" "$work/wheel"
    from=$work/wheel
fi
[ -d "$from" ] || fail "'$from' is neither a wheel nor a folder"

# What is needed and nothing more: no Python, and no device's library but those of OpenVINO that the wheel has.
library=$(find "$from" -maxdepth 4 -name 'libonnxruntime_providers_openvino*.so' -print -quit)
[ -n "$library" ] || fail "'$from' has no library of OpenVINO for ONNX Runtime"
source=$(dirname "$library")
mkdir -p "$target"
find "$source" -maxdepth 1 -type f \( -name 'lib*.so' -o -name 'lib*.so.*' -o -name cache.json \) -exec cp {} "$target/" \;
find "$from" -maxdepth 4 -type f \( -iname '*license*' -o -iname '*third*party*' \) -exec cp -n {} "$target/" \;
echo "OpenVINO is in $target: ./serve --openvino $target"
