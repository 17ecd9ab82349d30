//! What the `test` script of a package.json runs, as far as it can be told without a shell.

use serde::Deserialize;
use std::collections::BTreeMap;

/// What npm writes where nobody said anything.
const NONE: &str = "no test specified";

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Script {
    Vitest,
    Jest,
    /// `node --test` with these flags and files, and nothing that needs a shell.
    NodeTest {
        flags: Vec<String>,
    },
    NodeTestInShell,
    /// Only its exit code speaks.
    Other,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    scripts: BTreeMap<String, serde_json::Value>,
}

/// `None`: there is no such script.
pub(super) fn test_script(package: &str) -> Option<Script> {
    let package: Package = serde_json::from_str(package).ok()?;
    let text = |name: &str| package.scripts.get(name).and_then(|it| it.as_str());
    let script = text("test").filter(|it| !it.contains(NONE))?.trim();
    let around = text("pretest").is_some() || text("posttest").is_some();
    let needs_shell = |it: char| "&|;<>()$`\\\"'*?[]{}~#!".contains(it);
    // What is appended reaches the last command of the line alone.
    let last = script.rsplit(['&', '|', ';']).next().unwrap_or_default();
    let words: Vec<&str> = last.split_whitespace().collect();
    let words: &[&str] = match words.iter().position(|it| !is_before(it)) {
        Some(n) => &words[n..],
        None => return Some(Script::Other),
    };
    Some(match words {
        ["vitest", "watch" | "dev" | "bench" | "typecheck" | "list", ..] => Script::Other,
        ["vitest", ..] => Script::Vitest,
        ["jest" | "react-scripts", ..] if words[0] == "jest" || words.get(1) == Some(&"test") => {
            Script::Jest
        }
        ["node", rest @ ..] if rest.contains(&"--test") => {
            let plain = !around
                && !script.contains(needs_shell)
                && script.split_whitespace().next() == Some("node");
            let flags = rest.iter().filter(|it| **it != "--test").map(|it| it.to_string());
            if plain && !rest.iter().any(|it| it.starts_with("--test-reporter")) {
                Script::NodeTest { flags: flags.collect() }
            } else {
                Script::NodeTestInShell
            }
        }
        _ => Script::Other,
    })
}

/// What may stand before the runner's own name.
fn is_before(word: &str) -> bool {
    let is_assignment = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|it| it.is_ascii_uppercase() || it == '_')
    });
    is_assignment || matches!(word, "npx" | "cross-env" | "env" | "exec" | "pnpm" | "yarn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(script: &str) -> Option<Script> {
        test_script(&serde_json::json!({ "scripts": { "test": script } }).to_string())
    }

    #[test]
    fn tells_the_runners_apart() {
        use Script::{Jest, NodeTestInShell, Other, Vitest};
        for (script, what) in [
            ("vitest", Vitest),
            ("tsc --noEmit && vitest run", Vitest),
            ("NODE_ENV=test npx vitest run --coverage", Vitest),
            ("cross-env CI=1 jest", Jest),
            ("react-scripts test", Jest),
            ("node --test 'src/**/*.test.js'", NodeTestInShell),
            ("npm run build && node --test", NodeTestInShell),
            ("vitest run && eslint .", Other),
            ("vitest bench", Other),
            ("mocha", Other),
            ("react-scripts lint", Other),
            ("make test", Other),
        ] {
            assert_eq!(of(script), Some(what), "{script}");
        }
        let flags = ["--experimental-vm-modules", "test/"].map(String::from).to_vec();
        assert_eq!(
            of("node --experimental-vm-modules --test test/"),
            Some(Script::NodeTest { flags })
        );
    }

    #[test]
    fn no_script_is_no_check() {
        assert_eq!(of("echo \"Error: no test specified\" && exit 1"), None);
        for package in ["{}", "", "[]", "{\"scripts\":{}}"] {
            assert_eq!(test_script(package), None, "{package}");
        }
        let around = r#"{"scripts":{"test":"node --test","pretest":"tsc"}}"#;
        assert_eq!(test_script(around), Some(Script::NodeTestInShell));
    }
}
