//! Import formats: each a function from a file of others to rows of the scenario, with its problems by line and column.

pub mod estate;
pub mod replay;
pub mod table;
