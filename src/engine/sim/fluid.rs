//! The network at fluid fidelity: slow start in rounds, then flows that share the concentrator as a fluid.

pub mod bursts;
pub mod class_queue;
pub mod concentrator;
pub mod floods;
pub mod network;
pub mod passage_of_time;
pub mod path_state;
pub mod reallocate;
pub mod rounds;
pub mod sharing;
pub mod site_access;
pub mod standing_queue;
pub mod transfer;
