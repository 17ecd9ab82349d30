//! Configuration and trust, as a person meets them.

use baton::config::{Config, Home, SandboxChoice, parse_team_file, settings_table, trust};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use team::{Code, Report};
use tempfile::TempDir;

/// A person's folders and a repository with a `.baton`.
struct Desk {
    dir: TempDir,
    home: Home,
}

impl Desk {
    fn new() -> Desk {
        let dir = TempDir::new().unwrap();
        let home = Home {
            config_file: dir.path().join("config/config.toml"),
            state_dir: dir.path().join("state"),
            cache_dir: dir.path().join("cache"),
            runtime_dir: None,
        };
        let desk = Desk { dir, home };
        fs::create_dir_all(desk.root().join(".git")).unwrap();
        desk
    }

    fn root(&self) -> std::path::PathBuf {
        self.dir.path().join("repo")
    }

    fn common(&self) -> std::path::PathBuf {
        self.root().join(".git")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn acting(&self) -> trust::Acting {
        trust::acting(&self.root()).unwrap()
    }

    fn trust(&self) {
        trust::trust(&self.home, &self.common(), &self.acting()).unwrap();
    }

    fn is_trusted(&self) -> bool {
        trust::is_trusted(&self.home, &self.common(), &self.acting())
    }

    fn team_file(&self) -> (Option<baton::config::TeamFile>, Vec<String>) {
        trust::team_file(&self.home, &self.root(), &self.common()).unwrap()
    }
}

const CHECK: &str = "[[check]]\nname = \"test\"\ncommand = [\"cargo\", \"test\"]\n";

#[test]
fn a_workspace_says_nothing_before_it_is_trusted() {
    let desk = Desk::new();
    assert_eq!(desk.team_file(), (None, vec![]));
    assert!(desk.is_trusted(), "nothing acts, nothing needs trust");
    desk.write(".baton/team.toml", CHECK);
    desk.write(".baton/agents/\u{1b}[31mreviewer.md", "be kind");
    let (file, ignored) = desk.team_file();
    assert_eq!(file, None);
    assert_eq!(ignored, [".baton/agents/\\u{1b}[31mreviewer.md", ".baton/team.toml"]);

    desk.trust();
    let (file, ignored) = desk.team_file();
    let file = file.unwrap();
    assert_eq!(ignored, Vec::<String>::new());
    assert_eq!(file.checks[0].argv, ["cargo", "test"]);
    assert_eq!(file.ignored, [".baton/agents/\\u{1b}[31mreviewer.md: not supported yet"]);

    trust::revoke(&desk.home, &desk.common()).unwrap();
    assert_eq!(desk.team_file().0, None);
}

#[test]
fn trust_ends_with_the_first_changed_byte() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 6] = [
        ("content", |it| fs::write(it.join("team.toml"), "version = 1\n").unwrap()),
        ("new file", |it| fs::write(it.join("more.md"), "").unwrap()),
        ("new file deep down", |it| {
            fs::create_dir_all(it.join("a/b")).unwrap();
            fs::write(it.join("a/b/c"), "").unwrap();
        }),
        ("deleted", |it| fs::remove_file(it.join("notes.md")).unwrap()),
        ("executable", |it| {
            fs::set_permissions(it.join("notes.md"), fs::Permissions::from_mode(0o755)).unwrap();
        }),
        ("file became a link", |it| {
            fs::rename(it.join("notes.md"), it.join("../notes.md")).unwrap();
            symlink("../notes.md", it.join("notes.md")).unwrap();
        }),
    ];
    for (what, change) in changes {
        let desk = Desk::new();
        desk.write(".baton/team.toml", CHECK);
        desk.write(".baton/notes.md", "notes");
        assert!(!desk.is_trusted());
        desk.trust();
        assert!(desk.is_trusted());
        change(&desk.root().join(".baton"));
        assert!(!desk.is_trusted(), "{what}");
        assert_eq!(desk.team_file().0, None, "{what}");
    }
}

#[test]
fn branches_are_trusted_one_by_one_and_stay_so() {
    let desk = Desk::new();
    desk.write(".baton/team.toml", CHECK);
    desk.trust();
    desk.write(".baton/team.toml", "version = 1");
    desk.trust();
    assert!(desk.is_trusted());
    desk.write(".baton/team.toml", CHECK);
    assert!(desk.is_trusted());
    let listed = trust::list(&desk.home).unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].common_dir, fs::canonicalize(desk.common()).unwrap());
    // Another repository with the same content is another question.
    let other = desk.dir.path().join("other/.git");
    fs::create_dir_all(&other).unwrap();
    assert!(!trust::is_trusted(&desk.home, &other, &desk.acting()));
    // The same one by another way is not.
    let link = desk.dir.path().join("link");
    symlink(desk.root(), &link).unwrap();
    assert!(trust::is_trusted(&desk.home, &link.join(".git"), &desk.acting()));
}

#[test]
fn no_link_is_read_through() {
    let desk = Desk::new();
    let outside = desk.dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("team.toml"), CHECK).unwrap();
    fs::create_dir(desk.root().join(".baton")).unwrap();
    symlink(outside.join("team.toml"), desk.root().join(".baton/team.toml")).unwrap();
    desk.trust();
    let (file, ignored) = desk.team_file();
    assert_eq!(file, None);
    assert_eq!(ignored, [".baton/team.toml: a link, not read"]);
    fs::write(outside.join("team.toml"), "changed").unwrap();
    assert!(desk.is_trusted(), "what it leads to does not act");

    let desk = Desk::new();
    symlink(&outside, desk.root().join(".baton")).unwrap();
    assert_eq!(desk.acting().files.len(), 1);
    assert_eq!(desk.team_file(), (None, vec![".baton".to_owned()]));
}

#[test]
fn a_hostile_folder_stops_nothing() {
    let desk = Desk::new();
    for n in 0..300 {
        desk.write(&format!(".baton/{n}"), "");
    }
    let (file, ignored) = desk.team_file();
    assert_eq!(file, None);
    assert_eq!(ignored, [".baton (.baton holds more than 200 files)"]);
    assert!(trust::acting(&desk.root()).is_err());

    let desk = Desk::new();
    desk.write(".baton/big", &"x".repeat(5 << 20));
    assert!(desk.team_file().1[0].contains("more than 4194304 bytes"));

    let desk = Desk::new();
    desk.write(&format!(".baton/{}x", "d/".repeat(20)), "");
    assert!(desk.team_file().1[0].contains("folders deep"));

    // A pipe is not waited for.
    let desk = Desk::new();
    desk.write(".baton/team.toml", CHECK);
    let pipe = desk.root().join(".baton/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_eq!(desk.acting().files.len(), 2);
}

#[test]
fn the_record_of_trust_can_be_lost_but_not_forged() {
    let desk = Desk::new();
    desk.write(".baton/team.toml", CHECK);
    desk.trust();
    let record = desk.home.state_dir.join("trust.json");
    assert_eq!(fs::metadata(&record).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&record, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(!desk.is_trusted(), "others could have written it");
    fs::set_permissions(&record, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(desk.is_trusted());
    fs::write(&record, "{half of").unwrap();
    assert!(!desk.is_trusted());
    assert!(trust::list(&desk.home).unwrap_err().hint.contains("delete it"));
}

#[test]
fn trusting_from_many_places_at_once_loses_nothing() {
    let desk = Desk::new();
    desk.write(".baton/team.toml", CHECK);
    let acting = desk.acting();
    std::thread::scope(|scope| {
        for n in 0..16 {
            let (home, acting) = (&desk.home, &acting);
            let common = desk.dir.path().join(format!("repo-{n}"));
            scope.spawn(move || trust::trust(home, &common, acting).unwrap());
        }
    });
    assert_eq!(trust::list(&desk.home).unwrap().len(), 16);
}

#[test]
fn a_team_file_is_read_whole() {
    let file = parse_team_file(
        "version = 1
        [setup]
        command = [\"cargo\", \"fetch\"]
        [[check]]
        name = \"test\"
        command = [\"cargo\", \"test\"]
        report = \"cargo\"
        timeout_s_max = 60
        [[check]]
        name = \"lint\"
        command = [\"cargo\", \"clippy\"]
        required = false
        [[check]]
        name = \"web\"
        command = [\"npm\", \"test\"]
        report = \"junit:out.xml\"
        [paths]
        risk = [\"migrations/**\"]
        [class.bug]
        stages = [\"build\", \"validate\"]
        [[schedule]]
        cron = \"0 2 * * 1-5\"",
    )
    .unwrap();
    assert_eq!(file.setup.unwrap(), ["cargo", "fetch"]);
    let [test, lint, web] = &file.checks[..] else { panic!("{:?}", file.checks) };
    assert_eq!((&test.report, test.timeout_ms_max, test.required), (&Report::Cargo, 60_000, true));
    assert_eq!((&lint.report, lint.timeout_ms_max, lint.required), (&Report::Exit, 600_000, false));
    assert_eq!(web.report, Report::Junit { path: "out.xml".into() });
    assert_eq!(file.risk, ["migrations/**"]);
    assert_eq!(file.ways, team::Ways::default());
    assert_eq!(file.ignored, [".baton/team.toml: `schedule` is not supported yet",]);
}

#[test]
fn stages_are_read_class_by_class() {
    let file = parse_team_file(
        "[class.feature]
        stages = [\"human:design\", \"design\", \"human:build\", \"build\", \"validate\"]
        [class.docs]
        stages = [\"build\", \"validate\", \"human:announce\", \"announce\"]",
    );
    let ways = file.unwrap().ways;
    assert_eq!(ways.feature.words().join(" "), "human:design design human:build build validate");
    assert_eq!(ways.docs.words().join(" "), "build validate human:announce announce");
    assert_eq!(ways.bug, team::Ways::default().bug);
}

#[test]
fn bad_stages_are_refused_with_their_place() {
    let cases = [
        ("[class.bug]\nstages = [\"build\"]", "line 2, column 10: `validate` is missing"),
        ("[class.bug]\nstages = []", "line 2, column 10: `build` is missing"),
        (
            "[class.bug]\nstages = [\n  \"build\",\n  \"ship\",\n]",
            "line 4, column 3: there is no stage `ship`",
        ),
        (
            "[class.bug]\nstages = [\"validate\", \"build\"]",
            "line 2, column 23: `build` comes too late",
        ),
        (
            "[class.bug]\nstages = [\"human:design\", \"build\", \"validate\"]",
            "line 2, column 27: `design` must come right after `human:design`",
        ),
        (
            "version = 1\n[class.featur]\nstages = []",
            "line 2, column 8: there is no class `featur` (did you mean `feature`?)",
        ),
        (
            "[class.question]\nstages = [\"build\", \"validate\"]",
            "line 1, column 8: `question` changes nothing, so it has no stages",
        ),
        ("[class.bug]\nstage = []", "unknown key `stage` (did you mean `stages`?)"),
        ("[class.bug]\nstages = \"build\"", "expected a list"),
        ("[class.bug]\n", "missing field `stages`"),
    ];
    for (text, expected) in cases {
        let said = parse_team_file(text).unwrap_err().to_string();
        assert!(said.starts_with(".baton/team.toml"), "{said}");
        assert!(said.contains(expected), "{said}\nshould contain\n{expected}");
    }
}

#[test]
fn a_broken_team_file_says_where_and_what() {
    let cases = [
        ("version = 2", "it has version 2, this Baton knows 1"),
        ("[[check]]\nname = \"a\"", "line 1, column 1: missing field `command`"),
        ("[[check]]\nname = \"a\"\ncommand = []", "check `a`: `command` names no program"),
        ("[[check]]\nname = \"a b\"\ncommand = [\"x\"]", "which `a b` is not"),
        (
            "[[check]]\nname = \"a\"\ncomand = [\"x\"]",
            "unknown key `comand` (did you mean `command`?)",
        ),
        (
            "[[check]]\nname = \"a\"\ncommand = \"cargo test\"",
            "line 3, column 11: found string, expected a list",
        ),
        (
            "[[check]]\nname = \"a\"\ncommand = [\"x\"]\nreport = \"xml\"",
            "unknown report `xml` (`cargo`, `unittest`,",
        ),
        (
            "[model]\nbase_url = \"http://example.org\"",
            "not a workspace's to set: `model` ([model] belongs in your own config.toml)",
        ),
        ("[sandbox]\nchecks = \"unconfined\"", "not a workspace's to set: `sandbox`"),
        ("[land]\nto = \"branch\"", "not a workspace's to set: `land`"),
        ("[paths]\nrisk = [\"a{b\"]", "`a{b` is no glob"),
        ("[paths\n", "line 1, column"),
    ];
    for (text, expected) in cases {
        let failure = parse_team_file(text).unwrap_err();
        assert_eq!(failure.code, Code::Config);
        let said = failure.to_string();
        assert!(said.starts_with(".baton/team.toml"), "{said}");
        assert!(said.contains(expected), "{said}\nshould contain\n{expected}");
    }
    let twice = format!("{CHECK}{CHECK}");
    let said = parse_team_file(&twice).unwrap_err().text;
    assert!(said.contains("two checks are called `test`"), "{said}");
}

#[test]
fn a_trusted_team_file_that_is_broken_is_an_error_and_not_ignored() {
    let desk = Desk::new();
    desk.write(".baton/team.toml", "[[chek]]");
    desk.trust();
    let failure = trust::team_file(&desk.home, &desk.root(), &desk.common()).unwrap_err();
    assert!(failure.to_string().contains("did you mean `check`?"), "{failure}");
}

#[test]
fn your_own_file_is_read_unless_everybody_can_change_it() {
    let desk = Desk::new();
    let file = &desk.home.config_file;
    assert_eq!(Config::load(&desk.home).unwrap().sandbox, SandboxChoice::Required);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, "[sandbox]\nchecks = \"unconfined\"").unwrap();
    assert_eq!(Config::load(&desk.home).unwrap().sandbox, SandboxChoice::Unconfined);
    fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
    let failure = Config::load(&desk.home).unwrap_err();
    assert!(failure.hint.starts_with("chmod o-w"), "{failure}");
}

fn document() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md")
}

/// `UPDATE=1` writes the table.
#[test]
fn the_documented_settings_are_the_settings() {
    let (start, end) = ("<!-- generated:settings -->\n", "<!-- end -->");
    let text = fs::read_to_string(document()).unwrap();
    let (before, rest) = text.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    let expected = format!("{before}{start}{}{end}{after}", settings_table());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(document(), expected).unwrap();
    } else {
        assert!(text == expected, "docs/configuration.md is not what the code says: UPDATE=1");
    }
}

#[test]
fn the_documented_examples_are_accepted() {
    let text = fs::read_to_string(document()).unwrap();
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|it| it.split("```").next().unwrap()).collect();
    let [own, local, roles, workspace] = examples[..] else {
        panic!("four examples, not {}", examples.len())
    };
    let desk = Desk::new();
    fs::create_dir_all(desk.home.config_file.parent().unwrap()).unwrap();
    fs::write(&desk.home.config_file, own).unwrap();
    let config = Config::load(&desk.home).unwrap();
    assert_eq!((config.limits.run_micros_max, config.runs_at_once_max), (1_500_000, 3));
    let read = |text: &str| {
        fs::write(&desk.home.config_file, text).unwrap();
        Config::load(&desk.home).unwrap()
    };
    assert_eq!(read(local).model.unwrap().window_tokens, Some(32_000));
    let engineer = read(&format!("[model]\n{roles}")).model_of(team::Role::Engineer, false);
    assert_eq!(engineer.unwrap().model, "qwen3-coder");
    let file = parse_team_file(workspace).unwrap();
    assert_eq!((file.checks.len(), file.ignored.len()), (1, 0));
}
