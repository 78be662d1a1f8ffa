//! Files: read if they are files at all, written whole or not at all, and by one process at a time.
//!
//! Every file is written as a draft beside its place, flushed to the disk, and then renamed: what stands under a final name
//! is whole, whenever the process was killed or the power went. A draft is locked while it is written, so that what a killed
//! process left can be told from what another one is writing.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::units::visible;

/// Largest file that is read [byte]: a million rows have some 50 MB.
const LONGEST: u64 = 128 << 20;

/// The content of a regular file: a pipe or a device may never end.
///
/// # Errors
/// If it is no file, is too long, or cannot be read.
pub fn regular(path: &Path) -> io::Result<Vec<u8>> {
    if check_regular(path)? > LONGEST {
        return Err(io::Error::other("it has more than 128 MB"));
    }
    std::fs::read(path)
}

/// The length of a file [byte], which is no folder, pipe or device.
///
/// # Errors
/// If it is no file.
pub fn check_regular(path: &Path) -> io::Result<u64> {
    let about = std::fs::metadata(path)?;
    if about.is_dir() {
        return Err(io::Error::other("it is a folder"));
    }
    if !about.is_file() {
        return Err(io::Error::other("it is a pipe or a device, not a file"));
    }
    Ok(about.len())
}

/// A path as it is shown to people, without hidden characters.
#[must_use]
pub fn shown(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

/// Where the files are that a scenario names: a scenario from a stranger must not read others.
#[derive(Clone, Debug)]
pub struct Folder(FileSource);

#[derive(Clone, Debug)]
enum FileSource {
    /// On the disk; files elsewhere are read, too, where `anywhere` says so.
    Disk { path: PathBuf, anywhere: bool },
    /// Here, by their names: nothing else is read.
    Held(Arc<BTreeMap<String, Vec<u8>>>),
}

impl From<&Path> for Folder {
    /// Only files in the folder, and below it, are read.
    fn from(path: &Path) -> Self {
        Self::reaching(path, false)
    }
}

impl Folder {
    /// Files elsewhere are read, too, where `anywhere` says so.
    #[must_use]
    pub fn reaching(path: &Path, anywhere: bool) -> Self {
        Self(FileSource::Disk { path: path.to_owned(), anywhere })
    }

    /// Files that are held in memory.
    #[must_use]
    pub fn held(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self(FileSource::Held(Arc::new(files)))
    }

    /// Where a file of this name is looked for.
    #[must_use]
    pub fn path_of(&self, name: &str) -> PathBuf {
        match &self.0 {
            FileSource::Disk { path, .. } => path.join(name),
            FileSource::Held(_) => PathBuf::from(name),
        }
    }

    /// Whether a file may be read.
    #[must_use]
    pub fn admits(&self, name: &str) -> bool {
        match &self.0 {
            FileSource::Disk { path, anywhere } => *anywhere || is_inside(path, name),
            FileSource::Held(_) => true,
        }
    }

    /// The content of a file.
    ///
    /// # Errors
    /// If it is no file, is too long, or cannot be read.
    pub fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        match &self.0 {
            FileSource::Disk { path, .. } => regular(&path.join(name)),
            FileSource::Held(files) => files.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }
}

/// Whether a file is in a folder: by its name, so that a name of another machine is not even opened; and by its resolved path, so
/// that no link leads out.
fn is_inside(folder: &Path, name: &str) -> bool {
    let parts = || Path::new(name).components();
    if !parts().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) || name.starts_with("\\\\") {
        return false;
    }
    let from = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    match (from.canonicalize(), folder.join(name).canonicalize()) {
        (Ok(folder), Ok(file)) => file.starts_with(folder),
        // It is not there: that is another fault.
        _ => true,
    }
}

/// The folder in which a file of this path lies.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes a folder, and those above it, where they are not there.
///
/// # Errors
/// If it cannot be made.
pub fn folder(path: &Path) -> io::Result<()> {
    fault::next()?;
    std::fs::create_dir_all(path)
}

/// Removes a folder with all that is in it. A failure does no harm.
pub fn remove(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
}

/// Writes a file whole.
///
/// # Errors
/// If it cannot be written; what was there before is untouched then.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Draft::of(path, bytes)?.place(path)
}

/// A file to which what a process says is appended.
///
/// # Errors
/// If it cannot be opened.
pub fn log(path: &Path) -> io::Result<File> {
    folder(folder_of(path))?;
    OpenOptions::new().append(true).create(true).open(path)
}

/// How names of drafts begin and end. Each carries the machine that writes it: on a shared file system, locks of another machine
/// may not be seen, so that only a machine's own drafts are judged by them.
static DRAFT: LazyLock<String> = LazyLock::new(|| format!(".headend-{}-", machine()));
/// See [`DRAFT`].
const ENDING: &str = ".tmp";

/// The name of this machine, as far as it can go into the name of a file.
fn machine() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = kernel.or_else(|| std::env::var("COMPUTERNAME").or_else(|_| std::env::var("HOSTNAME")).ok());
    named.unwrap_or_default().trim().chars().filter(char::is_ascii_alphanumeric).take(32).collect()
}

/// A file without its final name: it is removed when this value is dropped, unless it was placed.
#[derive(Debug)]
pub struct Draft(tempfile::NamedTempFile);

impl Draft {
    /// A draft in the folder of `path`, which is made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn beside(path: &Path) -> io::Result<Self> {
        if std::fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir()) {
            return Err(io::Error::other("it is a pipe or a device, not a file"));
        }
        let beside = folder_of(path);
        folder(beside)?;
        loop {
            fault::next()?;
            let file = tempfile::Builder::new().prefix(&*DRAFT).suffix(ENDING).tempfile_in(beside)?;
            // A file system without locks is no error: nothing is tidied up there.
            let is_taken = matches!(file.as_file().try_lock(), Err(TryLockError::WouldBlock));
            if !is_taken && file.path().exists() {
                return Ok(Self(file));
            }
            // Another process removed it as left over in the instant before it was locked.
        }
    }

    /// A draft of these bytes in the folder of `path`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn of(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let mut draft = Self::beside(path)?;
        draft.write_all(bytes)?;
        draft.sync()?;
        Ok(draft)
    }

    /// Flushes it to the disk.
    fn sync(&self) -> io::Result<()> {
        fault::next()?;
        self.0.as_file().sync_all()
    }

    /// Renames it to its final name, in place of what was there.
    ///
    /// # Errors
    /// If it cannot be flushed to the disk, or renamed.
    pub fn place(self, path: &Path) -> io::Result<()> {
        readable(self.0.as_file())?;
        self.sync()?;
        fault::next()?;
        self.0.persist(path).map_err(|fault| fault.error)?;
        flush_name(path);
        Ok(())
    }

    /// Gives it its final name where nothing has that name yet, not even for an instant.
    ///
    /// # Errors
    /// If it cannot be flushed to the disk, or what is there cannot be read.
    pub fn place_once(self, path: &Path) -> io::Result<Placed> {
        readable(self.0.as_file())?;
        self.sync()?;
        fault::next()?;
        let Err(fault) = self.0.persist_noclobber(path) else {
            flush_name(path);
            return Ok(Placed::New);
        };
        let draft = Self(fault.file);
        if fault.error.kind() != io::ErrorKind::AlreadyExists && !path.exists() {
            // A file system without links.
            return draft.place(path).map(|()| Placed::New);
        }
        let (mut own, mut there) = (File::open(draft.0.path())?, File::open(path)?);
        Ok(if are_alike(&mut own, &mut there)? { Placed::Same } else { Placed::Differs(draft) })
    }

    /// Goes back to its beginning, to be read.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn reread(mut self) -> io::Result<impl io::Read> {
        self.0.rewind()?;
        Ok(self.0)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::next()?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What became of a draft that was to be placed once.
#[derive(Debug)]
pub enum Placed {
    /// It has its name.
    New,
    /// A file of that name has the same bytes.
    Same,
    /// A file of that name has other bytes.
    Differs(Draft),
}

/// Whether two files have the same bytes.
fn are_alike(one: &mut File, other: &mut File) -> io::Result<bool> {
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut one, mut other) = (BufReader::new(one), BufReader::new(other));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let length = left.len().min(right.len());
        if length == 0 {
            return Ok(left.len() == right.len());
        }
        if left[..length] != right[..length] {
            return Ok(false);
        }
        one.consume(length);
        other.consume(length);
    }
}

/// Flushes the name of a file: without it a power cut could take the name back. Not every system can.
fn flush_name(path: &Path) {
    #[cfg(unix)]
    let _ = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    #[cfg(not(unix))]
    let _ = path;
}

/// A draft is for its owner alone; a report is for all.
fn readable(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Removes drafts that a process left in a folder when it was killed, and those in so many levels of folders below it.
pub fn tidy(folder: &Path, levels: usize) {
    // What cannot be read or removed does no harm.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && levels > 0 {
            tidy(&path, levels - 1);
        }
        let is_draft = name.to_str().is_some_and(|name| name.starts_with(&*DRAFT) && name.ends_with(ENDING));
        if is_draft && !is_folder {
            let is_free = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
            if is_free {
                let _ = std::fs::remove_file(&path);
            }
        }
    }
}

/// A lock that keeps other processes from writing the same. It ends with this value, and with the process however that ends.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    _file: File,
}

/// Why there is no claim.
#[derive(Debug)]
pub enum Claimed {
    /// Another process has it; its process number, if that can be read.
    By(Option<u32>),
    /// The file cannot be written.
    Fault(io::Error),
}

impl Claim {
    /// Takes the lock on this file, which is removed at the end.
    ///
    /// # Errors
    /// If another process has claimed it, or the file cannot be written.
    pub fn of(path: &Path) -> Result<Self, Claimed> {
        loop {
            fault::next().map_err(Claimed::Fault)?;
            let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
            let mut file = open.map_err(Claimed::Fault)?;
            if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
                let holder = std::fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
                return Err(Claimed::By(holder));
            }
            if is_at(&file, path) {
                // The process number is written where it can be.
                let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
                return Ok(Self { path: path.to_owned(), _file: file });
            }
            // The process that held it has ended since, and removed it.
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Removed while it is locked, so that no other process can hold it.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether an open file is still the one of that name.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let place = |about: &std::fs::Metadata| (about.dev(), about.ino());
        matches!((file.metadata(), std::fs::metadata(path)), (Ok(own), Ok(named)) if place(&own) == place(&named))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// For tests of what a full disk or a faulty one does: `HEADEND_FAIL_WRITE=7` makes the seventh write of the process and all after
/// it fail as on a full disk, `HEADEND_FAIL_WRITE=7!` the seventh alone as on a faulty one. In builds with debug assertions only.
#[cfg(debug_assertions)]
mod fault {
    use std::io;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WHICH: LazyLock<Option<(u64, bool)>> = LazyLock::new(|| {
        let which = std::env::var("HEADEND_FAIL_WRITE").ok()?;
        Some((which.trim_end_matches('!').parse().ok()?, which.ends_with('!')))
    });
    static COUNT: AtomicU64 = AtomicU64::new(0);

    /// Whether the next step of a write is to be done.
    pub fn next() -> io::Result<()> {
        let Some((which, alone)) = *WHICH else { return Ok(()) };
        let now = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
        match (now == which, now > which, alone) {
            (true, _, true) => Err(io::Error::other("Input/output error (a test)")),
            (true, _, false) | (_, true, false) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            _ => Ok(()),
        }
    }
}

#[cfg(not(debug_assertions))]
mod fault {
    /// Every step of a write is done.
    #[allow(clippy::unnecessary_wraps)] // as its twin
    pub fn next() -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_inside_by_name_and_by_place() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        std::fs::create_dir_all(inner.join("below")).unwrap();
        for file in ["inner/a.csv", "inner/below/b.csv", "c.csv"] {
            std::fs::write(outer.path().join(file), "x").unwrap();
        }
        let folder = Folder::from(inner.as_path());
        for name in ["a.csv", "./a.csv", "below/b.csv", "nowhere.csv"] {
            assert!(folder.admits(name), "{name}");
        }
        let absolute = outer.path().join("c.csv").display().to_string();
        for name in ["../c.csv", "below/../../c.csv", &absolute, "\\\\server\\share\\c.csv"] {
            assert!(!folder.admits(name), "{name}");
            assert!(Folder::reaching(&inner, true).admits(name), "{name}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outer.path().join("c.csv"), inner.join("link.csv")).unwrap();
            assert!(!folder.admits("link.csv"));
        }
    }

    #[test]
    fn a_draft_that_is_not_placed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, b"one").unwrap();
        let mut draft = Draft::beside(&path).unwrap();
        draft.write_all(b"two").unwrap();
        drop(draft);
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    /// Fault: what a killed process left stays, or what is being written or is not ours goes.
    #[test]
    fn only_what_is_left_over_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("charts");
        std::fs::create_dir(&below).unwrap();
        std::fs::write(folder.path().join(format!("{}abc.tmp", *DRAFT)), "half").unwrap();
        std::fs::write(below.join(format!("{}def.tmp", *DRAFT)), "half").unwrap();
        std::fs::write(below.join(".headend-another+machine-ghi.tmp"), "half").unwrap();
        std::fs::write(folder.path().join("mine.tmp"), "whole").unwrap();
        let mut draft = Draft::beside(&folder.path().join("b.txt")).unwrap();
        draft.write_all(b"b").unwrap();
        tidy(folder.path(), 1);
        draft.place(&folder.path().join("b.txt")).unwrap();
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["b.txt", "charts", "mine.tmp"]);
        assert_eq!(names(&below), [".headend-another+machine-ghi.tmp"]);
    }

    /// Fault: the second of two writers replaces what the first wrote, or two that differ count as one.
    #[test]
    fn what_is_placed_once_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.run");
        let once = |bytes: &[u8]| Draft::of(&path, bytes).unwrap().place_once(&path).unwrap();
        let long = vec![7; 100_000];
        assert!(matches!(once(&long), Placed::New));
        assert!(matches!(once(&long), Placed::Same));
        for other in [&long[1..], &[&long[1..], &[8]].concat()] {
            let placed = once(other);
            assert!(matches!(placed, Placed::Differs(_)));
            drop(placed);
            assert_eq!(std::fs::read(&path).unwrap(), long);
        }
        assert_eq!(names(folder.path()), ["a.run"]);
    }

    #[test]
    fn what_is_claimed_is_not_claimed_again_until_it_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".run.lock");
        let claim = Claim::of(&path).unwrap();
        let second = Claim::of(&path);
        assert!(matches!(second, Err(Claimed::By(Some(id))) if id == std::process::id()), "{second:?}");
        drop(claim);
        assert!(names(folder.path()).is_empty());
        Claim::of(&path).unwrap();
    }
}
