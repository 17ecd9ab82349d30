//! Secrets of many kinds, told by the person, by files, by commands and by the model: none of them is
//! in the database, in what is printed, or in what the model hears.

use crate::liars::{FIX, PASS, script};
use crate::sandbox::lab::{again_as_ordinary_user, is_root, launcher, wait_for};
use crate::story::Story;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The key that is configured; it has no shape.
const KEY: &str = "correct-horse/battery+staple=7";

/// One of each kind, none of them real. Put together here, so that nobody's scanner takes this file
/// for a leak.
fn kinds() -> Vec<String> {
    let word = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1B_d-FgHiJkLm4oP7rStUvWx0z";
    let plain = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BCdEFgHiJkLm4oP7rStUvWx0zAb3dEf6hIj9lMn2p";
    let of = |begins: &[&str], rest: &str| -> Vec<String> {
        begins.iter().map(|it| format!("{it}{rest}")).collect()
    };
    let mut kinds = of(
        &[
            "sk-ant-",
            "sk-proj-",
            "sk-or-v1-",
            "sk-svcacct-",
            "nvapi-",
            "github_pat_",
            "glpat-",
            "gldt-",
            "glrt-",
            "xoxb-",
            "xoxp-",
            "xoxa-",
            "xapp-",
            "AIza",
            "ya29.",
            "GOCSPX-",
            "hvs.",
            "dckr_pat_",
            "sq0atp-",
            "glsa_",
        ],
        word,
    );
    kinds.extend(of(
        &[
            "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "npm_", "lin_api_", "sk_live_", "rk_test_",
            "whsec_", "hf_", "gsk_", "xai-", "r8_", "phc_",
        ],
        plain,
    ));
    kinds.extend(of(&["dop_v1_", "shpat_", "pul-"], "0123456789abcdef0123456789abcdef"));
    kinds.extend(of(&["AKIA", "ASIA", "NRAK-"], "IOSFODNN7EXAMPLE7QRS"));
    kinds.push(format!("SG.{}.{plain}", &word[..22]));
    kinds.push(format!("eyJhbGciOiJIUzI1NiJ9.{plain}.{word}"));
    kinds
}

/// What must be found nowhere: the kinds, and the configured key as it is and in other forms.
fn hidden() -> Vec<String> {
    let mut all = kinds();
    all.push(KEY.to_owned());
    all.push(KEY.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"));
    // The inner letters of its base64, as they stand at the start of a text.
    all.push("Y29ycmVjdC1ob3JzZS9iYXR0ZXJ5K3N0YXBsZT0".to_owned());
    all
}

fn finds(place: &str, bytes: &[u8]) {
    for secret in hidden() {
        let found = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
        assert!(!found, "{} in {place}", &secret[..8]);
    }
}

#[test]
fn no_secret_is_in_any_sink() {
    let all = kinds().join(" ");
    assert!(40 <= kinds().len());
    let input = |name: &str, text: &str| format!("{{ {name} = {text:?} }}");
    let said = input("command", "cat secrets.txt; base64 -w0 key.txt; echo; cat url.txt");
    // Its two halves come in two writes.
    let halves = "while read a; do printf %s \"${a%?????????}\"; sync; echo \"${a#\"${a%?????????}\"}\"; done < secrets.txt";
    let halves = input("command", &halves.replace("${", "$${"));
    let declared = input("summary", &format!("Two is two.\n{all}"));
    let made_up = format!("{{ path = \"new.txt\", text = {all:?} }}");
    let engineer = [
        ("", all.as_str()),
        ("read_file", r#"{ path = "secrets.txt" }"#),
        ("search", r#"{ pattern = "Ab3d" }"#),
        ("run_command", said.as_str()),
        ("run_command", halves.as_str()),
        ("write_file", made_up.as_str()),
        FIX,
        ("hand_over_change", declared.as_str()),
    ];
    let story = Story::new(&script(&engineer, &[PASS]));
    story.write("secrets.txt", &(kinds().join("\n") + "\n"));
    story.write("key.txt", KEY);
    story.write("url.txt", &KEY.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D"));
    std::fs::write(story.home.join("key"), KEY).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(story.home.join("key"), mode).unwrap();
    let config = std::fs::read_to_string(story.home.join("config.toml")).unwrap();
    let key = story.home.join("key");
    story.configure(&format!("{config}api_key_file = {key:?}\n"));
    let output = story.run(&["run", "--json", &format!("two is three: {all} {KEY}")]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    finds("what a run prints", &output.stdout);
    finds("what a run complains", &output.stderr);
    for args in [
        &["board", "--json"][..],
        &["task", "T1", "--json"],
        &["task", "T1"],
        &["log", "--json"],
        &["explain", "A1", "--json"],
        &["replay", "R2.1"],
        &["answer", "A1", "reject", &format!("no: {all}")],
        &["log"],
        &["doctor"],
    ] {
        let output = story.run(args);
        finds(&format!("{args:.2?}"), &output.stdout);
        finds(&format!("{args:.2?} (error)"), &output.stderr);
    }
    let mut files = 0;
    for dir in std::fs::read_dir(&story.state).unwrap().flatten() {
        for file in std::fs::read_dir(dir.path()).into_iter().flatten().flatten() {
            if file.file_type().unwrap().is_file() {
                finds(&file.file_name().to_string_lossy(), &std::fs::read(file.path()).unwrap());
                files += 1;
            }
        }
    }
    assert!(2 <= files, "the database was looked at");
    // They were there to be found, and a made-up key in a file was refused with what to do.
    let told = crate::liars::told(&story);
    assert!(told.contains("[redacted]") && told.contains("Don't write keys"), "{told}");
    assert!(!story.git(&["show", "main"]).contains("new.txt"));
}

/// The next test, as somebody who is not root.
#[test]
fn another_program_of_the_same_user_cannot_look_into_baton() {
    if is_root() {
        again_as_ordinary_user(
            "safe::secrets::another_program_of_the_same_user_cannot_look_into_baton",
        );
        return;
    }
    let start = |program: &std::path::Path, args: &[&str]| {
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let environ = |pid: u32| std::fs::read(format!("/proc/{pid}/environ"));
    let cat = start(std::path::Path::new("/bin/cat"), &[]);
    assert!(environ(cat.id()).is_ok());
    let mut baton = start(&launcher(), &["lsp", "--in-process"]);
    wait_for("it closes itself", Duration::from_secs(20), || environ(baton.id()).is_err());
    assert_eq!(baton.try_wait().unwrap(), None, "it is alive");
    for mut it in [cat, baton] {
        it.kill().unwrap();
        it.wait().unwrap();
    }
}
