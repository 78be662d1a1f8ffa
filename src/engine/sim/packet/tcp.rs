//! TCP as end hosts run it: a connection, its senders and receivers, congestion control.

pub(crate) mod congestion;
pub(crate) mod connection;
pub(crate) mod receiver;
pub(crate) mod rtt;
pub(crate) mod sender;

#[cfg(test)]
mod pair;
