//! What was simulated, on disk: a study that was interrupted goes on where it was, and no day is simulated twice.
//!
//! Everything is kept under the hash of what it depends on: version, models and targets. What another scenario or
//! version left is never read.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::scenario::model::Model;
use crate::scenario::target::Target;
use crate::study::Fault;

/// A folder of what came of one or more models under the same targets, replication by replication.
pub(super) struct Saved {
    folder: PathBuf,
}

impl Saved {
    /// The folder for these models, by name, in `folder`.
    pub fn open<'a>(
        folder: &Path,
        models: impl IntoIterator<Item = (&'a str, &'a Model)>,
        targets: &[Target],
    ) -> Result<Self, Fault> {
        let folder = folder.join(key(models, targets));
        std::fs::create_dir_all(&folder)
            .map_err(|source| Fault::Write { what: format!("cannot write {}", folder.display()), source })?;
        Ok(Self { folder })
    }

    fn path(&self, name: &str, replication: u32) -> PathBuf {
        self.folder.join(format!("{name}-{replication}.run"))
    }

    /// What was put there; a file that cannot be read counts for nothing.
    pub fn get<T: DeserializeOwned>(&self, name: &str, replication: u32) -> Option<T> {
        postcard::from_bytes(&std::fs::read(self.path(name, replication)).ok()?).ok()
    }

    pub fn put<T: Serialize>(&self, name: &str, replication: u32, found: &T) -> Result<(), Fault> {
        let path = self.path(name, replication);
        let wrong = |source| Fault::Write { what: format!("cannot write {}", path.display()), source };
        let bytes = postcard::to_allocvec(found).map_err(|fault| wrong(std::io::Error::other(fault)))?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(wrong)?;
        std::io::Write::write_all(&mut file, &bytes).map_err(wrong)?;
        file.persist(&path).map(|_| ()).map_err(|fault| wrong(fault.error))
    }

    /// The study has ended: what was kept is not needed any more.
    pub fn clear(self) {
        // The results are what counts; a folder that stays behind does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = self.folder.parent().map(std::fs::remove_dir);
    }
}

fn key<'a>(models: impl IntoIterator<Item = (&'a str, &'a Model)>, targets: &[Target]) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    hash.update([LAYOUT]);
    for (name, model) in models {
        hash.update(format!("{name} {model:?}"));
    }
    hash.update(format!("{targets:?}"));
    hash.finalize().iter().take(12).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Counts the layouts that a saved run has had: what was kept in another one is never read.
const LAYOUT: u8 = 2;
