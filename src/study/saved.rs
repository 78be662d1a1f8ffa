//! What was simulated, on disk: a study that was interrupted goes on where it was, and no day is simulated twice.
//!
//! Each file says which build, models, targets, name and replication it belongs to and ends with a checksum. A file that
//! belongs elsewhere, or of which a bit has changed, is not read: its run is simulated again.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::scenario::model::Model;
use crate::scenario::target::Target;
use crate::study::Fault;

/// The build that is running: a hash of its sources (`src/build.rs`).
pub const BUILD: &str = env!("HEADEND_BUILD");

/// Length of a SHA-256 [B].
const CHECKSUM: usize = 32;

/// A folder of what came of one or more models under the same targets, replication by replication.
pub(super) struct Saved {
    folder: PathBuf,
    key: String,
}

impl Saved {
    /// The folder for these models, by name, in `folder`.
    pub fn open<'a>(
        folder: &Path,
        models: impl IntoIterator<Item = (&'a str, &'a Model)>,
        targets: &[Target],
    ) -> Result<Self, Fault> {
        let key = key(BUILD, models, targets);
        let folder = folder.join(&key);
        std::fs::create_dir_all(&folder)
            .map_err(|source| Fault::Write { what: format!("cannot write {}", folder.display()), source })?;
        Ok(Self { folder, key })
    }

    fn path(&self, name: &str, replication: u32) -> PathBuf {
        self.folder.join(format!("{name}-{replication}.run"))
    }

    /// The first bytes of a file: whose it is, and how long what follows is.
    fn header(&self, name: &str, replication: u32, length: usize) -> Vec<u8> {
        format!("headend kept run\n{} {replication} {length} {name}\n", self.key).into_bytes()
    }

    /// What was put there; none where the file belongs to something else or has changed since.
    pub fn get<T: DeserializeOwned>(&self, name: &str, replication: u32) -> Option<T> {
        let bytes = std::fs::read(self.path(name, replication)).ok()?;
        let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
        if Sha256::digest(content)[..] != *checksum {
            return None;
        }
        // The length of the run is part of the header: it is sought, not guessed.
        let header = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1)?.0 + 1;
        let run = &content[header..];
        (content[..header] == self.header(name, replication, run.len())).then(|| postcard::from_bytes(run).ok())?
    }

    pub fn put<T: Serialize>(&self, name: &str, replication: u32, found: &T) -> Result<(), Fault> {
        let path = self.path(name, replication);
        let wrong = |source| Fault::Write { what: format!("cannot write {}", path.display()), source };
        let run = postcard::to_allocvec(found).map_err(|fault| wrong(std::io::Error::other(fault)))?;
        let mut content = self.header(name, replication, run.len());
        content.extend_from_slice(&run);
        content.extend_from_slice(&Sha256::digest(&content));
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).map_err(wrong)?;
        std::io::Write::write_all(&mut file, &content).map_err(wrong)?;
        file.persist(&path).map(|_| ()).map_err(|fault| wrong(fault.error))
    }

    /// The study has ended: what was kept is not needed any more.
    pub fn clear(self) {
        // The results are what counts; a folder that stays behind does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
        let _ = self.folder.parent().map(std::fs::remove_dir);
    }
}

/// The name of everything that a kept run depends on.
fn key<'a>(build: &str, models: impl IntoIterator<Item = (&'a str, &'a Model)>, targets: &[Target]) -> String {
    let mut hash = Sha256::new();
    hash.update(build);
    for (name, model) in models {
        hash.update(format!("{name} {model:?}"));
    }
    hash.update(format!("{targets:?}"));
    hash.finalize().iter().take(12).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Runs as a study keeps them: some numbers, and a name.
    type Kept = (Vec<f64>, String);

    fn kept(number: u32) -> Kept {
        ((0..40).map(|place| f64::from(place * number)).collect(), format!("run {number}"))
    }

    #[test]
    fn another_build_has_another_key() {
        assert_ne!(key("one", [], &[]), key("other", [], &[]));
        assert_eq!(key("one", [], &[]), key("one", [], &[]));
    }

    /// A bit flipped, bytes changed, two files swapped, cut short, lengthened or filled with zeros: none is read.
    #[test]
    fn a_kept_run_that_has_changed_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let saved = Saved::open(folder.path(), [], &[]).unwrap();
        for number in 0..4 {
            saved.put("base", number, &kept(number)).unwrap();
            assert_eq!(saved.get::<Kept>("base", number), Some(kept(number)));
        }
        let sound: Vec<Vec<u8>> = (0..4).map(|number| std::fs::read(saved.path("base", number)).unwrap()).collect();
        for case in 0..200_u64 {
            let mut stream = Key::new(case, 0).stream(0);
            let number = stream.below(4);
            let mut bytes = sound[number as usize].clone();
            let length = u32::try_from(bytes.len()).unwrap();
            let place = stream.below(length) as usize;
            match case % 6 {
                0 => bytes[place] ^= 1 << stream.below(8),
                1 => bytes[place] = bytes[place].wrapping_add(1 + u8::try_from(stream.below(255)).unwrap()),
                2 => bytes.clone_from(&sound[(number as usize + 1) % 4]),
                3 => bytes.truncate(place),
                4 => bytes.extend_from_slice(&[0; 8]),
                _ => bytes.fill(0),
            }
            std::fs::write(saved.path("base", number), &bytes).unwrap();
            assert_eq!(saved.get::<Kept>("base", number), None, "case {case}");
            std::fs::write(saved.path("base", number), &sound[number as usize]).unwrap();
        }
    }

    /// As on a file system that does not tell `Base` from `base`: the file is there, and says that it is another's.
    #[test]
    fn a_kept_run_of_another_name_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let saved = Saved::open(folder.path(), [], &[]).unwrap();
        saved.put("Base", 0, &kept(1)).unwrap();
        std::fs::rename(saved.path("Base", 0), saved.path("base", 0)).unwrap();
        assert_eq!(saved.get::<Kept>("base", 0), None);
    }
}
