//! Integration tests, in one binary.

mod bench_model;
mod theory;
