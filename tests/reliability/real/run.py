"""Ten real projects of strangers, delegated, landed and undone; every byte compared before and after.

    python3 tests/reliability/real/run.py target/debug/baton [NAME...]

Fetches the pinned archives with the registries' ordinary clients (cargo, pip, npm, apt-get) into
target/real/archives, makes a repository of each, and says as a person would: `baton doctor`, `baton run`,
`baton answer`, `baton undo`. The model is tests/fixtures/foreign/stranger.py. No test of CI: it needs the
registries and a quarter of an hour. What each command said is kept in target/real/NAME.log.
"""
import hashlib, json, os, shutil, stat, subprocess, sys, time, tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
TREE = HERE.parents[2]
PLACE = Path(os.environ.get("CARGO_TARGET_DIR", TREE / "target")).resolve() / "real"
ARCHIVES = PLACE / "archives"
COMMAND_S_MAX = 900
ANSWERS_MAX = 6


def call(argv, cwd, log=None, env=None, check=True):
    done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                          timeout=COMMAND_S_MAX)
    if log:
        with open(log, "a") as file:
            file.write(f"$ {' '.join(map(str, argv))}\n{done.stdout}{done.stderr}[{done.returncode}]\n\n")
    if check and done.returncode:
        raise SystemExit(f"{argv}: {done.stdout}{done.stderr}")
    return done


def fetch(it):
    """The published archive, by its hash."""
    file = ARCHIVES / it["file"]
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        exact = f"{it['name']}=={it['version']}"
        if it["from"] == "pypi":
            call(["pip", "download", "-q", "--no-binary", ":all:", "--no-deps", exact], ARCHIVES)
        elif it["from"] == "npm":
            call(["npm", "pack", "-s", f"{it['name']}@{it['version']}"], ARCHIVES)
        elif it["from"] == "crate":
            scratch = ARCHIVES / "scratch"
            (scratch / "src").mkdir(parents=True, exist_ok=True)
            (scratch / "src/lib.rs").touch()
            package = '[package]\nname = "scratch"\nversion = "0.0.0"\n[workspace]\n[dependencies]\n'
            (scratch / "Cargo.toml").write_text(f'{package}{it["name"]} = "={it["version"]}"\n')
            call(["cargo", "fetch", "-q"], scratch)
            cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
            shutil.copy(next(cargo.glob(f"registry/cache/*/{it['file']}")), file)
        else:
            # Sources by a configuration of our own: the machine's is left alone.
            lists = ARCHIVES / "apt"
            (lists / "partial").mkdir(parents=True, exist_ok=True)
            known = Path("/etc/apt/sources.list.d/debian.sources").read_text()
            (ARCHIVES / "src.sources").write_text(known.replace("Types: deb\n", "Types: deb-src\n"))
            options = ["-o", "Dir::Etc::sourceparts=/dev/null", "-o", f"Dir::Etc::sourcelist={ARCHIVES}/src.sources",
                       "-o", f"Dir::State::lists={lists}"]
            call(["apt-get", "-q", *options, "update"], ARCHIVES)
            call(["apt-get", "-q", *options, "--download-only", "source", it["name"]], ARCHIVES)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    assert found == it["sha256"], f"{file}: {found}"
    return file


def digest(root):
    """Every path with its kind, mode and bytes; of the git folder what is the person's own."""
    found = {}
    for dir, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(dir, name)
            short = str(path.relative_to(root))
            inner = short.split(os.sep)
            if inner[0] == ".git" and len(inner) > 1 and inner[1] not in ("config", "hooks", "info", "HEAD", "packed-refs", "modules"):
                continue
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                found[short] = f"-> {os.readlink(path)}"
            elif stat.S_ISREG(mode):
                found[short] = f"{mode & 0o777:o} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
            else:
                found[short] = "folder" if stat.S_ISDIR(mode) else f"{mode:o}"
    git = lambda *args: call(["git", *args], root).stdout
    found["(status)"] = git("status", "--porcelain", "--ignored")
    found["(index)"] = git("ls-files", "--stage")
    found["(stash, worktrees)"] = git("stash", "list") + git("worktree", "list", "--porcelain").replace(git("rev-parse", "HEAD").strip(), "HEAD")
    found["(branches)"] = git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags", "refs/remotes")
    return found


def differ(before, after):
    return sorted(it for it in before.keys() | after.keys() if before.get(it) != after.get(it))


def repository(it, base):
    """The project as its archive has it, committed; and what is odd about this one."""
    root, odd = base / it["name"], it.get("odd")
    root.mkdir(parents=True)
    call(["tar", "xf", fetch(it), "-C", root, "--strip-components=1"], base)
    git = lambda *args, at=root: call(["git", "-c", "protocol.file.allow=always", *args], at)
    git("init", "-q", "-b", "main", ".")
    git("config", "user.name", "A Person")
    git("config", "user.email", "person@example.org")
    if odd == "crlf":
        readme = root / "README.md"
        readme.write_bytes(readme.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    if odd == "symlinks":
        (root / "READ ME").symlink_to("README.md")
        (root / "nowhere").symlink_to("/no/such/place")
    if odd == "submodule":
        other = base / "other"
        other.mkdir()
        (other / "a.txt").write_text("a\n")
        for argv in (["init", "-q"], ["add", "."], ["-c", "user.name=P", "-c", "user.email=p@example.org", "commit", "-q", "-m", "a"]):
            git(*argv, at=other)
        git("submodule", "--quiet", "add", str(other), "vendor/other")
    if odd == "lock":
        call(["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], root)
        (root / ".gitignore").write_text("node_modules\n")
    git("add", "-A")
    git("commit", "-q", "-m", "as published")
    if odd == "worktree":
        git("worktree", "add", "-q", "-b", "work", str(base / "work"))
        root = base / "work"
    if odd == "unsaved":
        (root / "LICENSE").write_text("half a sentence\n" + (root / "LICENSE").read_text())
        (root / "my notes.txt").write_text("mine\n")
    return root


class Person:
    """Somebody with an empty home, this project and a foreign server as a model."""

    def __init__(self, baton, it):
        self.it, self.base, self.log = it, PLACE / it["name"], PLACE / f"{it['name']}.log"
        shutil.rmtree(self.base, ignore_errors=True)
        self.base.mkdir(parents=True)
        self.log.unlink(missing_ok=True)
        self.baton, self.surprises, self.asked = baton, [], []
        self.root, self.home = repository(it, self.base), self.base / "home"
        self.home.mkdir()
        plan = self.base / "plan.json"
        plan.write_text(json.dumps({"about": it["brief"], "summary": it["brief"], **it["plan"]}))
        stranger = TREE / "tests/fixtures/foreign/stranger.py"
        self.server = subprocess.Popen([sys.executable, stranger, plan], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        url = self.server.stdout.readline().strip()
        config = f'[model]\nprovider = "anthropic"\nbase_url = "{url}"\nmodel = "stranger-1"\napi_key_env = "FOREIGN_KEY"\n'
        (self.home / "config.toml").write_text(config)
        user = Path.home()
        keep = {"CARGO_HOME": user / ".cargo", "RUSTUP_HOME": user / ".rustup", "PYENV_ROOT": user / ".pyenv"}
        kept = {name: os.environ.get(name, str(path)) for name, path in keep.items()}
        # As with an activated virtual environment: pytest, where tests/tools/install.sh runners put it.
        venv = TREE / "target/test-tools/runners/bin"
        path = f"{venv}:{os.environ['PATH']}" if it["from"] == "pypi" else os.environ["PATH"]
        self.env = {"PATH": path, **kept, "HOME": str(self.home), "BATON_CONFIG": str(self.home / "config.toml"),
                    "BATON_STATE_DIR": str(self.base / "state"), "FOREIGN_KEY": "k", "LANG": "C.UTF-8"}

    def says(self, *argv, codes=(0,)):
        done = call([self.baton, *argv], self.root, self.log, self.env, check=False)
        if done.returncode not in codes:
            self.surprises.append(f"`baton {argv[0]}` ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
        return done

    def board(self):
        return json.loads(self.says("board", "--all", "--json").stdout)

    def approve(self):
        """Says yes to whatever waits, until nothing does; `apply` where it can't land."""
        for _ in range(ANSWERS_MAX):
            waits = self.board()["approvals"]
            if not waits:
                return
            one = waits[0]
            self.asked.append((one["subject"], one["proof"], one["notes"] + one["why"]))
            answer = "approve" if "approve" in one["answers"] else "apply"
            ticks = [word for it in one["ticks"] for word in ("--tick", it)]
            self.says("answer", one["id"], answer, *ticks, codes=(0, 2))
        self.surprises.append("it asked without an end")

    def left(self):
        """Processes that still know this state folder."""
        mark, found = str(self.base / "state").encode(), []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if int(pid) != os.getpid() and mark in Path("/proc", pid, "environ").read_bytes():
                    found.append(Path("/proc", pid, "cmdline").read_bytes().decode().replace("\0", " "))
            except OSError:
                pass
        return found

    def story(self):
        started, before = time.monotonic(), digest(self.root)
        outside = sorted(it.name for it in self.base.iterdir())
        self.says("doctor", "--plain")
        if differ(before, digest(self.root)):
            self.surprises.append(f"doctor changed {differ(before, digest(self.root))}")
        self.says("run", "--plain", self.it["brief"], codes=(0, 2))
        self.approve()
        task = self.board()["tasks"][0]
        wanted = sorted({it["path"] for it in self.it["plan"]["edits"]} | {self.it["plan"].get("test", {"edit": {"path": ""}})["edit"]["path"]} - {""})
        landed = digest(self.root)
        moved = [it for it in differ(before, landed) if not it.startswith("(")]
        if task["state"] not in ("landed", "applied"):
            self.surprises.append(f"ended {task['state']}: {task['step']}")
        elif moved != wanted:
            self.surprises.append(f"changed {moved}, meant {wanted}")
        self.says("task", "T1", "--plain")
        if task["state"] in ("landed", "applied"):
            self.says("undo", "T1", "--plain")
        after = digest(self.root)
        if differ(before, after):
            self.surprises.append(f"after undo these differ: {differ(before, after)}")
        self.server.stdin.close()
        self.server.wait(10)
        if self.left():
            self.surprises.append(f"left running: {self.left()}")
        new = sorted(it.name for it in self.base.iterdir() if it.name not in [*outside, "state", "plan.json.journal"])
        homely = sorted(str(it.relative_to(self.home)) for it in self.home.iterdir() if it.name != "config.toml")
        if new or homely:
            self.surprises.append(f"stray: {new} {homely}")
        asked = ", ".join(it[0] for it in self.asked)
        proof = self.asked[-1][1] if self.asked else "-"
        print(f"| {self.it['name']} {self.it['version']} | {self.it.get('odd', '')} | {asked} | {proof} | {task['state']} | "
              f"{time.monotonic() - started:.0f} s | {len(self.surprises)} |", flush=True)
        for it in self.surprises:
            print(f"    surprise: {it}", flush=True)
        return not self.surprises


def main():
    baton, names = str(Path(sys.argv[1]).resolve()), sys.argv[2:]
    projects = tomllib.loads((HERE / "projects.toml").read_text())["project"]
    chosen = [it for it in projects if not names or it["name"] in names]
    quiet = [Person(baton, it).story() for it in chosen]
    print(f"{quiet.count(True)} of {len(quiet)} without surprise")
    return 0 if all(quiet) else 1


sys.exit(main())
