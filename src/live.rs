//! The page that anybody opens: numbers to move, a forecast at once, then the same simulation as on the command line.
//!
//! ```text
//! scenario --page--> one HTML file { stored results, controls, module } --requests--> Desk --replies--> parts of the page
//! ```
//!
//! A desk answers requests as text, on any machine: in a browser it lies in a module of WebAssembly (`src/live/module`), in tests
//! it is called as it is. The script of the page draws what it says, and knows nothing of networks.

#[cfg(not(target_family = "wasm"))]
pub mod bundled;
pub mod choice;
pub mod control;
pub mod desk;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod doubtful;
#[cfg(not(target_family = "wasm"))]
pub mod page;
pub mod parts;
