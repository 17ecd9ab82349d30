//! Puts the blocks of a reply into their files: all that fit, in one go, or none.

use super::fence::{self, Fence};
use super::{Shown, merge};
use crate::agent::edit::report;
use crate::agent::files::{Content, Files, content};
use crate::agent::patch;
use crate::clean::REDACTED;
use std::collections::BTreeMap;

/// Files as they will be, with what they are; `None`: no such file yet.
type Scene = BTreeMap<String, (Option<String>, String)>;

/// Puts the blocks into the files; gives the diffs. The error is for the model, and then nothing is
/// changed.
pub fn put(files: &Files, shown: &[Shown], reply: &str) -> Result<String, String> {
    let mut scene: Scene = BTreeMap::new();
    let mut refused = None;
    for fence in fence::read(reply) {
        if fence.text.contains(REDACTED) {
            refused.get_or_insert(format!(
                "Your block holds {REDACTED}, which stands for something that looks like a key and was taken out. Leave that line out of what you change."
            ));
            continue;
        }
        if let Err(why) = place(files, shown, &fence, &mut scene) {
            refused.get_or_insert(why);
        }
    }
    let changed: Vec<_> =
        scene.iter().filter(|(_, (before, after))| before.as_ref() != Some(after)).collect();
    if changed.is_empty() {
        let same = "Your block is what stands there already; nothing is changed. Correct it.";
        return Err(refused.unwrap_or(same.to_owned()));
    }
    let bytes = |it: &String| it.as_bytes().to_vec();
    let writes = changed
        .iter()
        .map(|(path, (before, after))| ((*path).clone(), before.as_ref().map(bytes), bytes(after)));
    patch::write_all(files, writes.collect())?;
    let said = changed
        .iter()
        .map(|(path, (before, after))| report(path, before.as_deref().unwrap_or_default(), after));
    Ok(said.collect::<Vec<_>>().join("\n"))
}

fn place(files: &Files, shown: &[Shown], fence: &Fence, scene: &mut Scene) -> Result<(), String> {
    if let Some(path) = named(files, shown, fence)? {
        let text = current(files, &path, scene)?;
        let block = without_path(&fence.text, &path, text.as_deref());
        let after = match &text {
            Some(text) => merge::merge(text, &block, &of(shown, &path))
                .map_err(|why| format!("{path}: {why}"))?,
            None => block,
        };
        keep(scene, path, text, after);
        return Ok(());
    }
    let mut paths: Vec<&String> = shown.iter().map(|it| &it.path).collect();
    paths.dedup();
    let (mut fits, mut refused) = (Vec::new(), None);
    for path in paths {
        let Some(text) = current(files, path, scene)? else { continue };
        match merge::merge(&text, &fence.text, &of(shown, path)) {
            Ok(after) => fits.push((path.clone(), text, after)),
            Err(why) => drop(refused.get_or_insert(format!("{path}: {why}"))),
        }
    }
    match fits.len() {
        1 => {
            for (path, text, after) in fits {
                keep(scene, path, Some(text), after);
            }
            Ok(())
        }
        0 => Err(refused.unwrap_or(
            "It is not clear which file your block belongs to. Write the file's path right behind the opening ```."
                .to_owned(),
        )),
        _ => {
            let paths: Vec<_> = fits.iter().map(|it| it.0.as_str()).collect();
            Err(format!(
                "Your block fits into {}. Write the file's path right behind the opening ```.",
                paths.join(" and ")
            ))
        }
    }
}

fn keep(scene: &mut Scene, path: String, before: Option<String>, after: String) {
    scene.entry(path).and_modify(|it| it.1.clone_from(&after)).or_insert((before, after));
}

fn of(shown: &[Shown], path: &str) -> Vec<Shown> {
    shown.iter().filter(|it| it.path == path).cloned().collect()
}

/// The text of a file, as the blocks before have left it.
fn current(files: &Files, path: &str, scene: &Scene) -> Result<Option<String>, String> {
    if let Some((_, now)) = scene.get(path) {
        return Ok(Some(now.clone()));
    }
    if !files.is_there(path)? {
        return Ok(None);
    }
    match content(files.read(path)?) {
        Content::Text(text) => Ok(Some(text)),
        Content::Lossy(_) | Content::Binary => {
            Err(format!("`{path}` is no plain text; leave it as it is"))
        }
    }
}

/// The file that a block names: behind its fence, above it, or in a comment on its first line. A new file
/// must be named behind the fence.
fn named(files: &Files, shown: &[Shown], fence: &Fence) -> Result<Option<String>, String> {
    let info = words(&fence.info);
    let above = words(&fence.above);
    let first = first_comment(&fence.text).map(words).unwrap_or_default();
    // `python3.11` behind a fence is a language.
    let is_ending = |it: &str| !it.is_empty() && it.chars().all(char::is_alphabetic);
    let is_path = |it: &&&str| it.rsplit_once('.').is_some_and(|it| is_ending(it.1));
    let known = |it: &&&str| shown.iter().any(|shown| shown.path == **it);
    if let Some(path) = [&info, &above, &first].into_iter().flatten().find(known) {
        return Ok(Some((*path).to_owned()));
    }
    let Some(path) = info.iter().find(is_path) else { return Ok(None) };
    // The rules of every writing tool hold for its name, whatever is in it.
    files.writable(path).map(Some)
}

fn words(text: &str) -> Vec<&str> {
    let breaks = |it: char| it.is_whitespace() || "\"'`=,;()<>*:".contains(it);
    text.split(breaks).map(|it| it.trim_start_matches("./")).filter(|it| !it.is_empty()).collect()
}

fn first_comment(text: &str) -> Option<&str> {
    let line = text.lines().find(|it| !it.trim().is_empty())?.trim();
    let marks = ["//", "#", "--", "/*", "<!--"];
    marks.iter().any(|it| line.starts_with(it)).then_some(line)
}

/// The block without a first line that only names its file.
fn without_path(block: &str, path: &str, text: Option<&str>) -> String {
    let names = first_comment(block).is_some_and(|line| {
        words(line).contains(&path)
            && !text.is_some_and(|text| text.lines().any(|it| it.trim() == line))
    });
    match names {
        true => {
            let blank = block.lines().take_while(|it| it.trim().is_empty()).count();
            block.lines().skip(blank + 1).map(|it| format!("{it}\n")).collect()
        }
        false => block.to_owned(),
    }
}
