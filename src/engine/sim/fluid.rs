//! The network at fluid fidelity: slow start in rounds, then flows that share the concentrator as a fluid.

pub(crate) mod bursts;
pub(crate) mod class_queue;
pub(crate) mod concentrator;
pub(crate) mod floods;
pub(crate) mod network;
pub(crate) mod passage_of_time;
pub(crate) mod path_state;
pub(crate) mod reallocate;
pub(crate) mod rounds;
pub(crate) mod sharing;
pub(crate) mod site_access;
pub(crate) mod standing_queue;
pub(crate) mod talk;
pub(crate) mod transfer;
