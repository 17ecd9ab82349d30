//! Which folders a command sees, for homes of many shapes.

use super::*;

fn env(home: &Path, path: &[&Path]) -> Environment {
    let path = std::env::join_paths(path).unwrap();
    Environment::from_lookup(|name| match name {
        "HOME" => Some(home.to_string_lossy().into_owned()),
        "PATH" => Some(path.to_string_lossy().into_owned()),
        _ => None,
    })
}

fn dirs(root: &Path, names: &[&str]) {
    for name in names {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
}

fn command(slot: &Path, env: Environment) -> Confined {
    Confined::new(&["true".into()], slot, slot, env)
}

#[test]
fn a_home_gives_its_toolchains_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().canonicalize().unwrap();
    dirs(
        &home,
        &[
            ".ssh",
            ".cargo/bin",
            ".cargo/registry",
            ".rustup/toolchains",
            ".pyenv/shims",
            ".local/bin",
            ".local/lib",
            "tools/node/bin",
            "tools/node/lib",
            "bin",
            "repository/.git",
            "repository/bin",
        ],
    );
    let on_path = [
        ".cargo/bin",
        ".pyenv/shims",
        ".local/bin",
        "tools/node/bin",
        "bin",
        "repository",
        "repository/bin",
        "",
    ];
    let on_path: Vec<PathBuf> = on_path.iter().map(|it| home.join(it)).collect();
    let on_path: Vec<&Path> = on_path.iter().map(PathBuf::as_path).collect();
    let found = toolchains(&env(&home, &on_path));
    let expected =
        [".cargo/bin", ".local/bin", ".pyenv", ".rustup", "bin", "repository/bin", "tools/node"];
    let expected: Vec<PathBuf> = expected.iter().map(|it| home.join(it)).collect();
    assert_eq!(found, expected);
}

#[test]
fn odd_paths_show_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home");
    dirs(&home, &["x"]);
    let odd = ["/", ".", "relative/bin", "/no/such/folder", "/usr/bin"];
    let mut odd: Vec<&Path> = odd.iter().map(Path::new).collect();
    odd.extend([home.as_path(), dir.path()]);
    assert_eq!(toolchains(&env(&home, &odd)), Vec::<PathBuf>::new());
}

#[test]
fn parents_come_first_and_the_stricter_wins() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    dirs(&root, &["slot/deep", "cache"]);
    std::fs::write(root.join("slot/.git"), "gitdir: x").unwrap();
    let mut cmd = command(&root.join("slot"), env(&root, &[]));
    cmd.read_only = vec![root.join("slot/deep"), root.join("cache")];
    cmd.writable = vec![root.join("cache"), root.join("slot/deep")];
    let ours: Vec<(PathBuf, Kind)> = mounts(&cmd, &[])
        .unwrap()
        .into_iter()
        .filter(|it| it.at.starts_with(&root))
        .map(|it| (it.at.strip_prefix(&root).unwrap().into(), it.kind))
        .collect();
    assert_eq!(
        ours,
        [
            ("cache".into(), Kind::ReadOnly),
            ("slot".into(), Kind::Writable),
            ("slot/.git".into(), Kind::ReadOnly),
            ("slot/deep".into(), Kind::ReadOnly),
        ]
    );
}

#[test]
fn a_slot_that_is_gone_or_swapped_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let slot = dir.path().join("slot");
    let refused = |slot: &Path| mounts(&command(slot, env(dir.path(), &[])), &[]).unwrap_err();
    assert_eq!(refused(&slot).code, Code::WorktreeLost);
    std::fs::create_dir(&slot).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", slot.join(".git")).unwrap();
    let failure = refused(&slot);
    assert_eq!(failure.code, Code::WorktreeLost);
    assert!(failure.text.contains("link"), "{failure}");
}

#[test]
fn folders_that_do_not_exist_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let mut cmd = command(dir.path(), env(dir.path(), &[]));
    cmd.writable = vec!["/no/such/cache".into()];
    let failure = mounts(&cmd, &[]).unwrap_err();
    assert!(failure.text.contains("/no/such/cache"), "{failure}");
    cmd.writable = vec!["relative".into()];
    assert!(mounts(&cmd, &[]).unwrap_err().text.contains("not absolute"));
}

#[test]
fn cargo_configuration_loses_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    dirs(dir.path(), &[".cargo"]);
    std::fs::write(
        dir.path().join(".cargo/config.toml"),
        r#"
        [registry]
        token = "s3cret-a"
        [registries.mine]
        index = "sparse+https://example.invalid/"
        token = "s3cret-b"
        credential-provider = "s3cret-c"
        [registries.other]
        index = "https://me:s3cret-d@example.invalid/x"
        [source.crates-io]
        replace-with = "mirror"
        [http]
        proxy = "s3cret-e"
        [env]
        KEY = "s3cret-f"
        "#,
    )
    .unwrap();
    let text = cargo_config(&env(dir.path(), &[])).unwrap();
    assert!(!text.contains("s3cret"), "{text}");
    assert!(text.contains("replace-with") && text.contains("sparse+https"), "{text}");
}

#[test]
fn private_places_replace_the_users() {
    let dir = tempfile::tempdir().unwrap();
    dirs(dir.path(), &[".rustup"]);
    let vars = variables(&env(dir.path(), &[]), false, &Private::inside());
    assert_eq!(vars["HOME"], HOME);
    assert_eq!(vars["CARGO_HOME"], CARGO_HOME);
    assert_eq!(vars["RUSTUP_HOME"], dir.path().join(".rustup").to_string_lossy());
    assert_eq!(vars["CARGO_NET_OFFLINE"], "true");
    assert!(
        !variables(&env(dir.path(), &[]), true, &Private::inside())
            .contains_key("CARGO_NET_OFFLINE")
    );
}

#[test]
fn a_set_up_makes_a_cache_only_for_a_program_that_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().canonicalize().unwrap();
    dirs(&home, &["bin"]);
    std::fs::write(home.join("bin/cargo"), "").unwrap();
    let caches = |argv: &[&str]| {
        let mut cmd = command(&home, env(&home, &[&home.join("bin")]));
        (cmd.network, cmd.argv) = (true, argv.iter().map(|it| it.to_string()).collect());
        package_caches(&cmd).unwrap();
    };
    caches(&["sh", "-c", "python3 -m pip install cargo-like"]);
    caches(&["npm", "ci"]);
    assert!(home.join(".cargo/registry").is_dir(), "it is named, as a part of a word");
    std::fs::remove_dir_all(home.join(".cargo")).unwrap();
    caches(&["npm", "ci"]);
    assert!(!home.join(".cargo").exists(), "it would not be filled");
    caches(&["cargo", "fetch"]);
    assert!(home.join(".cargo/registry").is_dir());
    std::fs::remove_dir_all(home.join(".cargo")).unwrap();
    caches(&["./set-up"]);
    assert!(home.join(".cargo/registry").is_dir(), "a script may run it");
    assert!(!home.join("go").exists(), "nobody has go here");
}
