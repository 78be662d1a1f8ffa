//! Kept runs on disk: an interrupted study resumes, and no day is simulated twice.
//!
//! The header of each file names its build, models, targets and replication; a checksum ends it. A file with another header, or
//! of which a bit has changed, is not read: its run is simulated again.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::disk;
use crate::disk::Draft;
use crate::model::Model;
use crate::scenario::check::target::Target;
use crate::study::error::StudyError;

/// The build that is running: a hash of its sources (`src/build.rs`).
pub const BUILD: &str = env!("HEADEND_BUILD");

/// Length of a SHA-256 [B].
const CHECKSUM: usize = 32;

/// A folder of kept runs of one or more models under the same targets, a file a replication.
pub(super) struct RunCache {
    folder: PathBuf,
    key: String,
}

impl RunCache {
    /// The folder for these models, by name, in `folder`.
    pub fn open<'a>(
        folder: &Path,
        models: impl IntoIterator<Item = (&'a str, &'a Model)>,
        targets: &[Target],
    ) -> Result<Self, StudyError> {
        let key = key(BUILD, models, targets);
        let saved = Self { folder: folder.join(&key), key };
        disk::folder(&saved.folder).map_err(|source| saved.fault(source))?;
        Ok(saved)
    }

    fn path(&self, name: &str, replication: u32) -> PathBuf {
        self.folder.join(format!("{name}-{replication}.run"))
    }

    fn fault(&self, source: std::io::Error) -> StudyError {
        StudyError::Write(self.folder.clone(), source)
    }

    /// The header of a file: its key, and the length of what follows.
    fn header(&self, name: &str, replication: u32, length: usize) -> Vec<u8> {
        format!("headend kept run\n{} {replication} {length} {name}\n", self.key).into_bytes()
    }

    /// The run that was kept; none where the file has another header or has changed since.
    pub fn get<T: DeserializeOwned>(&self, name: &str, replication: u32) -> Option<T> {
        let bytes = std::fs::read(self.path(name, replication)).ok()?;
        let run = unsealed(&bytes, |length| self.header(name, replication, length))?;
        postcard::from_bytes(run).ok()
    }

    pub fn put<T: Serialize>(&self, name: &str, replication: u32, found: &T) -> Result<(), StudyError> {
        let run = postcard::to_allocvec(found).map_err(|fault| self.fault(std::io::Error::other(fault)))?;
        let sealed = sealed(&self.header(name, replication, run.len()), &run);
        disk::write(&self.path(name, replication), &sealed).map_err(|source| self.fault(source))
    }

    fn records_path(&self, name: &str, replication: u32) -> PathBuf {
        self.folder.join(format!("{name}-{replication}.csv"))
    }

    /// The header of a file of records: its key.
    fn records_header(&self, name: &str, replication: u32) -> String {
        format!("headend kept records {} {replication} {name}\n", self.key)
    }

    /// The records that were kept of a run; none where the file has another header or has changed since.
    pub fn records(&self, name: &str, replication: u32) -> Option<impl Read + use<>> {
        let path = self.records_path(name, replication);
        let header = self.records_header(name, replication);
        let rows = std::fs::metadata(&path).ok()?.len().checked_sub((header.len() + CHECKSUM) as u64)?;
        let mut file = BufReader::new(File::open(path).ok()?);
        let mut hash = Hashing(Sha256::new());
        std::io::copy(&mut file.by_ref().take(header.len() as u64 + rows), &mut hash).ok()?;
        let mut checksum = [0; CHECKSUM];
        file.read_exact(&mut checksum).ok()?;
        file.rewind().ok()?;
        let mut first = vec![0; header.len()];
        file.read_exact(&mut first).ok()?;
        (hash.0.finalize()[..] == checksum && first == header.as_bytes()).then(|| file.take(rows))
    }

    /// A place for the records of a run.
    pub fn keep_records(&self, name: &str, replication: u32) -> Result<KeptRecords, StudyError> {
        let path = self.records_path(name, replication);
        let draft = Draft::beside(&path).map_err(|source| self.fault(source))?;
        let mut kept = KeptRecords { path, hash: Sha256::new(), draft: BufWriter::new(draft) };
        let header = self.records_header(name, replication);
        kept.write_all(header.as_bytes()).map_err(|source| self.fault(source))?;
        Ok(kept)
    }
}

/// A writer that hashes.
struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Records of a run while they are written; a checksum follows.
pub(super) struct KeptRecords {
    path: PathBuf,
    hash: Sha256,
    draft: BufWriter<Draft>,
}

impl KeptRecords {
    /// Ends the file with its checksum.
    pub fn place(mut self) -> std::io::Result<()> {
        self.draft.write_all(&self.hash.finalize())?;
        self.draft.into_inner().map_err(std::io::IntoInnerError::into_error)?.place(&self.path)
    }
}

impl Write for KeptRecords {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.draft.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.draft.flush()
    }
}

/// A kept run with its header and its checksum.
#[must_use]
pub fn sealed(header: &[u8], run: &[u8]) -> Vec<u8> {
    let mut content = [header, run].concat();
    content.extend_from_slice(&Sha256::digest(&content));
    content
}

/// The run in a file, where the file has the header of a run of its length and no bit of it has changed.
#[must_use]
pub fn unsealed(bytes: &[u8], header: impl Fn(usize) -> Vec<u8>) -> Option<&[u8]> {
    let (content, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
    if Sha256::digest(content)[..] != *checksum {
        return None;
    }
    // The length of the run is part of the header: it is sought, not guessed.
    let start = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(1)?.0 + 1;
    let run = &content[start..];
    (content[..start] == header(run.len())).then_some(run)
}

/// A hash of all that a kept run depends on.
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

    /// Runs of this form: some numbers, and a name.
    type Kept = (Vec<f64>, String);

    fn kept(number: u32) -> Kept {
        ((0..40).map(|place| f64::from(place * number)).collect(), format!("run {number}"))
    }

    #[test]
    fn another_build_has_another_key() {
        assert_ne!(key("one", [], &[]), key("other", [], &[]));
        assert_eq!(key("one", [], &[]), key("one", [], &[]));
    }

    /// Fault: a kept run is read with a bit flipped, bytes changed, two files swapped, cut short, lengthened or filled with zeros.
    #[test]
    fn a_kept_run_that_has_changed_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let saved = RunCache::open(folder.path(), [], &[]).unwrap();
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

    /// Fault: on a file system that does not tell `Base` from `base`, the run of the one is read as that of the other.
    #[test]
    fn a_kept_run_of_another_name_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let saved = RunCache::open(folder.path(), [], &[]).unwrap();
        saved.put("Base", 0, &kept(1)).unwrap();
        std::fs::rename(saved.path("Base", 0), saved.path("base", 0)).unwrap();
        assert_eq!(saved.get::<Kept>("base", 0), None);
    }

    /// Records come back as they were put there; with a byte changed, or as those of another run, they do not.
    #[test]
    fn kept_records_that_have_changed_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let saved = RunCache::open(folder.path(), [], &[]).unwrap();
        let mut kept = saved.keep_records("base", 3).unwrap();
        kept.write_all(b"a,b\n1,2\n").unwrap();
        kept.place().unwrap();
        let read = || {
            let mut text = String::new();
            saved.records("base", 3).map(|mut rows| rows.read_to_string(&mut text).map(|_| text))
        };
        assert_eq!(read().unwrap().unwrap(), "a,b\n1,2\n");
        let path = saved.records_path("base", 3);
        let sound = std::fs::read(&path).unwrap();
        for place in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[place] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(read().is_none(), "byte {place}");
        }
        std::fs::write(saved.records_path("base", 4), &sound).unwrap();
        assert!(saved.records("base", 4).is_none());
        std::fs::write(&path, &sound[..10]).unwrap();
        assert!(read().is_none());
    }
}
