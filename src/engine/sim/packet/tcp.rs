//! TCP as end hosts run it: a connection, its senders and receivers, congestion control.

pub mod congestion;
pub mod connection;
pub mod receiver;
pub mod rtt;
pub mod sender;

#[cfg(test)]
mod pair;
