//! The sandbox.
use baton::sandbox::*;
use std::path::Path;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn first() {
    let dir = tempfile::tempdir().unwrap();
    let launcher = Path::new(env!("CARGO_BIN_EXE_baton"));
    let env = Environment::from_process();
    for _ in 0..3 {
        let sandbox = Sandbox::probe_with(launcher, dir.path(), &env).await;
        println!("{}", sandbox.describe());
        let slot = dir.path().join("slot");
        let _ = std::fs::create_dir(&slot);
        std::fs::write(slot.join(".git"), "gitdir: x").unwrap();
        let line = std::env::var("LINE").unwrap_or("true".into());
        let cmd = Confined::new(&["sh".into(), "-c".into(), line], &slot, &slot, env.clone());
        let done = sandbox.run(&cmd, &CancellationToken::new()).await;
        match done {
            Ok(d) => println!(
                "{:?} {}ms {}\n{}",
                d.exit,
                d.duration_ms,
                d.output_bytes,
                String::from_utf8_lossy(&d.output)
            ),
            Err(e) => println!("{e}"),
        }
    }
}
