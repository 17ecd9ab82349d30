//! `docs/protocol.md` and the clients' types say what the server's types say.

use std::path::Path;

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

#[test]
fn the_clients_types_are_written_from_the_servers() {
    let written = [
        ("editors/vscode/src/protocol.gen.ts", baton::protocol::typescript()),
        ("editors/nvim/lua/baton/protocol/gen.lua", baton::protocol::lua()),
    ];
    for (path, generated) in written {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &generated).unwrap();
        }
        let found = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(found == generated, "{path} is stale: run with UPDATE=1");
    }
}
