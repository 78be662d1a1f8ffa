//! Checkers, one a table: from the file as written to the model that it means.

pub mod calendar;
pub mod change;
pub mod demand;
pub mod device;
pub mod estate;
pub mod fault;
pub mod headend;
pub mod knob;
pub mod run;
pub mod setups;
pub mod source;
pub mod target;
pub mod tunnel;
pub mod whole;
pub mod without;
