#!/bin/sh
# Installs what some tests borrow from others: exact versions, into target/test-tools alone.
#
#   tests/tools/install.sh               all of it
#   tests/tools/install.sh aimock        a foreign mock of the model's wire (needs node, npm)
#   tests/tools/install.sh sdk           the official Python SDK, as a judge (needs python3)
#   tests/tools/install.sh nvim          Neovim (needs python3)
#   tests/tools/install.sh pytest        a test runner, run in the sandbox (needs python3)
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

install_aimock() {
    lock=$here/aimock/package-lock.json
    fresh aimock "$lock" && return
    mkdir "$tools/aimock"
    cp "$here/aimock/package.json" "$lock" "$tools/aimock/"
    npm ci --prefix "$tools/aimock" --ignore-scripts --no-audit --no-fund >&2
    cp "$lock" "$tools/aimock.stamp"
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

[ $# -gt 0 ] || set -- aimock sdk nvim pytest
for piece in "$@"; do
    case $piece in
    aimock) install_aimock ;;
    sdk) venv sdk "$here/sdk.txt" ;;
    pytest) venv pytest "$here/pytest.txt" ;;
    nvim) venv nvim "$here/nvim.txt" --require-hashes ;;
    *)
        echo "install.sh: $piece is none of aimock, sdk, nvim, pytest" >&2
        exit 2
        ;;
    esac
done
