//! Measurements of others: what monitoring systems export, as one tidy series.

pub mod clock;
pub mod doubled;
pub mod formats;
pub mod import;
pub mod keeps;
mod marks;
pub mod number;
pub mod overlap;
pub mod reading;
pub mod recognise;
pub mod series;
pub mod sites;
pub mod tidy;
