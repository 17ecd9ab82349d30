//! Which set-up a slot needs, and where what it made is kept: one folder for each content of command and
//! manifests, shown to commands read-only, so that one set-up serves every slot.

use super::installed::{Installed, NODE, PYTHON, is_free};
use super::manifests::{Language, Manifests};
use super::{Ground, Observed};
use crate::sandbox::hex;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use team::{CheckSpec, Exit};

/// Written last, when the command ended well.
const DONE: &str = "done";
/// Lists for pip that are looked for, all of which are installed.
const REQUIREMENTS: [&str; 6] = [
    "requirements.txt",
    "requirements-dev.txt",
    "requirements_dev.txt",
    "requirements-test.txt",
    "dev-requirements.txt",
    "test-requirements.txt",
];
/// Extras and groups of a pyproject.toml that are for tests.
const FOR_TESTS: [&str; 4] = ["test", "tests", "testing", "dev"];
/// Most of what a pyproject.toml names is passed on.
const NAMED_MAX: usize = 200;
const PYTEST: &str = "pytest";
/// What cargo and go say when a package is not in their caches and there is no network.
const CARGO_SAYS: [&str; 5] = [
    "--offline was specified",
    "failed to download",
    "no matching package named",
    "failed to load source for dependency",
    "unable to update registry",
];
const NODE_SAYS: [&str; 5] = [
    "Cannot find module",
    "Cannot find package",
    "ERR_MODULE_NOT_FOUND",
    "command not found",
    ": not found",
];
const GO_SAYS: &str = "module lookup disabled by GOPROXY=off";
const PYTHON_SAYS: [&str; 2] = ["ModuleNotFoundError", "No module named"];

/// One set-up that could be run in a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// `None`: the team file's own.
    language: Option<Language>,
    pub argv: Vec<String>,
    /// The manifests and lock files that are there.
    pub files: Vec<String>,
    /// SHA-256 over command and manifests, hex.
    pub content: String,
    /// What it fills, relative to the slot; package caches are not among it.
    folders: Vec<&'static str>,
}

/// The team file's command where it names one, else what the manifests imply.
pub fn plans(slot: &Path, named: Option<&[String]>) -> Vec<Plan> {
    let Some(manifests) = Manifests::open(slot, "") else { return vec![] };
    if let Some(argv) = named {
        return vec![plan(&manifests, None, argv.to_vec(), &Language::ALL)];
    }
    let all = Language::ALL.into_iter().filter_map(|language| {
        let argv = command(&manifests, language)?;
        Some(plan(&manifests, Some(language), argv, &[language]))
    });
    all.collect()
}

fn plan(
    manifests: &Manifests<'_>,
    language: Option<Language>,
    argv: Vec<String>,
    goes_by: &[Language],
) -> Plan {
    let mut hash = Sha256::new();
    for word in &argv {
        hash.update((word.len() as u64).to_be_bytes());
        hash.update(word);
    }
    for language in goes_by {
        hash.update([0]);
        hash.update(manifests.hash(*language).unwrap_or_default());
    }
    let folder = |language: &Language| match language {
        Language::Node => manifests.text("package.json").map(|_| NODE),
        Language::Python => Some(PYTHON).filter(|_| manifests.hash(Language::Python).is_some()),
        Language::Cargo | Language::Go => None,
    };
    let folders = goes_by.iter().filter_map(folder).collect();
    let files = goes_by.iter().flat_map(|it| manifests.there(*it)).collect();
    Plan { language, argv, files, content: hex(&hash.finalize()), folders }
}

fn words(argv: &[&str]) -> Option<Vec<String>> {
    Some(argv.iter().map(|it| it.to_string()).collect())
}

/// Scripts of packages don't run: they would be foreign code with a network.
fn command(manifests: &Manifests<'_>, language: Language) -> Option<Vec<String>> {
    let has = |name: &str| manifests.read(name).is_some();
    match language {
        Language::Cargo => match manifests.text("Cargo.lock") {
            Some(lock) => {
                lock.contains("\nsource = ").then_some(())?;
                words(&["cargo", "fetch", "--locked"])
            }
            // Many libraries don't commit theirs: then cargo chooses, as it does for the person.
            None => {
                manifests.text("Cargo.toml").filter(|it| it.contains("dependencies"))?;
                words(&["cargo", "fetch"])
            }
        },
        Language::Go => {
            manifests.read("go.sum")?;
            words(&["go", "mod", "download"])
        }
        Language::Node => {
            let package = manifests.text("package.json")?;
            let package: serde_json::Value = serde_json::from_str(&package).ok()?;
            let needs = |key: &str| {
                package.get(key).and_then(|it| it.as_object()).is_some_and(|it| !it.is_empty())
            };
            let any = ["dependencies", "devDependencies", "optionalDependencies"];
            any.iter().any(|it| needs(it)).then_some(())?;
            if has("package-lock.json") || has("npm-shrinkwrap.json") {
                words(&["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            } else if has("pnpm-lock.yaml") {
                words(&["pnpm", "install", "--frozen-lockfile", "--ignore-scripts"])
            } else if has("yarn.lock") && has(".yarnrc.yml") {
                words(&["yarn", "install", "--immutable", "--mode=skip-build"])
            } else if has("yarn.lock") {
                words(&["yarn", "install", "--frozen-lockfile", "--ignore-scripts"])
            } else {
                let more = ["--no-package-lock", "--no-audit", "--no-fund"];
                words(&[&["npm", "install", "--ignore-scripts"][..], &more].concat())
            }
        }
        Language::Python => {
            if has("uv.lock") {
                return words(&["uv", "sync", "--frozen", "--no-install-project"]);
            }
            let lists = REQUIREMENTS.iter().filter(|it| manifests.text(it).is_some_and(names_any));
            let mut wanted: Vec<String> =
                lists.flat_map(|it| ["-r".to_owned(), it.to_string()]).collect();
            if wanted.is_empty() {
                manifests.hash(Language::Python)?;
                wanted = manifests.text("pyproject.toml").map(|it| named(&it)).unwrap_or_default();
                // Their needs are written in forms that pip doesn't read.
                if wanted.is_empty() && (has("poetry.lock") || has("Pipfile")) {
                    return None;
                }
                if !wanted.iter().any(|it| it.starts_with(PYTEST)) {
                    wanted.push(PYTEST.to_owned());
                }
            }
            let script = "python3 -m venv .venv && \
                 .venv/bin/python3 -m pip install --no-input --disable-pip-version-check \"$@\"";
            let first = ["sh", "-c", script, "pip"].map(str::to_owned);
            Some([&first[..], &wanted].concat())
        }
    }
}

/// What a pyproject.toml says the package and its tests need: the dependencies, and the extras and
/// groups that are for tests by their name (PEP 621 and 735). The package itself is not installed: its
/// build would be foreign code with a network.
fn named(pyproject: &str) -> Vec<String> {
    let Ok(table) = pyproject.parse::<toml::Table>() else { return vec![] };
    let table = toml::Value::Table(table);
    let at = |path: &[&str]| path.iter().try_fold(&table, |it, key| it.get(key));
    let mut lists = vec![at(&["project", "dependencies"])];
    for group in FOR_TESTS {
        lists.push(at(&["project", "optional-dependencies", group]));
        lists.push(at(&["dependency-groups", group]));
    }
    let all = lists.into_iter().flatten().filter_map(toml::Value::as_array).flatten();
    let all = all.filter_map(toml::Value::as_str).map(str::trim);
    // A word with a dash in front would be an option of pip's.
    let fine = all.filter(|it| it.starts_with(|it: char| it.is_ascii_alphanumeric()));
    let mut res: Vec<String> = fine.take(NAMED_MAX).map(str::to_owned).collect();
    let mut seen = std::collections::BTreeSet::new();
    res.retain(|it| seen.insert(it.clone()));
    res
}

/// Whether a list for pip has a line that is no comment.
fn names_any(list: String) -> bool {
    list.lines().map(str::trim).any(|it| !it.is_empty() && !it.starts_with('#'))
}

/// The folder of a content.
pub fn kept(deps: &Path, content: &str) -> PathBuf {
    deps.join(content)
}

/// It ran here and ended well.
pub fn is_done(deps: &Path, plan: &Plan) -> bool {
    kept(deps, &plan.content).join(DONE).is_file()
}

/// What earlier set-ups made and this slot can use.
pub fn of_setups(deps: &Path, slot: &Path, named: Option<&[String]>) -> Vec<Installed> {
    let done = plans(slot, named).into_iter().filter(|it| is_done(deps, it));
    let made = done.flat_map(|plan| {
        let kept = kept(deps, &plan.content);
        plan.folders.into_iter().map(move |at| Installed { source: kept.join(at), at: at.into() })
    });
    let is_filled = |dir: &Path| std::fs::read_dir(dir).is_ok_and(|mut it| it.next().is_some());
    made.filter(|it| is_filled(&it.source) && is_free(slot, &it.at)).collect()
}

/// A new, empty place for what this set-up makes; `finish` puts it where it is kept.
pub fn begin(deps: &Path, plan: &Plan) -> std::io::Result<(PathBuf, Vec<Installed>)> {
    let new = deps.join(format!("{}.new", plan.content));
    if new.exists() {
        std::fs::remove_dir_all(&new)?;
    }
    let mut made = vec![];
    for at in &plan.folders {
        let source = new.join(at);
        std::fs::create_dir_all(&source)?;
        made.push(Installed { source, at: at.to_string() });
    }
    std::fs::create_dir_all(&new)?;
    Ok((new, made))
}

pub fn finish(deps: &Path, plan: &Plan, new: &Path) -> std::io::Result<()> {
    let kept = kept(deps, &plan.content);
    if kept.exists() {
        std::fs::remove_dir_all(&kept)?;
    }
    std::fs::write(new.join(DONE), plan.argv.join("\n"))?;
    std::fs::rename(new, kept)
}

/// Whether a red check is red because packages are missing that a set-up would bring; and what is
/// missing, in a few words.
pub fn would_help(
    spec: &CheckSpec,
    seen: &Observed,
    at: &Ground,
    plans: &[Plan],
) -> Option<(Plan, String)> {
    if !matches!(seen.exit, Exit::Code(n) if n != 0) {
        return None;
    }
    let output = String::from_utf8_lossy(&seen.output);
    let has = |folder: &str| at.installed.iter().any(|it| it.at == folder);
    let (language, why) = match program(spec) {
        "cargo" if CARGO_SAYS.iter().any(|it| output.contains(it)) => {
            (Language::Cargo, "crates that are needed are not in the cache")
        }
        "go" if output.contains(GO_SAYS) => {
            (Language::Go, "modules of go.sum are not in the cache")
        }
        "npm" | "pnpm" | "yarn" | "npx" | "node" | "env"
            if !has(NODE) && NODE_SAYS.iter().any(|it| output.contains(it)) =>
        {
            (Language::Node, "there is no node_modules that fits the lock file")
        }
        "python" | "python3" | "pytest"
            if !has(PYTHON) && PYTHON_SAYS.iter().any(|it| output.contains(it)) =>
        {
            (Language::Python, "there is no .venv that fits what is required")
        }
        _ => return None,
    };
    let plan = plans.iter().find(|it| it.language == Some(language))?;
    Some((plan.clone(), why.to_string()))
}

fn program(spec: &CheckSpec) -> &str {
    let first = spec.argv.first().map(String::as_str).unwrap_or_default();
    first.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn slot(files: &[(&str, &str)]) -> TempDir {
        let dir = TempDir::new().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    fn commands(files: &[(&str, &str)]) -> Vec<String> {
        let dir = slot(files);
        plans(dir.path(), None).iter().map(|it| it.argv.join(" ")).collect()
    }

    const PYPROJECT: &str = "[project]\nname = 'a'\ndependencies = ['x>=1', '--index-url=u', 'y']\n\
        optional-dependencies.tests = ['pytest-cov', 'y']\noptional-dependencies.docs = ['sphinx']\n\
        [dependency-groups]\ndev = ['z', {include-group = 'lint'}]\n";

    #[test]
    fn each_kind_of_lock_file_has_its_command() {
        let needs = r#"{"devDependencies":{"x":"1"}}"#;
        let mut all = vec![];
        for files in [
            &[("package.json", needs), ("package-lock.json", "{}")][..],
            &[("package.json", needs), ("pnpm-lock.yaml", "")],
            &[("package.json", needs), ("yarn.lock", "")],
            &[("package.json", needs), ("yarn.lock", ""), (".yarnrc.yml", "")],
            &[("package.json", needs)],
            &[("requirements.txt", "x==1"), ("requirements-dev.txt", "# none")],
            &[("uv.lock", "")],
            &[("pyproject.toml", PYPROJECT)],
            &[("setup.py", "")],
            &[("go.sum", "x")],
            &[("Cargo.lock", "[[package]]\nname = \"x\"\nsource = \"registry\"\n")],
            &[("Cargo.toml", "[dependencies]\nx = \"1\"\n")],
        ] {
            all.extend(commands(files));
        }
        expect_test::expect![[r#"
            npm ci --ignore-scripts --no-audit --no-fund
            pnpm install --frozen-lockfile --ignore-scripts
            yarn install --frozen-lockfile --ignore-scripts
            yarn install --immutable --mode=skip-build
            npm install --ignore-scripts --no-package-lock --no-audit --no-fund
            sh -c python3 -m venv .venv && .venv/bin/python3 -m pip install --no-input --disable-pip-version-check "$@" pip -r requirements.txt
            uv sync --frozen --no-install-project
            sh -c python3 -m venv .venv && .venv/bin/python3 -m pip install --no-input --disable-pip-version-check "$@" pip x>=1 y pytest-cov z
            sh -c python3 -m venv .venv && .venv/bin/python3 -m pip install --no-input --disable-pip-version-check "$@" pip pytest
            go mod download
            cargo fetch --locked
            cargo fetch"#]].assert_eq(&all.join("\n"));
        for nothing in [
            &[("package.json", "{}"), ("package-lock.json", "{}")][..],
            &[("Pipfile", "[packages]\nx = \"*\"\n")],
            &[("Cargo.lock", "[[package]]\nname = \"x\"\n")],
            &[("Cargo.toml", "[package]\nname = \"x\"\n")],
            &[("go.mod", "module x")],
            &[("pyproject.toml", "[tool.ruff]\n")],
        ] {
            assert_eq!(commands(nothing), [""; 0], "{nothing:?}");
        }
    }

    #[test]
    fn only_what_is_missing_is_asked_for() {
        let dir = slot(&[
            ("package.json", r#"{"devDependencies":{"x":"1"}}"#),
            ("package-lock.json", "{}"),
            ("requirements.txt", "x"),
            ("go.sum", "x"),
            ("Cargo.lock", "[[package]]\nsource = \"x\"\n"),
        ]);
        let environment = crate::sandbox::Environment::from_lookup(|_| None);
        let mut at = Ground::new(dir.path(), dir.path(), environment);
        let all = plans(dir.path(), None);
        let asked = |at: &Ground, program: &str, code: i32, output: &str| {
            let spec = CheckSpec {
                name: "test".into(),
                argv: vec![program.into(), "test".into()],
                report: team::Report::Exit,
                required: true,
                timeout_ms_max: 1,
            };
            let seen = Observed {
                argv: spec.argv.clone(),
                exit: Exit::Code(code),
                duration_ms: 1,
                output: output.into(),
                output_bytes: 1,
                output_sha256: String::new(),
                tests: None,
                environment: String::new(),
            };
            would_help(&spec, &seen, at, &all).map(|it| it.0.argv[0].clone())
        };
        for (program, output, command) in [
            ("npm", "sh: 1: jest: not found", Some("npm")),
            ("npm", "1 test failed", None),
            ("python3", "ModuleNotFoundError: No module named 'x'", Some("sh")),
            ("python3", "AssertionError", None),
            ("go", "module lookup disabled by GOPROXY=off", Some("go")),
            ("cargo", "error: no matching package named `x` found", Some("cargo")),
            ("cargo", "test result: FAILED", None),
            ("make", "ModuleNotFoundError", None),
        ] {
            assert_eq!(asked(&at, program, 1, output).as_deref(), command, "{program}: {output}");
            assert_eq!(asked(&at, program, 0, output), None);
        }
        at.installed.push(Installed { source: dir.path().into(), at: NODE.into() });
        assert_eq!(asked(&at, "npm", 1, "Cannot find module 'y'"), None);
    }

    #[test]
    fn the_content_is_the_command_and_the_lock_file() {
        let needs = ("package.json", r#"{"devDependencies":{"x":"1"}}"#);
        let content = |lock: &str, named: Option<&[String]>| {
            let dir = slot(&[needs, ("package-lock.json", lock)]);
            plans(dir.path(), named).remove(0).content
        };
        let own = ["make".to_string(), "deps".to_string()];
        assert_eq!(content("{}", None), content("{}", None));
        assert_ne!(content("{}", None), content("{ }", None));
        assert_ne!(content("{}", None), content("{}", Some(&own)));
        assert_ne!(content("{}", Some(&own)), content("{ }", Some(&own)));
        assert_ne!(content("{}", Some(&own)), content("{}", Some(&own[..1])));
    }

    #[test]
    fn what_was_made_is_seen_once_it_is_finished() {
        let dir = slot(&[
            ("package.json", r#"{"devDependencies":{"x":"1"}}"#),
            ("package-lock.json", "{}"),
        ]);
        let deps = TempDir::new().unwrap();
        let plan = plans(dir.path(), None).remove(0);
        let (new, made) = begin(deps.path(), &plan).unwrap();
        assert_eq!(made.len(), 1);
        std::fs::write(made[0].source.join("x.js"), "").unwrap();
        assert!(
            of_setups(deps.path(), dir.path(), None).is_empty() && !is_done(deps.path(), &plan)
        );
        finish(deps.path(), &plan, &new).unwrap();
        let seen = of_setups(deps.path(), dir.path(), None);
        assert_eq!(seen.len(), 1);
        assert!(seen[0].source.join("x.js").is_file());
        std::fs::write(dir.path().join("package-lock.json"), "{ }").unwrap();
        assert!(of_setups(deps.path(), dir.path(), None).is_empty());
    }
}
