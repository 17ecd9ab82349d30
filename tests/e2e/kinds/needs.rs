//! What a project needs besides its commit: packages that a set-up brings once a person allowed it, and
//! tests that fail now and then.

use super::projects;
use super::tools;
use crate::foreign::server::KEY;
use crate::foreign::world::World;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A registry with one package in two versions: prints its address and the two hashes, and writes down
/// what it was asked for.
const REGISTRY: &str = r#"
import base64, hashlib, http.server, io, json, sys, tarfile
files, hashes = {}, []
for version, n in (("1.0.0", "n"), ("2.0.0", "n + n")):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in (
            ("package/package.json", json.dumps({"name": "tiny", "version": version})),
            ("package/index.js", "exports.below = (n) => %s;\n" % n),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    data = out.getvalue()
    files["/tiny-%s.tgz" % version] = data
    hashes.append("sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(sys.argv[1], "a") as log:
            log.write(self.path + "\n")
        data = files.get(self.path)
        self.send_response(200 if data else 404)
        self.end_headers()
        self.wfile.write(data or b"")
    def log_message(self, *args):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(json.dumps([server.server_port] + hashes), flush=True)
server.serve_forever()
"#;

struct Registry {
    process: Child,
    log: std::path::PathBuf,
    port: u64,
    hashes: [String; 2],
}

impl Registry {
    fn start(dir: &Path) -> Registry {
        let log = dir.join("registry.log");
        let mut command = Command::new("python3");
        command.args(["-c", REGISTRY]).arg(&log).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let hash = |n: usize| said[n].as_str().unwrap().to_string();
        Registry { process, log, port: said[0].as_u64().unwrap(), hashes: [hash(1), hash(2)] }
    }

    fn asked(&self) -> Vec<String> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn package(version: &str) -> String {
        format!(
            "{{\n  \"name\": \"numbers\",\n  \"scripts\": {{ \"test\": \"node --test\" }},\n  \
             \"dependencies\": {{ \"tiny\": \"{version}\" }}\n}}\n"
        )
    }

    fn lock(&self, version: &str, hash: &str) -> String {
        let port = self.port;
        let lock = json!({
            "name": "numbers",
            "lockfileVersion": 3,
            "requires": true,
            "packages": {
                "": { "name": "numbers", "dependencies": { "tiny": version } },
                "node_modules/tiny": {
                    "version": version,
                    "resolved": format!("http://127.0.0.1:{port}/tiny-{version}.tgz"),
                    "integrity": hash,
                },
            },
        });
        serde_json::to_string_pretty(&lock).unwrap() + "\n"
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const NUMBERS: &str = "const { below } = require('tiny');\n\
    exports.double = (n) => (n < 0 ? below(n) : n + n);\n\
    exports.half = (n) => n;\n";
const TESTS: &str = "const { test } = require('node:test');\nconst assert = require('node:assert');\n\
    const { double } = require('../src/numbers.js');\n\
    test('doubles one', () => assert.equal(double(1), 2));\n";

/// Nothing is fetched before the person's yes, one yes holds for a content, and a change of the lock
/// file asks again.
#[test]
fn packages_are_fetched_after_one_yes_for_each_lock_file() {
    let Some(tools) = tools::need("npm") else { return };
    let mut world = World::new(&[("README.md", "numbers\n")]);
    world.tools = tools;
    let registry = Registry::start(&world.home);
    let [one, two] = registry.hashes.clone();
    let (old, new) = (registry.lock("1.0.0", &one), registry.lock("2.0.0", &two));
    world.write("package.json", &Registry::package("1.0.0"));
    world.write("package-lock.json", &old);
    world.write(".gitignore", "node_modules\n");
    world.write("src/numbers.js", NUMBERS);
    world.write("test/numbers.test.js", TESTS);
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "numbers"]);
    let half = json!({
        "key": KEY, "about": "half is not half", "summary": "Half is half.", "look": "src/numbers.js",
        "edits": [{ "path": "src/numbers.js", "old": "=> n;", "new": "=> n / 2;" }],
    });
    let Some(server) = world.stranger(&half) else { return };

    let ran = world.baton(&["run", "--yes", "half of a number is that number"]).ends(2);
    assert!(
        ran.out.contains("npm ci --ignore-scripts") && ran.out.contains("with a network"),
        "{}",
        ran.out
    );
    assert_eq!(registry.asked(), [""; 0], "nothing is fetched without a yes");
    let ran = world.baton(&["answer", "A1", "approve"]).ends(0);
    assert!(ran.out.contains("landed T1 on main"), "{}", ran.out);
    assert_eq!(registry.asked(), ["/tiny-1.0.0.tgz"]);
    assert!(!world.root.join("node_modules").exists(), "the person's worktree is not filled");

    // The same content: no second question, and nothing is fetched again.
    server.plan(&json!({
        "key": KEY, "about": "a word is missing", "summary": "Numbers are described.", "look": "README.md",
        "edits": [{ "path": "README.md", "old": "numbers", "new": "many numbers" }],
    }));
    world.baton(&["run", "--yes", "say that there are many"]).ends(0);
    assert_eq!(registry.asked().len(), 1);

    // The Engineer changes what is needed: the set-up has to be allowed again.
    let test = "test('doubles below nothing', () => assert.equal(double(-2), -4));\n";
    server.plan(&json!({
        "key": KEY, "about": "tiny 1 is wrong below nothing", "summary": "Tiny 2 doubles.", "look": "package.json",
        "edits": [
            { "path": "package.json", "old": "\"tiny\": \"1.0.0\"", "new": "\"tiny\": \"2.0.0\"" },
            { "path": "package-lock.json", "old": old, "new": new },
            { "path": "test/numbers.test.js", "old": "double(1), 2));\n", "new": format!("double(1), 2));\n{test}") },
        ],
    }));
    let ran = world.baton(&["run", "doubling a number below nothing gives it back"]).ends(2);
    assert!(ran.out.contains("npm ci --ignore-scripts"), "{}", ran.out);
    assert_eq!(registry.asked().len(), 1, "nothing is fetched without a second yes");
    let waits = ran.out.split(" waits for you").next().and_then(|it| it.split(' ').next_back());
    let ran = world.baton(&["answer", waits.unwrap(), "approve"]);
    assert!(ran.code == 0 || ran.code == 2, "{}\n{}", ran.out, ran.err);
    assert_eq!(registry.asked(), ["/tiny-1.0.0.tgz", "/tiny-2.0.0.tgz"]);
    let shown = world.baton(&["task", "T3"]).ends(0).out;
    assert!(shown.contains("2 passed"), "{shown}");
}

/// Fails at every second time that it runs in one build cache.
const FLAKY: &str = "import os\nimport unittest\n\n\n\
    class Now(unittest.TestCase):\n    def test_and_then(self):\n\
    \x20       path = os.path.join(os.environ['CARGO_TARGET_DIR'], 'times')\n\
    \x20       with open(path, 'a') as file:\n            file.write('x')\n\
    \x20       self.assertTrue(os.path.getsize(path) % 2)\n";

/// It fails after the change, passes on the same files, and is shown to the person; the fix lands.
#[test]
fn a_flaky_test_is_shown_and_holds_nothing_up() {
    let project = &projects::UNITTEST;
    let Some(tools) = tools::need(project.tool) else { return };
    let mut world = World::new(project.files);
    world.tools = tools;
    world.write("tests/test_now.py", FLAKY);
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "-m", "a test that fails now and then"]);
    let (path, old, new) = project.fix;
    let (test_path, last, more) = project.test;
    let Some(_server) = world.stranger(&json!({
        "key": KEY, "about": "it is not doubled", "summary": "Doubled.", "look": path,
        "edits": [{ "path": path, "old": old, "new": new }],
        "test": {
            "names": [project.name],
            "edit": { "path": test_path, "old": last, "new": format!("{last}{more}") },
        },
    })) else {
        return;
    };
    let ran = world.baton(&["run", "--yes", "a number below nothing is not doubled"]).ends(2);
    let said = "flaky: tests.test_now.Now.test_and_then failed and passed on the same files";
    assert!(ran.out.contains(said) && ran.out.contains("not counted until 2"), "{}", ran.out);
    let states = std::fs::read_dir(world.beside("state")).unwrap().map(|it| it.unwrap().path());
    let state = { states }.find(|it| it.join("baton.sqlite3").exists()).unwrap();
    let team = baton::store::Reader::open(&state).unwrap().team().unwrap();
    let line = team::approval_line(&team, team::ApprovalId(1)).unwrap();
    assert!(line.notes.iter().any(|it| it.starts_with(said)), "{:?}", line.notes);
    let ran = world.baton(&["answer", "A1", "approve"]).ends(0);
    assert!(ran.out.contains("landed T1 on main"), "{}", ran.out);
    assert!(world.read(path).contains(new));
}
