//! The scenario: the file as written, every fault in it at once, and the models that it means.
//!
//! ```text
//! text --read--> File --check--> Study { base and options as models, targets, inputs with their sources }
//! ```

pub mod check;
pub mod checked;
pub mod checker;
pub mod edit;
pub mod ends;
pub mod field;
pub mod file;
pub mod growth;
pub mod idle;
pub mod import;
pub mod problem;
pub mod quantity;
pub mod read;
pub mod say;
pub mod uncertainty;
pub mod warn;

use crate::disk::Folder;
use checker::Checker;
use problem::Problems;

pub use check::run::DEFAULT_GRAIN;
pub use checked::{Effort, Setup, Study};

/// Reads and checks a scenario. `folder` is where its relative paths start, and says whether files elsewhere may be read.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &str, text: &str, folder: impl Into<Folder>) -> Result<Study, Problems> {
    let read = read::read(path, text);
    let mut checker = Checker::new(read.problems, folder.into(), read.blanked);
    let fatal = read.file.class.is_empty() && !checker.problems.is_empty();
    let study = if fatal { None } else { check::whole::study(&read.file, text, &mut checker) };
    match study {
        Some(study) if checker.problems.is_empty() => Ok(study),
        _ => Err(checker.problems),
    }
}
