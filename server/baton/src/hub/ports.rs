//! A block of ports for each slot: no two slots of one user share one, whichever repository they
//! belong to.
//!
//! A block is a file in `<state>/ports`, named by its first port and holding the name of its slot. It
//! is made whole or not at all, so that two processes never take the same one.

use std::io::ErrorKind;
use std::path::Path;
use team::{Code, Failure};

/// The first block begins here; below the ports that systems hand out by themselves.
const FIRST_PORT: u16 = 20_000;
pub(super) const PORTS_PER_SLOT: u16 = 10;
const BLOCKS_MAX: u16 = 1_000;
const FOLDER: &str = "ports";

/// The first of the ten ports of this slot: the same as ever, or a block that nobody has.
/// `repository`: the name of the repository's folder in the state folder `all`. Errors: `Store`, also
/// where no block is free.
pub(super) fn block(all: &Path, repository: &str, slot: &str) -> Result<u16, Failure> {
    let failed = |it: std::io::Error| Failure::new(Code::Store, format!("take ports: {it}"));
    let dir = all.join(FOLDER);
    std::fs::create_dir_all(&dir).map_err(failed)?;
    let owner = format!("{repository}/{slot}\n");
    let mut taken = vec![false; usize::from(BLOCKS_MAX)];
    for entry in std::fs::read_dir(&dir).map_err(failed)?.flatten() {
        let Some(port) = entry.file_name().to_str().and_then(|it| it.parse::<u16>().ok()) else {
            continue;
        };
        let Some(n) = number(port) else { continue };
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        if text == owner {
            return Ok(port);
        }
        taken[n] = true;
        // The repository's state was deleted: its slots are gone, and nobody listens.
        let home = text.split('/').next().unwrap_or_default();
        if !home.is_empty() && !all.join(home).exists() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    let mut spare = tempfile::NamedTempFile::new_in(&dir).map_err(failed)?;
    std::io::Write::write_all(&mut spare, owner.as_bytes()).map_err(failed)?;
    for n in (0..BLOCKS_MAX).filter(|it| !taken[usize::from(*it)]) {
        let port = FIRST_PORT + n * PORTS_PER_SLOT;
        match std::fs::hard_link(spare.path(), dir.join(port.to_string())) {
            Ok(()) => return Ok(port),
            // Another process was first.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let text = format!("take ports: all {BLOCKS_MAX} blocks are taken");
    let hint = format!("delete the files in {} of repositories you no longer use", dir.display());
    Err(Failure::new(Code::Store, text).hint(hint))
}

fn number(port: u16) -> Option<usize> {
    let offset = port.checked_sub(FIRST_PORT)?;
    let n = offset / PORTS_PER_SLOT;
    (offset % PORTS_PER_SLOT == 0 && n < BLOCKS_MAX).then_some(usize::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn state() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for it in ["a-1", "b-2"] {
            std::fs::create_dir(dir.path().join(it)).unwrap();
        }
        dir
    }

    #[test]
    fn a_slot_keeps_its_block_and_nobody_shares_it() {
        let state = state();
        let mut seen = BTreeSet::new();
        for repository in ["a-1", "b-2"] {
            for slot in ["e1", "e2", "t1", "c1"] {
                let port = block(state.path(), repository, slot).unwrap();
                assert!(seen.insert(port), "{port} twice");
                assert_eq!(port % PORTS_PER_SLOT, 0);
                assert_eq!(block(state.path(), repository, slot).unwrap(), port);
            }
        }
        assert_eq!(seen.first(), Some(&FIRST_PORT));
    }

    #[test]
    fn many_at_once_take_different_ones() {
        let state = state();
        let take = |n: u32| block(state.path(), "a-1", &format!("e{n}")).unwrap();
        let ports: Vec<u16> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..32).map(|n| scope.spawn(move || take(n))).collect();
            all.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), 32);
    }

    #[test]
    fn the_blocks_of_a_repository_that_is_gone_are_free_again() {
        let state = state();
        let port = block(state.path(), "a-1", "e1").unwrap();
        std::fs::remove_dir(state.path().join("a-1")).unwrap();
        block(state.path(), "b-2", "e1").unwrap();
        assert_eq!(block(state.path(), "b-2", "e2").unwrap(), port);
    }

    #[test]
    fn no_block_is_left() {
        let state = state();
        let dir = state.path().join(FOLDER);
        std::fs::create_dir(&dir).unwrap();
        for n in 0..BLOCKS_MAX {
            let port = FIRST_PORT + n * PORTS_PER_SLOT;
            std::fs::write(dir.join(port.to_string()), "a-1/x\n").unwrap();
        }
        let failure = block(state.path(), "b-2", "e1").unwrap_err();
        assert!(failure.text.contains("all 1000 blocks"), "{failure}");
        assert!(failure.hint.contains("delete the files"), "{failure}");
    }
}
