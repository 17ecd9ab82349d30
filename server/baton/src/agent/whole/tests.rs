//! What follows from a reply, and what is shown.

use super::*;
use crate::agent::files::Files;
use expect_test::expect;
use team::Class;

fn frame(duty: Duty) -> Frame {
    Frame {
        duty,
        words: "the sum is wrong".to_owned(),
        shown: vec![Shown { path: "a.py".to_owned(), first_line: 3, last_line: 9, whole: false }],
        checks: vec![Required { name: "test".to_owned(), failing_before: vec!["t::a".to_owned()] }],
        head: Some(CommitId("a".repeat(40))),
        receipts: vec!["R4.1".parse().unwrap()],
        at_once: None,
    }
}

fn deeds(duty: Duty, reply: &str, is_last: bool) -> String {
    match frame(duty).deeds(reply, Ending::Whole, is_last) {
        Ok(deeds) => {
            let show = |it: &Deed| format!("{} {}", it.name, it.input);
            deeds.iter().map(show).collect::<Vec<_>>().join("\n")
        }
        Err(why) => format!("ERROR {why}"),
    }
}

#[test]
fn a_block_is_placed_checked_and_handed_over() {
    let reply = "It added one too many.\n\n```python\ndef total():\n    return 1\n```\n";
    expect![[r#"
        place {"reply":"It added one too many.\n\n```python\ndef total():\n    return 1\n```\n"}
        run_check {"name":"test"}
        hand_over_change {"summary":"It added one too many.","look_first":"a.py:3","risks":["written in whole blocks: no reproducing test was made, and the model saw only the code it was shown"]}"#]]
    .assert_eq(&deeds(Duty::Build, reply, false));
    for reply in ["", "I fixed it, all tests pass.", "```\n```", "```json\n```\n```\n```\n"] {
        assert!(deeds(Duty::Build, reply, false).contains("no fenced block"), "{reply}");
    }
    let cut = frame(Duty::Build).deeds("```\ndef a():\n  retu", Ending::CutOff, false);
    assert!(cut.unwrap_err().contains("cut off"));
    // A whole block before the cut counts.
    let fine = frame(Duty::Build).deeds("```\ndef a(): pass\n```\nAnd so", Ending::CutOff, false);
    assert_eq!(fine.unwrap().len(), 3);
}

#[test]
fn triage_is_by_rule_where_words_leave_no_doubt() {
    let rule = |words: &str| judge::class_by_rule(words).map(Class::name);
    assert_eq!(rule("Why is the page empty?"), Some("question"));
    assert_eq!(rule("where are retries capped"), Some("question"));
    assert_eq!(rule("Fix the typo in the README"), Some("docs"));
    assert_eq!(rule("Add a flag --json"), Some("feature"));
    assert_eq!(rule("rename foo to bar"), Some("refactor"));
    assert_eq!(rule("total() returns 4 instead of 3"), Some("bug"));
    assert_eq!(rule("When the list is empty, mean returns nothing"), None);
    let reply = "Sure!\n```json\n{\"class\": \"Feature\", \"severity\": \"urgent\", \"criteria\": [\"x\"]}\n```";
    expect![[r#"hand_over_triage {"class":"feature","severity":"medium","summary":"the sum is wrong","criteria":["x"]}"#]]
        .assert_eq(&deeds(Duty::Triage, reply, false));
    assert!(deeds(Duty::Triage, "It is a question.", false).starts_with("ERROR"));
    expect![[r#"hand_over_triage {"class":"bug","severity":"medium","summary":"the sum is wrong","criteria":["the sum is wrong"]}"#]]
        .assert_eq(&deeds(Duty::Triage, "It is a question.", true));
}

#[test]
fn the_model_can_make_a_fail_of_a_pass_and_never_the_reverse() {
    let fail = r#"```json
{"verdict": "fail", "notes": "total([]) raises"}
```"#;
    assert!(deeds(Duty::Validate, fail, false).contains(r#""verdict":"fail""#));
    for reply in [r#"{"verdict":"pass","notes":""}"#, r#"{"verdict":"PASS"}"#] {
        let said = deeds(Duty::Validate, reply, false);
        assert!(said.contains(r#""verdict":"pass""#) && said.contains("R4.1"), "{said}");
    }
    // No words: asked once more, then the receipts alone.
    for reply in ["looks good", "", "{", r#"{"verdict": "fail"}"#] {
        assert!(deeds(Duty::Validate, reply, false).starts_with("ERROR"), "{reply}");
        assert!(deeds(Duty::Validate, reply, true).contains("By the server's receipts"), "{reply}");
    }
    // Without receipts silence is no pass.
    let bare = Frame { receipts: vec![], ..frame(Duty::Validate) };
    assert_eq!(bare.deeds("looks good", Ending::Whole, true).unwrap()[0].name, "decline");
    // A pass that the gates refuse is a fail, and that one is not doubled.
    let refused = json!({"verdict": "pass", "head": "a", "receipts": [], "notes": ""});
    let next = bare.after_refusal(&refused, "R4.1 is red").unwrap();
    assert_eq!((&next.input["verdict"], next.name), (&json!("fail"), "hand_over_verdict"));
    assert_eq!(bare.after_refusal(&next.input, "no"), None);
}

#[test]
fn a_red_check_is_no_worse_only_by_name() {
    let tests = |passed, failing: &[&str]| team::Tests {
        passed,
        failed: u32::try_from(failing.len()).unwrap(),
        failing: failing.iter().map(|it| (*it).to_owned()).collect(),
        ..team::Tests::default()
    };
    let no_worse = |it: Option<team::Tests>| frame(Duty::Build).is_no_worse("test", it.as_ref());
    assert!(no_worse(Some(tests(3, &["t::a"]))));
    assert!(!no_worse(Some(tests(3, &["t::a", "t::b"]))));
    assert!(!no_worse(Some(tests(0, &["t::a"]))), "nothing passed");
    assert!(!no_worse(None), "an exit code alone");
}

#[test]
fn fences_are_read_as_models_write_them() {
    let texts = |reply: &str| -> Vec<String> {
        fence::read(reply)
            .into_iter()
            .map(|it| format!("{}|{}|{}", it.info, it.above, it.text))
            .collect()
    };
    assert_eq!(texts("See a.py:\n```py\nx\n```\nb\n~~~\ny\n~~~"), ["py|See a.py:|x\n", "|b|y\n"]);
    assert_eq!(texts("````md\n```\nx\n```\n````"), ["md||```\nx\n```\n"]);
    assert_eq!(texts("1. so\n   ```\n   x\n     y\n   ```"), ["|1. so|x\n  y\n"]);
    assert_eq!(texts("```\nopen"), ["||open\n"]);
    assert_eq!(fence::prose("Say `x`.\n```\ncode\n```\nDone."), "Say `x`. Done.");
}

const CART: &str = "\"\"\"Carts.\"\"\"\nimport math\n\nTAX = 0.2\n\n\n@cached\ndef net(prices):\n    return sum(prices)\n\n\nclass Cart:\n    def __init__(self):\n        self.prices = []\n\n    def total(self):\n        return net(self.prices) * 2\n\n    def size(self):\n        return len(self.prices)\n";

fn merged(block: &str) -> String {
    let shown = [Shown { path: "cart.py".to_owned(), first_line: 1, last_line: 20, whole: true }];
    merge::merge(CART, block, &shown).unwrap_or_else(|why| format!("ERROR {why}"))
}

#[test]
fn a_function_takes_the_place_of_its_old_self() {
    let new = "def net(prices):\n    return math.fsum(prices)\n";
    assert_eq!(merged(new), CART.replace("return sum(", "return math.fsum("));
    // A method, alone, without its indentation or with its class around it.
    let fixed = CART.replace("self.prices) * 2", "self.prices) * (1 + TAX)");
    let alone = "def total(self):\n    return net(self.prices) * (1 + TAX)\n";
    assert_eq!(merged(alone), fixed);
    let indented = "    def total(self):\n        return net(self.prices) * (1 + TAX)";
    assert_eq!(merged(indented), fixed);
    let in_class =
        "class Cart:\n    def total(self):\n        return net(self.prices) * (1 + TAX)\n";
    assert_eq!(merged(in_class), fixed, "the other methods were not meant to go");
    // The whole file.
    assert_eq!(merged(&fixed), fixed);
}

#[test]
fn what_stands_around_a_function_comes_along() {
    let new = "import math\nfrom decimal import Decimal\n\nTAX = 0.19\n\ndef rounded(n):\n    return round(n)\n\ndef net(prices):\n    return rounded(sum(prices))\n\nprint(net([1]))\n";
    let after = merged(new);
    let expected = CART
        .replace("import math\n", "import math\nfrom decimal import Decimal\n")
        .replace("0.2", "0.19")
        .replace("@cached\ndef net(prices):\n    return sum", "@cached\ndef rounded(n):\n    return round(n)\n\n\ndef net(prices):\n    return rounded(sum")
        .replace("sum(prices)\n", "sum(prices))\n");
    assert_eq!(after, expected);
}

#[test]
fn what_cannot_be_told_is_refused() {
    for (block, why) in [
        ("print(1)\n", "no function of it"),
        ("def gross(prices):\n    return 1\n", "defines no `gross`"),
        ("def net(prices):\n    # ... rest of the code\n    return 1\n", "leaves lines out"),
        ("def net(prices):\n    ...\n", "leaves lines out"),
        (
            "class Cart:\n    # existing code unchanged\n    def total(self):\n        return 1\n",
            "leaves",
        ),
    ] {
        let said = merged(block);
        assert!(said.starts_with("ERROR") && said.contains(why), "{block}\n{said}");
    }
    let twins = "impl A {\n    fn new() {}\n}\nimpl B {\n    fn new() {}\n}\n";
    let said = merge::merge(twins, "fn new() { 1 }\n", &[]).unwrap_err();
    assert!(said.contains("lines 2 and 5"), "{said}");
    let second = [Shown { path: "a".to_owned(), first_line: 5, last_line: 5, whole: false }];
    let after = merge::merge(twins, "fn new() { 1 }\n", &second).unwrap();
    assert_eq!(after, "impl A {\n    fn new() {}\n}\nimpl B {\n    fn new() { 1 }\n}\n");
    // A part of a text without functions is not the whole of it.
    let lines = "one = 1\ntwo = 3\nthree = 3\n";
    assert!(merge::merge(lines, "two = 2\n", &[]).is_err());
    assert_eq!(
        merge::merge(lines, "one = 1\ntwo = 2\nthree = 3", &[]).unwrap(),
        "one = 1\ntwo = 2\nthree = 3\n"
    );
}

/// Whatever a reply holds: every line outside of the function that it names stays.
#[test]
fn random_blocks_leave_the_other_functions_alone() {
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut state = seed.as_nanos() as u64 | 1;
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "seed {state}");
    let seed = state;
    let words =
        ["    x = 1", "", "  # note", "        y", "}", "    return 2", "\t\tz", "    \"\"\"", "é"];
    let mut placed = 0;
    for round in 0..2_000 {
        let mut pick = |max: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % max as u64) as usize
        };
        let body: Vec<&str> = (0..pick(6)).map(|_| words[pick(words.len())]).collect();
        let block = format!("def net(prices):\n{}\n", body.join("\n"));
        let after = merged(&block);
        if after.starts_with("ERROR") {
            continue;
        }
        placed += 1;
        let (head, tail) = CART.split_once("def net(prices):\n    return sum(prices)\n").unwrap();
        assert!(after.starts_with(head), "seed {seed} round {round}: {block:?}");
        assert!(after.ends_with(tail), "seed {seed} round {round}: {block:?}\n{after}");
    }
    assert!(1_000 < placed);
}

fn slot(list: &[(&str, &str)]) -> (tempfile::TempDir, Files) {
    let temp = tempfile::tempdir().unwrap();
    for (path, text) in list {
        let path = temp.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let files = Files::open(temp.path(), &[]).unwrap();
    (temp, files)
}

fn shown(path: &str) -> Shown {
    Shown { path: path.to_owned(), first_line: 1, last_line: 9, whole: true }
}

#[test]
fn blocks_go_into_the_files_they_name_or_none_does() {
    let (temp, files) = slot(&[("cart.py", CART), ("util.py", "def net(a):\n    return a\n")]);
    let read = |path: &str| std::fs::read_to_string(temp.path().join(path)).unwrap();
    let both = [shown("cart.py"), shown("util.py")];
    let block = "def net(a):\n    return a + 1\n";
    let why = put::put(&files, &both, &format!("```python\n{block}```")).unwrap_err();
    assert!(why.contains("cart.py and util.py"), "{why}");
    for reply in [
        format!("```util.py\n{block}```"),
        format!("```python util.py\n{block}```"),
        format!("In `util.py`:\n```python\n{block}```"),
        format!("```python\n# util.py\n{block}```"),
    ] {
        std::fs::write(temp.path().join("util.py"), "def net(a):\n    return a\n").unwrap();
        let said = put::put(&files, &both, &reply).unwrap();
        assert!(said.contains("util.py +1 -1"), "{said}");
        assert_eq!(read("util.py"), block, "{reply}");
        assert_eq!(read("cart.py"), CART);
    }
    // What stands there already is no change, and an example beside the fix is no harm.
    assert!(put::put(&files, &both, &format!("```util.py\n{block}```")).is_err());
    let fix =
        "```util.py\ndef net(a):\n    return a\n```\nUse it:\n```python\nprint(net(1))\n```\n";
    put::put(&files, &both, fix).unwrap();
    assert_eq!(read("util.py"), "def net(a):\n    return a\n");
}

#[test]
fn no_block_reaches_what_no_tool_may_write() {
    let (temp, files) = slot(&[("cart.py", CART), (".baton/team.toml", "version = 1\n")]);
    let shown = [shown("cart.py")];
    for path in ["../out.py", "/etc/cron.d/x.py", ".git/hooks/a.sh", ".baton/team.toml", "a/.env"] {
        let reply = format!("```{path}\nx = 1\n```\n");
        assert!(put::put(&files, &shown, &reply).is_err(), "{path}");
    }
    assert_eq!(
        std::fs::read_to_string(temp.path().join(".baton/team.toml")).unwrap(),
        "version = 1\n"
    );
    assert_eq!(std::fs::read_to_string(temp.path().join("cart.py")).unwrap(), CART);
    assert!(!temp.path().join(".git").exists());
    assert!(put::put(&files, &shown, "```python3.11\nx = 1\n```\n").is_err(), "a language");
    // A new file has its name behind the fence.
    put::put(&files, &shown, "```python tests/new.py\nx = 1\n```\n").unwrap();
    assert_eq!(std::fs::read_to_string(temp.path().join("tests/new.py")).unwrap(), "x = 1\n");
}

#[test]
fn the_code_that_is_named_is_shown() {
    let long: String =
        (0..400).map(|n| format!("def f{n}(a):\n    return a + {n}\n\n\n")).collect();
    let (_temp, files) = slot(&[
        ("src/cart.py", CART),
        ("src/long.py", &long),
        (
            "tests/test_cart.py",
            "from cart import Cart\n\ndef test_total():\n    assert Cart().total() == 0\n",
        ),
        ("README.md", "The cart has a total.\n"),
    ]);
    let show = |words: &str, output: &str| {
        let failing = Failing {
            receipt: "R2.1".parse().unwrap(),
            what: "pytest".into(),
            output: output.into(),
        };
        let facts = Facts { words: words.into(), failing: vec![failing], ..Facts::default() };
        let code = show::code(&files, &facts);
        assert!(code.text.len() < 12_000);
        code.shown
            .iter()
            .map(|it| format!("{}:{}-{}", it.path, it.first_line, it.last_line))
            .collect::<Vec<_>>()
    };
    assert_eq!(show("total() doubles the price", "")[0], "src/cart.py:1-20");
    assert_eq!(
        show("f77 is off by one", ""),
        [""; 0],
        "a name of three letters alone says nothing"
    );
    assert_eq!(show("`f77` is off by one", "")[0], "src/long.py:309-310");
    let traceback = "  File \"/tmp/x/src/long.py\", line 42, in f10\n";
    assert_eq!(show("it crashes", traceback)[0], "src/long.py:41-42");
    let (_temp, files) =
        slot(&[("check.sh", "grep two list.txt\n"), ("list.txt", "two = 3\nthree = 3\n")]);
    let failing = Failing {
        receipt: "R2.1".parse().unwrap(),
        what: "sh check.sh".into(),
        output: "sh check.sh: exit 1".into(),
    };
    let facts = Facts { words: "two is three".into(), failing: vec![failing], ..Facts::default() };
    assert_eq!(show::code(&files, &facts).shown[0].path, "list.txt", "the check is not at fault");
}
