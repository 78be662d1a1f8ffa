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

use crate::disk::{Draft, Placed};
use crate::model::Model;
use crate::scenario::check::target::Target;
use crate::study::error::StudyError;
use crate::study::record::FocusClass;

/// The build that is running: a hash of its sources (`src/build.rs`).
pub const BUILD: &str = env!("HEADEND_BUILD");

/// Length of a SHA-256 [B].
const CHECKSUM: usize = 32;

/// What is kept of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All that a report needs.
    Whole,
    /// Its targets, and what people lost.
    Day,
    /// What passed the concentrators.
    Counters,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Whole => "run",
            Self::Day => "day",
            Self::Counters => "counters",
        }
    }
}

/// What is simulated, and what is measured of it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What is kept.
    pub kind: Kind,
    /// The set-up.
    pub name: &'a str,
    /// Its model.
    pub model: &'a Model,
    /// What is measured.
    pub targets: &'a [Target],
    /// The class whose time is counted.
    pub watched: FocusClass,
}

/// The kept runs of a model under some targets, a file a replication.
#[derive(Debug)]
pub struct RunCache {
    /// The folder of all kept runs.
    root: PathBuf,
    key: String,
    name: String,
}

impl RunCache {
    /// The kept runs of this subject in a folder.
    #[must_use]
    pub fn of(folder: &Path, subject: Subject<'_>) -> Self {
        Self { root: folder.to_owned(), key: key(BUILD, subject), name: subject.name.to_owned() }
    }

    /// The file of a run below the folder, or that of its records. Its name depends on all that decides what is in it.
    #[must_use]
    pub fn file(&self, replication: u32, records: bool) -> PathBuf {
        let ending = if records { "csv" } else { "run" };
        Path::new(&self.key).join(format!("{}-{replication}.{ending}", self.name))
    }

    /// Whether the run is kept, or its records are, and no bit of them has changed.
    #[must_use]
    pub fn has(&self, replication: u32, records: bool) -> bool {
        let path = self.root.join(self.file(replication, records));
        if records {
            return rows(&path, &self.records_header(replication)).is_some();
        }
        std::fs::read(&path).is_ok_and(|bytes| unsealed(&bytes, |length| self.header(replication, length)).is_some())
    }

    /// The header of a file: its key, and the length of what follows.
    fn header(&self, replication: u32, length: usize) -> Vec<u8> {
        format!("headend kept run\n{} {replication} {length} {}\n", self.key, self.name).into_bytes()
    }

    /// The run that was kept; none where the file has another header or has changed since.
    ///
    /// # Errors
    /// If it was simulated twice and came out in two ways.
    pub fn get<T: DeserializeOwned>(&self, replication: u32) -> Result<Option<T>, StudyError> {
        let path = self.root.join(self.file(replication, false));
        agreed(&path)?;
        let Ok(bytes) = std::fs::read(path) else { return Ok(None) };
        let run = unsealed(&bytes, |length| self.header(replication, length));
        Ok(run.and_then(|run| postcard::from_bytes(run).ok()))
    }

    /// Keeps a run.
    ///
    /// # Errors
    /// If it cannot be written, or one is there that differs.
    pub fn put<T: Serialize>(&self, replication: u32, found: &T) -> Result<(), StudyError> {
        let path = self.root.join(self.file(replication, false));
        let run = postcard::to_allocvec(found).map_err(|fault| wrong(&path)(std::io::Error::other(fault)))?;
        let sealed = sealed(&self.header(replication, run.len()), &run);
        let draft = Draft::of(&path, &sealed).map_err(wrong(&path))?;
        place(draft, &path, || self.has(replication, false))
    }

    /// The header of a file of records: its key.
    fn records_header(&self, replication: u32) -> String {
        format!("headend kept records {} {replication} {}\n", self.key, self.name)
    }

    /// The records that were kept of a run; none where the file has another header or has changed since.
    ///
    /// # Errors
    /// If it was simulated twice and came out in two ways.
    pub fn records(&self, replication: u32) -> Result<Option<impl Read + use<>>, StudyError> {
        let path = self.root.join(self.file(replication, true));
        agreed(&path)?;
        Ok(rows(&path, &self.records_header(replication)))
    }

    /// A place for the records of a run.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_records(&self, replication: u32) -> Result<KeptRecords, StudyError> {
        let path = self.root.join(self.file(replication, true));
        let draft = Draft::beside(&path).map_err(wrong(&path))?;
        let header = self.records_header(replication);
        let mut kept = KeptRecords { path, header, hash: Sha256::new(), draft: BufWriter::new(draft) };
        let first = kept.header.clone();
        kept.write_all(first.as_bytes()).map_err(wrong(&kept.path))?;
        Ok(kept)
    }
}

/// The fault that a file cannot be written.
fn wrong(path: &Path) -> impl FnOnce(std::io::Error) -> StudyError {
    let path = path.to_owned();
    |source| StudyError::Write(path, source)
}

/// The rows in a file of records, where it has this header and no bit of it has changed.
fn rows(path: &Path, header: &str) -> Option<impl Read + use<>> {
    let rows = std::fs::metadata(path).ok()?.len().checked_sub((header.len() + CHECKSUM) as u64)?;
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

/// Gives a draft its name. Where one of that name is there it must be the same to the byte: the same day cannot come out in two
/// ways. If it is not, and is sound, the draft is kept beside it, so that no later run takes one of the two by chance.
fn place(draft: Draft, path: &Path, is_sound: impl FnOnce() -> bool) -> Result<(), StudyError> {
    match draft.place_once(path).map_err(wrong(path))? {
        Placed::New | Placed::Same => Ok(()),
        Placed::Differs(draft) if is_sound() => {
            let other = other(path);
            draft.place(&other).map_err(wrong(&other))?;
            Err(StudyError::TwoWays(path.to_owned(), other))
        }
        Placed::Differs(draft) => draft.place(path).map_err(wrong(path)),
    }
}

/// Where the second of two unequal files of a run is.
fn other(path: &Path) -> PathBuf {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    path.with_file_name(format!("{name}.other"))
}

/// Refuses a run that came out in two ways.
fn agreed(path: &Path) -> Result<(), StudyError> {
    match other(path) {
        other if other.exists() => Err(StudyError::TwoWays(path.to_owned(), other)),
        _ => Ok(()),
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
#[derive(Debug)]
pub struct KeptRecords {
    path: PathBuf,
    header: String,
    hash: Sha256,
    draft: BufWriter<Draft>,
}

impl KeptRecords {
    /// Ends the file with its checksum.
    ///
    /// # Errors
    /// If it cannot be written, or one is there that differs.
    pub fn place(mut self) -> Result<(), StudyError> {
        self.draft.write_all(&self.hash.finalize()).map_err(wrong(&self.path))?;
        let draft = self.draft.into_inner().map_err(|fault| wrong(&self.path)(fault.into_error()))?;
        place(draft, &self.path, || rows(&self.path, &self.header).is_some())
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
fn key(build: &str, subject: Subject<'_>) -> String {
    let Subject { kind, name, model, targets, watched } = subject;
    let mut hash = Sha256::new();
    hash.update(format!("{build} {} {name} {model:?} {targets:?} {watched:?}", kind.name()));
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

    fn cache(folder: &Path, name: &str) -> RunCache {
        RunCache { root: folder.to_owned(), key: "key".to_owned(), name: name.to_owned() }
    }

    fn at(cache: &RunCache, replication: u32, records: bool) -> PathBuf {
        cache.root.join(cache.file(replication, records))
    }

    /// Fault: a kept run of another build, model, target or name, or another part of it, is taken for this one.
    #[test]
    fn all_that_decides_a_run_is_in_its_key() {
        let text = include_str!("../../../scenarios/tiny.toml");
        let study = crate::scenario::load("tiny.toml", text, Path::new("../../scenarios")).unwrap();
        let watched = crate::study::watched(&study);
        let [one, other] = [0, 1].map(|place| &study.setups[place].model);
        let subject = |model| Subject { kind: Kind::Whole, name: "base", model, targets: &study.targets, watched };
        let own = subject(one);
        let keys = [
            key("build", own),
            key("another", own),
            key("build", subject(other)),
            key("build", Subject { name: "Base", ..own }),
            key("build", Subject { kind: Kind::Day, ..own }),
            key("build", Subject { targets: &[], ..own }),
            key("build", Subject { watched: FocusClass { limit: 0.125, ..watched }, ..own }),
        ];
        assert_eq!(keys[0], key("build", own));
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{place}");
        }
    }

    /// Fault: of two results of the same day one is taken by chance; or a file that was damaged keeps a sound one out.
    #[test]
    fn a_day_that_came_out_in_two_ways_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path(), "base");
        cache.put(0, &kept(1)).unwrap();
        cache.put(0, &kept(1)).unwrap();
        assert_eq!(cache.get::<Kept>(0).unwrap(), Some(kept(1)));
        let twice = cache.put(0, &kept(2)).unwrap_err();
        let (first, second) = (at(&cache, 0, false), folder.path().join("key/base-0.run.other"));
        assert!(matches!(&twice, StudyError::TwoWays(one, other) if *one == first && *other == second), "{twice:?}");
        assert!(matches!(cache.get::<Kept>(0), Err(StudyError::TwoWays(..))));
        std::fs::write(at(&cache, 1, false), "half").unwrap();
        cache.put(1, &kept(3)).unwrap();
        assert_eq!(cache.get::<Kept>(1).unwrap(), Some(kept(3)));
        let records = |text: &[u8]| {
            let mut records = cache.keep_records(0).unwrap();
            records.write_all(text).unwrap();
            records.place()
        };
        records(b"1\n").unwrap();
        records(b"1\n").unwrap();
        assert!(matches!(records(b"2\n"), Err(StudyError::TwoWays(..))));
        assert!(matches!(cache.records(0), Err(StudyError::TwoWays(..))));
    }

    /// Fault: a kept run is read with a bit flipped, bytes changed, two files swapped, cut short, lengthened or filled with zeros.
    #[test]
    fn a_kept_run_that_has_changed_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let saved = cache(folder.path(), "base");
        for number in 0..4 {
            saved.put(number, &kept(number)).unwrap();
            assert_eq!(saved.get::<Kept>(number).unwrap(), Some(kept(number)));
        }
        let sound: Vec<Vec<u8>> = (0..4).map(|number| std::fs::read(at(&saved, number, false)).unwrap()).collect();
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
            std::fs::write(at(&saved, number, false), &bytes).unwrap();
            assert_eq!(saved.get::<Kept>(number).unwrap(), None, "case {case}");
            std::fs::write(at(&saved, number, false), &sound[number as usize]).unwrap();
        }
    }

    /// Fault: on a file system that does not tell `Base` from `base`, the run of the one is read as that of the other.
    #[test]
    fn a_kept_run_of_another_name_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let (upper, lower) = (cache(folder.path(), "Base"), cache(folder.path(), "base"));
        upper.put(0, &kept(1)).unwrap();
        std::fs::rename(at(&upper, 0, false), at(&lower, 0, false)).unwrap();
        assert_eq!(lower.get::<Kept>(0).unwrap(), None);
    }

    /// Records come back as they were put there; with a byte changed, or as those of another run, they do not.
    #[test]
    fn kept_records_that_have_changed_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let saved = cache(folder.path(), "base");
        let mut kept = saved.keep_records(3).unwrap();
        kept.write_all(b"a,b\n1,2\n").unwrap();
        kept.place().unwrap();
        let read = || {
            let mut text = String::new();
            saved.records(3).unwrap().map(|mut rows| rows.read_to_string(&mut text).map(|_| text))
        };
        assert_eq!(read().unwrap().unwrap(), "a,b\n1,2\n");
        let path = at(&saved, 3, true);
        let sound = std::fs::read(&path).unwrap();
        for place in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[place] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert!(read().is_none(), "byte {place}");
        }
        std::fs::write(at(&saved, 4, true), &sound).unwrap();
        assert!(saved.records(4).unwrap().is_none());
        std::fs::write(&path, &sound[..10]).unwrap();
        assert!(read().is_none());
    }
}
