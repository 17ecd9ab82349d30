//! What is read as a definition, and where it ends.

use super::*;

fn outline(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let show = |it: &Definition| format!("{} {}-{}", it.name, it.lines.start + 1, it.lines.end);
    definitions(&lines, 0..lines.len()).iter().map(show).collect()
}

#[test]
fn python() {
    let text = "import os\n\n@cached\ndef add(\n    a,\n):\n    \"\"\"Adds.\n\nNot indented.\n    \"\"\"\n    return a\n\n\nclass Cart(Base):\n    size = 1\n\n    def total(self):\n        return 0\n\nasync def go(): pass\nX = 1\n";
    assert_eq!(outline(text), ["add 3-11", "class Cart 14-18", "go 20-20"]);
    let lines: Vec<&str> = text.lines().collect();
    let all = definitions(&lines, 0..lines.len());
    let methods = definitions(&lines, inside(&all[1]));
    assert_eq!((methods[0].name.as_str(), methods[0].lines.clone()), ("total", 16..18));
}

#[test]
fn rust() {
    let text = "use a::b;\n\n#[derive(Debug)]\npub struct Cart {\n    n: u32,\n}\n\nimpl<T> Show for Cart<T> {\n    fn show(&self) {}\n}\n\npub(crate) async fn long(\n    a: u32,\n) -> u32\nwhere\n    T: X,\n{\n    if a {\n        1\n    } else {\n        2\n    }\n}\nfn short() -> u32 { 1 }\n";
    assert_eq!(
        outline(text),
        ["struct Cart 3-6", "impl Show for Cart<T> 8-10", "long 12-23", "short 24-24"]
    );
}

#[test]
fn other_languages() {
    let go =
        "func (c *Cart) Total() int {\n\treturn 0\n}\n\nfunc add(a int) int {\n\treturn a\n}\n";
    assert_eq!(outline(go), ["Total 1-3", "add 5-7"]);
    let js = "export default function add(a, b) {\n  return a;\n}\n\nconst half = (n) => {\n  return n;\n};\n";
    assert_eq!(outline(js), ["add 1-3", "half 5-7"]);
    let ruby = "def add(a)\n  a\nend\n\ndef b\n  1\nend\n";
    assert_eq!(outline(ruby), ["add 1-3", "b 5-7"]);
    assert_eq!(outline("one = 1\ntwo = 3\n"), [""; 0]);
    assert_eq!(outline("deferred = 1\nfunctional()\n"), [""; 0]);
}

/// Nothing that can be typed makes it fall over, and no definition reaches over another.
#[test]
fn any_text_has_an_outline() {
    let words =
        ["def a():", "  fn b() {", "}", "", "\"\"\"", "impl {", "class", "\tend", "@x", "ü("];
    let mut state = 7_usize;
    for _ in 0..2_000 {
        let mut pick = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1442695040888963407);
            words[(state >> 33) % words.len()]
        };
        let lines: Vec<&str> = (0..12).map(|_| pick()).collect();
        let found = definitions(&lines, 0..lines.len());
        for pair in found.windows(2) {
            assert!(pair[0].lines.end <= pair[1].lines.start, "{lines:?} {found:?}");
        }
        assert!(found.iter().all(|it| it.lines.contains(&it.signature)), "{lines:?} {found:?}");
    }
}
