//! The command line: one function a verb. Only here is anything printed, and only `main` exits.

mod args;
mod ask;
mod bundle;
mod common;
mod compare;
mod counters;
mod elsewhere;
mod fit;
mod forecast;
mod hindcast;
mod import;
mod live;
mod output;
mod part;
mod plan;
mod point;
mod program;
mod run;
mod sensitivity;
mod series;
mod stop;
mod sweep;
mod tools;
mod validate;

pub use args::Cli;
pub use program::main;
