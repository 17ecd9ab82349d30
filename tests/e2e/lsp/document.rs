//! `docs/protocol.md` says what the types say.

const START: &str = "<!-- generated: UPDATE=1 cargo test -p baton --test e2e document -->\n";
const END: &str = "<!-- end of the generated part -->\n";

#[test]
fn the_documentation_is_written_from_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(START).expect("the start mark");
    let (written, after) = rest.split_once(END).expect("the end mark");
    let generated = format!("\n{}\n", baton::protocol::describe());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, format!("{before}{START}{generated}{END}{after}")).unwrap();
        return;
    }
    assert!(written == generated, "docs/protocol.md is stale: run with UPDATE=1");
}
