//! Finished runs on disk, so that a study that was interrupted goes on where it was.
//!
//! A run is kept under the hash of everything that it depends on: version, models and targets. What another
//! scenario or version left is never read.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::scenario::Study;
use crate::study::Fault;
use crate::study::recorder::Run;

/// A folder of finished runs.
pub(super) struct Saved {
    folder: PathBuf,
}

impl Saved {
    pub fn open(folder: &Path, study: &Study) -> Result<Self, Fault> {
        let folder = folder.join(key(study));
        std::fs::create_dir_all(&folder)
            .map_err(|source| Fault::Write { what: format!("cannot write {}", folder.display()), source })?;
        Ok(Self { folder })
    }

    fn path(&self, setup: &str, replication: u32) -> PathBuf {
        self.folder.join(format!("{setup}-{replication}.run"))
    }

    /// The run, if it was finished; a file that cannot be read counts for nothing.
    pub fn get(&self, setup: &str, replication: u32) -> Option<Run> {
        postcard::from_bytes(&std::fs::read(self.path(setup, replication)).ok()?).ok()
    }

    pub fn put(&self, setup: &str, replication: u32, run: &Run) -> Result<(), Fault> {
        let path = self.path(setup, replication);
        let wrong = |source| Fault::Write { what: format!("cannot write {}", path.display()), source };
        let bytes = postcard::to_allocvec(run).map_err(|fault| wrong(std::io::Error::other(fault)))?;
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

fn key(study: &Study) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    for setup in &study.setups {
        hash.update(format!("{} {:?}", setup.name, setup.model));
    }
    hash.update(format!("{:?}", study.targets));
    hash.finalize().iter().take(12).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
