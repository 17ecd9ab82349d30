//! What the checks of each kind of project see: green, red by name, not loading, and tests by name.

use super::projects::{self, Project};
use super::tools;
use crate::sandbox::lab::Lab;
use baton::checks::{self, Ground, Observed, Tree, describe_failure};
use baton::sandbox::{Environment, Sandbox};
use std::path::{Path, PathBuf};
use team::{CheckSpec, Exit, Outcome, Report, Tests};
use tokio_util::sync::CancellationToken;

struct Place {
    lab: Lab,
    sandbox: Sandbox,
    path: Vec<PathBuf>,
}

impl Place {
    /// `None`: the tool is missing.
    async fn new(project: &Project) -> Option<Place> {
        let path = tools::need(project.tool)?;
        let lab = Lab::new();
        let sandbox = lab.sandbox().await;
        let place = Place { lab, sandbox, path };
        project.files.iter().for_each(|(path, text)| place.write(path, text));
        Some(place)
    }

    fn slot(&self) -> PathBuf {
        self.lab.path("slot")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.slot().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn change(&self, (path, old, new): (&str, &str, &str)) {
        let text = std::fs::read_to_string(self.slot().join(path)).unwrap();
        assert!(text.contains(old), "{text}");
        self.write(path, &text.replacen(old, new, 1));
    }

    fn ground(&self) -> Ground {
        let mut environment = Environment::from_process();
        let old = environment.vars["PATH"].clone();
        let path = self.path.iter().cloned().chain(std::env::split_paths(&old));
        let path = std::env::join_paths(path).unwrap();
        environment.vars.insert("PATH".into(), path.into_string().unwrap());
        let mut ground = Ground::new(&self.slot(), &self.lab.path("caches/new"), environment);
        // The package managers' own files; a real one lies beside its programs.
        ground.read_only.extend(tools::modules().canonicalize());
        // What the person has installed, where git does not see it.
        let worktree = self.lab.path("person");
        std::fs::create_dir_all(&worktree).unwrap();
        for name in ["package.json", "package-lock.json"] {
            let _ = std::fs::copy(self.slot().join(name), worktree.join(name));
        }
        let modules = worktree.join("node_modules");
        if tools::modules().exists() && !modules.exists() {
            std::os::unix::fs::symlink(tools::modules(), modules).unwrap();
        }
        ground.installed = checks::of_worktree(&worktree, &self.slot());
        ground
    }

    fn spec(&self) -> CheckSpec {
        let slot = self.slot();
        let read = |path: &str| std::fs::read_to_string(slot.join(path)).ok();
        let list = |folder: &str| {
            let entries = std::fs::read_dir(slot.join(folder)).into_iter().flatten().flatten();
            entries.map(|it| it.file_name().into_string().unwrap()).collect()
        };
        checks::detect(&Tree { read: &read, list: &list }, &[]).remove(0)
    }

    async fn check(&self, names: &[&str]) -> Observed {
        let stop = CancellationToken::new();
        let names = owned(names);
        checks::run(&self.sandbox, &self.spec(), &self.ground(), &names, false, &stop)
            .await
            .unwrap()
    }

    async fn named(&self, names: &[&str]) -> Observed {
        let stop = CancellationToken::new();
        let names = owned(names);
        checks::run_named(&self.sandbox, &self.spec(), &self.ground(), &names, false, &stop)
            .await
            .unwrap()
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|it| it.to_string()).collect()
}

fn tests(seen: &Observed) -> &Tests {
    seen.tests.as_ref().unwrap()
}

fn counts(seen: &Observed) -> (u32, u32) {
    (tests(seen).passed, tests(seen).failed)
}

fn outcomes(seen: &Observed) -> Vec<Outcome> {
    tests(seen).named.iter().map(|it| it.1).collect()
}

/// Green at first; red by name once there is a test that shows the bug, whole and chosen; green again
/// with the fix; and not even loading.
async fn looks(project: &Project) {
    let Some(place) = Place::new(project).await else { return };
    let seen = place.check(&["no such test"]).await;
    assert_eq!(seen.exit, Exit::Code(0), "{}", describe_failure(&seen));
    assert_eq!(
        (counts(&seen), &tests(&seen).trouble),
        ((2, 0), &None),
        "{}",
        describe_failure(&seen)
    );
    assert_eq!(outcomes(&seen), [Outcome::Missing]);

    let (path, last, new) = project.test;
    place.change((path, last, &format!("{last}{new}")));
    let seen = place.check(&[project.name]).await;
    assert_ne!(seen.exit, Exit::Code(0));
    assert_eq!(counts(&seen), (2, 1), "{}", describe_failure(&seen));
    assert_eq!(
        (outcomes(&seen), &tests(&seen).failing),
        (vec![Outcome::Failed], &owned(&[project.full]))
    );
    assert!(describe_failure(&seen).contains(project.full), "{}", describe_failure(&seen));

    let seen = place.named(&[project.name]).await;
    assert_ne!(seen.exit, Exit::Code(0), "{}", describe_failure(&seen));
    assert_eq!(outcomes(&seen), [Outcome::Failed], "{:?} {}", seen.argv, describe_failure(&seen));
    if project.chooses {
        assert_eq!(counts(&seen), (0, 1), "{:?}", seen.argv);
        let seen = place.named(&["no such test"]).await;
        assert_eq!(outcomes(&seen), [Outcome::Missing], "{}", describe_failure(&seen));
        assert_eq!(counts(&seen), (0, 0), "{:?}", seen.argv);
    }
    place.change(project.fix);
    let seen = place.named(&[project.name]).await;
    assert_eq!((seen.exit, outcomes(&seen)), (Exit::Code(0), vec![Outcome::Passed]));

    place.write(project.broken.0, project.broken.1);
    for seen in [place.check(&[project.name]).await, place.named(&[project.name]).await] {
        assert_ne!(seen.exit, Exit::Code(0), "{:?}", seen.argv);
        assert_eq!(counts(&seen).0, 0, "{}", describe_failure(&seen));
        assert_eq!(outcomes(&seen), [Outcome::Missing], "{}", describe_failure(&seen));
    }
    left_nothing(&place.slot());
}

/// Nothing that a commit would pick up: no compiled files, no report.
fn left_nothing(slot: &Path) {
    for entry in std::fs::read_dir(slot).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(!name.contains("pycache") && !name.contains("report"), "{name}");
        if name == "node_modules" {
            let inside = std::fs::read_dir(entry.path()).unwrap().count();
            assert_eq!(inside, 0, "what was mounted is not in the slot");
        }
    }
}

#[tokio::test]
async fn node() {
    looks(&projects::NODE).await;
}

#[tokio::test]
async fn jest() {
    looks(&projects::JEST).await;
}

#[tokio::test]
async fn vitest() {
    looks(&projects::VITEST).await;
}

#[tokio::test]
async fn pytest() {
    looks(&projects::PYTEST).await;
}

#[tokio::test]
async fn unittest() {
    looks(&projects::UNITTEST).await;
}

#[tokio::test]
async fn go() {
    looks(&projects::GO).await;
}

#[tokio::test]
async fn pnpm_and_yarn_run_nodes_tests() {
    for project in [&projects::NODE_BY_PNPM, &projects::NODE_BY_YARN] {
        let Some(place) = Place::new(project).await else { return };
        let seen = place.check(&["doubles one"]).await;
        assert_eq!(counts(&seen), (2, 0), "{:?} {}", seen.argv, describe_failure(&seen));
        assert_eq!(outcomes(&seen), [Outcome::Passed]);
    }
}

#[tokio::test]
async fn make_and_just_speak_by_their_exit_code() {
    for project in [&projects::MAKE, &projects::JUST] {
        let Some(place) = Place::new(project).await else { return };
        let seen = place.check(&[]).await;
        assert_ne!(seen.exit, Exit::Code(0));
        assert_eq!(seen.tests, None);
        place.change(project.fix);
        let seen = place.check(&[]).await;
        assert_eq!(seen.exit, Exit::Code(0), "{}", describe_failure(&seen));
    }
}

/// The person's own packages can't be written, whatever runs.
#[tokio::test]
async fn installed_packages_are_read_and_never_written() {
    let Some(place) = Place::new(&projects::JEST).await else { return };
    let spec = |script: &str| CheckSpec {
        name: "test".into(),
        argv: ["sh", "-c", script].map(String::from).into(),
        report: Report::Exit,
        required: true,
        timeout_ms_max: 60_000,
    };
    let stop = CancellationToken::new();
    let run = async |script: &str| {
        let (spec, ground) = (spec(script), place.ground());
        checks::run(&place.sandbox, &spec, &ground, &[], false, &stop).await.unwrap().exit
    };
    assert_eq!(run("test -f node_modules/jest/package.json").await, Exit::Code(0));
    for write in [
        "echo x > node_modules/canary",
        "echo x >> node_modules/jest/package.json",
        "rm -rf node_modules/jest/package.json",
        "rmdir node_modules || mv node_modules gone",
    ] {
        assert_ne!(run(write).await, Exit::Code(0), "{write}");
    }
    assert!(tools::modules().join("jest/package.json").exists());
    assert!(!tools::modules().join("canary").exists());
}

/// A report that says green is not believed where the command failed, nor one that nobody wrote.
#[tokio::test]
async fn a_report_alone_makes_nothing_green() {
    let Some(place) = Place::new(&projects::MAKE).await else { return };
    let green = "<testsuite><testcase name='a' classname='C'/></testsuite>";
    let spec = |script: &str| CheckSpec {
        name: "test".into(),
        argv: ["sh", "-c", script, "{report}"].map(String::from).into(),
        report: Report::Junit { path: "{report}".into() },
        required: true,
        timeout_ms_max: 60_000,
    };
    let stop = CancellationToken::new();
    let run = async |script: &str| {
        let (spec, ground) = (spec(script), place.ground());
        checks::run(&place.sandbox, &spec, &ground, &owned(&["a"]), false, &stop).await.unwrap()
    };
    let seen = run(&format!("echo \"{green}\" > $0")).await;
    assert_eq!(
        (seen.exit, counts(&seen), outcomes(&seen)),
        (Exit::Code(0), (1, 0), vec![Outcome::Passed])
    );
    assert!(seen.argv.contains(&"{report}".to_string()), "{:?}", seen.argv);
    let seen = run(&format!("echo \"{green}\" > $0; exit 1")).await;
    assert_eq!((seen.exit, counts(&seen)), (Exit::Code(1), (1, 0)));
    for hostile in [
        "true",
        "ln -s /etc/hostname $0",
        "mkfifo $0",
        "mkdir $0",
        "head -c 40000000 /dev/zero > $0",
        "echo '<testsuite><testcase' > $0",
    ] {
        let seen = run(hostile).await;
        assert_eq!(seen.exit, Exit::Code(0), "{hostile}");
        assert!(counts(&seen).0 == 0 && tests(&seen).trouble.is_some(), "{hostile}: {seen:?}");
    }
    assert_eq!(
        std::fs::read_dir(place.lab.path("caches/new"))
            .unwrap()
            .flatten()
            .filter(|it| { it.file_name().to_string_lossy().starts_with("report-") })
            .count(),
        0,
        "no report outlives its run"
    );
}
