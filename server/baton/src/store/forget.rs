//! Outputs of commands that nobody needs any more. The receipts that name them stay.

use super::reader::Reader;
use super::{Failure, Store};
use std::collections::BTreeSet;

impl Store {
    /// Deletes these outputs, where they are kept. Errors: as `append`; then none of it was deleted.
    pub fn forget_outputs(&mut self, sha256: &[String]) -> Result<(), Failure> {
        if sha256.is_empty() {
            return Ok(());
        }
        self.write(
            "forget",
            |db| {
                let mut delete = db.prepare_cached("DELETE FROM output WHERE sha256 = ?1")?;
                sha256.iter().try_for_each(|it| delete.execute([it]).map(|_| ()))
            },
            |db| {
                let is_there = |it: &String| {
                    let query = db.prepare_cached("SELECT 1 FROM output WHERE sha256 = ?1");
                    query.and_then(|mut query| query.exists([it])).unwrap_or(true)
                };
                !sha256.iter().any(is_there)
            },
        )
    }
}

impl Reader {
    /// The hashes of all outputs that are kept.
    pub fn outputs(&self) -> Result<BTreeSet<String>, Failure> {
        self.get(|db| {
            let mut query = db.prepare_cached("SELECT sha256 FROM output")?;
            let rows = query.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
