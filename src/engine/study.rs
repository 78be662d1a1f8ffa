//! Studies: replications of the base and the options on common random numbers, in parallel, until the intervals are narrow
//! enough. An interrupted study resumes from its kept runs.

pub mod accumulator;
pub mod axis;
pub mod calls;
pub mod control;
pub mod cost;
pub mod counters;
pub mod day_forecasts;
pub mod days;
pub mod doubt;
pub mod error;
pub mod fidelity;
pub mod figures;
pub mod forecast;
pub mod foreseen;
pub mod gathering;
pub mod judge;
pub mod limits;
pub mod load;
pub mod options;
pub mod paths;
pub mod queue;
pub mod record;
pub mod recorder;
pub mod records_file;
pub mod results;
pub mod run;
pub mod saved;
pub mod select;
pub mod series;
pub mod stopping;
pub mod voice;
pub mod waits;

pub use error::StudyError;
pub use gathering::watched;
pub use options::{Progress, RunOptions};
pub use run::run;
