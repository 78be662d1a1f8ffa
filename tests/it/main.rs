//! Integration tests, in one binary.

mod answers;
mod bench_model;
mod certainty;
mod command;
mod conservation;
mod disk;
mod estate;
mod faults;
mod hard;
mod house;
mod imports;
mod inputs;
mod metamorphic;
mod monotone;
mod mutants;
mod oracle;
mod plan;
mod reproducers;
mod rules;
mod surroundings;
mod sweep;
mod theory;
mod truth;
mod tunnels;
mod tutorial;
mod whole;
