#!/usr/bin/env python3
"""Does what the README says, as a newcomer: a fresh clone, an empty HOME, its own commands in their order.

    tests/readme/run.py

What CI has already is lent: cargo's home, npm's cache, and a target folder, so that libraries are not
built twice. What is installed is built without optimisation, which is quicker: BATON_README_OPTIMISED=1 builds
it as people do. The newcomer's model is scripted, their `code` is the command line of the VS Code server that
tests/tools/install.sh put in its place, their Neovim the one of there. At the end both editors are
opened, and show what the commands did.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
HERE = TREE / "tests/readme"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TREE / "target")).resolve()
TOOLS = TARGET / "test-tools"
BUILD_S_MAX = 1800
COMMAND_S_MAX = 180
# CI runs these by themselves, reading them in the README too.
LEFT_TO_CI = ["cargo test"]
# What a person types when they are asked, and what they pipe in.
ANSWERS = [("type approve", "approve\n")]
REPORT = "parse() keeps the white space at the end of a value\n\x04"

PROJECT = {
    "package.json": '{ "name": "parse", "private": true, "type": "module", "scripts": { "test": "node --test" } }\n',
    "src/parse.js": """// A line of settings: a name, and its value.
export function parse(text) {
  const [line] = text.match(/.+/);
  const [name, value] = line.split("=");
  return { name, value };
}
""",
    "test/parse.test.js": """import test from "node:test";
import assert from "node:assert/strict";
import { parse } from "../src/parse.js";

test("a name and its value", () => {
  assert.deepEqual(parse("one=1"), { name: "one", value: "1" });
});
""",
}


def blocks(text):
    """The fenced blocks: what they are, and their lines."""
    found = re.findall(r"^```(\S*)\n(.*?)^```$", text, re.M | re.S)
    kinds = {kind for kind, _ in found}
    assert kinds == {"sh", "toml"}, f"a block is either run (sh) or configuration (toml): {kinds}"
    return [body.splitlines() for kind, body in found if kind == "sh"]


def commands(lines):
    """Without what is only said; as `sh` reads it, a ` #` begins a comment."""
    all_ = [re.split(r"(?:^|\s)#", line)[0].strip() for line in lines]
    return [line for line in all_ if line]


def environment(world):
    """A newcomer's: an empty home, and the tools of this machine."""
    home = world / "home"
    real = Path.home()
    home.mkdir()
    # Cargo builds every library again where its folder is another one, so that its home is lent whole.
    cargo = {name: os.environ.get(name, str(real / below)) for name, below in (("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"))}
    programs = world / "bin"
    programs.mkdir()
    (programs / "nvim").symlink_to(TOOLS / "nvim/bin/nvim")
    place = world / "code"
    code = programs / "code"
    code.write_text(
        f'#!/bin/sh\n# VS Code\'s command line, as far as its server has one.\nexec node {TOOLS}/vscode-server/out/server-main.js '
        f'--accept-server-license-terms --server-data-dir {place} --user-data-dir {place}/data --extensions-dir {place}/ext "$@"\n'
    )
    code.chmod(0o755)
    env = {name: os.environ[name] for name in os.environ if re.fullmatch(r"LANG|SSL_CERT_\w+|\w+_proxy|\w+_PROXY|NODE_EXTRA_CA_CERTS", name)}
    env |= {
        "HOME": str(home), "TERM": "xterm", "TMPDIR": str(world / "tmp"),
        "PATH": f"{home}/.cargo/bin:{programs}:{os.environ['PATH']}",
        "CARGO_INSTALL_ROOT": str(home / ".cargo"), "CARGO_TARGET_DIR": str(TARGET),
        "npm_config_cache": os.environ.get("npm_config_cache", str(real / ".npm")),
        "npm_config_userconfig": os.environ.get("npm_config_userconfig", str(real / ".npmrc")),
        "EXTENSIONS_GALLERY": '{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}',
        "BATON_TEST_TOOLS": str(TOOLS),
    } | cargo  # fmt: skip
    if "BATON_README_OPTIMISED" not in os.environ:
        env |= {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "0", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "256"}
    (world / "tmp").mkdir()
    return env


def play(command, env, cwd):
    """Runs a command in a terminal of 100 columns, answers it, and says how it ended and what it showed."""
    seconds_max = BUILD_S_MAX if command.startswith(("cargo", "npm")) else COMMAND_S_MAX
    mine, its = pty.openpty()
    subprocess.run(["stty", "rows", "30", "cols", "100"], stdin=its, check=True)
    child = subprocess.Popen(["sh", "-ec", command], env=env, cwd=cwd, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    if " run - " in f"{command} ":
        os.write(mine, REPORT.encode())
    shown, answered, end = "", 0, time.monotonic() + seconds_max
    while True:
        if not select.select([mine], [], [], max(0, end - time.monotonic()))[0]:
            os.killpg(child.pid, 9)
            shown += f"\nended after {seconds_max} s"
            break
        try:
            piece = os.read(mine, 65536)
        except OSError:  # On Linux: nobody has the other end any more.
            break
        shown += piece.decode(errors="replace")
        for asked, answer in ANSWERS:
            if asked in shown[answered:]:
                answered = len(shown)
                os.write(mine, answer.encode())
    os.close(mine)
    return child.wait(), shown


def clone(world):
    """The tree as it is committed; where there is no repository, as it lies there."""
    place = world / "clone"
    if (TREE / ".git").exists():
        subprocess.run(["git", "clone", "-q", TREE, place], check=True)
    else:
        shutil.copytree(TREE, place, ignore=shutil.ignore_patterns("target", "node_modules"))
    return place


def project(world, env):
    """The newcomer's own repository, with a bug; and their model."""
    root = world / "project"
    for name, text in PROJECT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for args in (["init", "-q", "-b", "main"], ["config", "user.name", "New Comer"], ["config", "user.email", "new@example.invalid"], ["add", "."], ["commit", "-q", "-m", "start"]):
        subprocess.run(["git", *args], cwd=root, env=env, check=True)
    config = world / "home/.config/baton/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[model]\nprovider = "script"\nscript = "{HERE}/script.toml"\n')
    return root


def editors(all_):
    """Each editor is two commands away."""
    for name in ("code ", "editors/nvim"):
        block = [lines for lines in all_ if any(name in line for line in lines)]
        assert [len(it) for it in block] == [2], f"two commands to the editor: {block}"


def main():
    started = time.monotonic()
    all_ = [commands(lines) for lines in blocks((TREE / "README.md").read_text())]
    editors(all_)
    world = Path(tempfile.mkdtemp(prefix="baton-readme-")).resolve()
    failed = []
    env = environment(world)
    try:
        tree, root = clone(world), project(world, env)
        todo = [(line, root if line.startswith("baton ") else tree) for lines in all_ for line in lines]
        todo += [
            (f"nvim --headless src/parse.js -S {HERE}/nvim.lua", root),
            (f"node {HERE}/window.mjs {world} {root}", tree),
        ]
        for line, cwd in todo:
            if line in LEFT_TO_CI:
                print(f"   CI   {line}")
                continue
            since = time.monotonic()
            code, shown = play(line, env, cwd)
            print(f"{time.monotonic() - since:6.1f} s  {line}", flush=True)
            if code != 0:
                failed.append(line)
                plain = re.sub(r"\x1b\[[\d;?]*[A-Za-z]|[\r\u2800-\u28ff]", "", shown)
                print(f"{plain[-6000:]}\n-- exit code {code}: {line}", flush=True)
        landed = subprocess.run(["git", "log", "-1", "--format=%B"], cwd=root, env=env, capture_output=True, text=True, check=True).stdout
        if "Baton-Task: T1" not in landed:
            failed.append(f"what was approved is on the branch: {landed}")
    finally:
        subprocess.run(["baton", "daemon", "stop"], env=env, cwd=world, check=False)
        shutil.rmtree(world, ignore_errors=True)
    print(f"the README, in {time.monotonic() - started:.0f} s: {'all is so' if not failed else failed}")
    return 1 if failed else 0


sys.exit(main())
