//! What the settings file promises.

use settings::{get, parse};

#[test]
fn reads_keys_and_values() {
    let settings = parse("name = Ada\ncolour=blue\n");
    assert_eq!(get(&settings, "name"), Some("Ada"));
    assert_eq!(get(&settings, "colour"), Some("blue"));
}

#[test]
fn skips_comments_and_empty_lines() {
    let settings = parse("# a comment\n\n  \nsize = 3\n");
    assert_eq!(settings.len(), 1);
}

#[test]
fn the_last_setting_wins() {
    let settings = parse("size = 3\nsize = 4\n");
    assert_eq!(get(&settings, "size"), Some("4"));
}
