//! The docs lead somewhere: links resolve, no page is an orphan, decisions have one form, and a
//! command that a page names is one that `baton` has.

use crate::lexer::line_of;
use crate::none;
use crate::readme::commands;
use crate::tree::{File, tree};

fn pages() -> impl Iterator<Item = &'static File> {
    let is_page = |it: &&File| it.path.ends_with(".md") && !it.is_fixture();
    tree().files.iter().filter(is_page)
}

#[test]
fn links_resolve() {
    let mut found = Vec::new();
    for page in pages() {
        let text = prose(&page.text);
        for (at, link) in links(&text) {
            if let Err(why) = resolve(&page.path, link) {
                found.push(format!("{}:{}: {link}: {why}", page.path, line_of(&text, at)));
            }
        }
    }
    none(found, "mend the link");
}

#[test]
fn no_page_is_an_orphan() {
    let mut linked = Vec::new();
    for page in pages() {
        let text = prose(&page.text);
        linked.extend(links(&text).filter_map(|(_, it)| resolve(&page.path, it).ok().flatten()));
    }
    let found = pages()
        .filter(|it| it.path.starts_with("docs/"))
        .filter(|it| !linked.contains(&it.path))
        .map(|it| it.path.clone())
        .collect();
    none(found, "link it from README.md or from a page that is linked there");
}

#[test]
fn decisions_have_one_form() {
    let mut found = Vec::new();
    let folder = "docs/decisions/";
    let records: Vec<&File> = pages().filter(|it| it.path.starts_with(folder)).collect();
    assert!(!records.is_empty(), "no decision is recorded");
    for (i, record) in records.iter().enumerate() {
        let number = format!("{:04}", i + 1);
        if !record.path[folder.len()..].starts_with(&format!("{number}-")) {
            found.push(format!("{}: is number {number}", record.path));
        }
        if !record.text.starts_with(&format!("# {}. ", i + 1)) {
            found.push(format!("{}: the title is `# {}. ...`", record.path, i + 1));
        }
        for part in ["\n## Why\n", "\n## Decision\n", "\n## What follows\n"] {
            if !record.text.contains(part) {
                found.push(format!("{}: no `{}`", record.path, part.trim()));
            }
        }
    }
    none(found, "docs/decisions/0001-record.md shows the form");
}

#[test]
fn a_command_that_a_page_names_exists() {
    let mut found = Vec::new();
    // What is not there yet is named in the shortcomings only.
    for page in pages().filter(|it| it.path != "docs/shortcomings.md") {
        for (at, _) in page.text.match_indices("`baton ") {
            let rest = &page.text[at + "`baton ".len()..];
            let word: &str =
                rest.split(|it: char| !it.is_ascii_lowercase() && it != '_').next().unwrap();
            let is_known = word.starts_with("__") || commands().iter().any(|it| it == word);
            if !word.is_empty() && !is_known {
                found.push(format!("{}:{}: baton {word}", page.path, line_of(&page.text, at)));
            }
        }
    }
    none(found, "`baton --help` lists what there is");
}

/// The page with code (fenced or inline) blanked.
fn prose(text: &str) -> String {
    let mut res = String::with_capacity(text.len());
    let mut fence = None;
    for line in text.split_inclusive('\n') {
        let mark = line.trim_start().get(..3).filter(|it| ["```", "~~~"].contains(it));
        match (mark, fence) {
            (Some(mark), None) => fence = Some(mark),
            (Some(mark), Some(open)) if mark == open => fence = None,
            (None, None) => {
                res.push_str(&without_inline_code(line));
                continue;
            }
            (Some(_) | None, Some(_)) => (),
        }
        res.extend(line.chars().map(|it| if it == '\n' { '\n' } else { ' ' }));
    }
    res
}

fn without_inline_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    // A part with an odd number stands between two backticks.
    parts
        .map(|(i, part)| if i % 2 == 0 { part.to_owned() } else { " ".repeat(part.len()) })
        .collect::<Vec<_>>()
        .join("`")
}

/// Targets of `[text](target)` and of `[name]: target`.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let inline = text.match_indices("](").filter_map(|(at, it)| {
        let rest = &text[at + it.len()..];
        let end = rest.find([')', ' ', '\n'])?;
        Some((at, &rest[..end]))
    });
    let named = text.match_indices("]: ").filter_map(|(at, it)| {
        let start = text[..at].rfind('\n').map_or(0, |it| it + 1);
        let rest = &text[at + it.len()..];
        let is_definition = text[start..at].starts_with('[');
        is_definition.then(|| (at, rest.split_whitespace().next().unwrap_or_default()))
    });
    inline.chain(named)
}

/// The path that a link of this page leads to; none for one that leads out of the tree.
fn resolve(page: &str, link: &str) -> Result<Option<String>, String> {
    if ["http://", "https://", "mailto:"].iter().any(|it| link.starts_with(it)) {
        return Ok(None);
    }
    let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = match target {
        "" => page.to_owned(),
        _ => join(page, target).ok_or("leads out of the tree")?,
    };
    let is_folder = || {
        let folder = format!("{}/", path.trim_end_matches('/'));
        tree().paths.iter().any(|it| it.starts_with(&folder))
    };
    if !tree().paths.contains(&path) && !is_folder() {
        return Err("no such file".into());
    }
    if !anchor.is_empty() && path.ends_with(".md") {
        let text = &tree().file(&path).text;
        let mut slugs = text.lines().filter(|it| it.starts_with('#')).map(slug);
        if !slugs.any(|it| it == anchor) {
            return Err("no such heading".into());
        }
    }
    Ok(Some(path))
}

fn join(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => (),
            ".." => {
                parts.pop()?;
            }
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// As forges make anchors of headings.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}

#[test]
fn links_are_read_rightly() {
    let page = "a [b](c.md#d) `[e](f)` ![g](h.png)\n```\n[i](j)\n```\n[k]: l.md\n";
    let text = prose(page);
    let read: Vec<&str> = links(&text).map(|it| it.1).collect();
    assert_eq!(read, ["c.md#d", "h.png", "l.md"]);
    assert_eq!(join("docs/a.md", "../b/c.md").as_deref(), Some("b/c.md"));
    assert_eq!(join("a.md", "../c.md"), None);
    assert_eq!(slug("## What follows, `now`?"), "what-follows-now");
    assert!(resolve("README.md", "docs/none.md").is_err());
    assert!(resolve("README.md", "docs/style.md#none").is_err());
}
