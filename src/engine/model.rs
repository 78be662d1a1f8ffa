//! The model: what is simulated, as plain data. It cannot be wrong: all that can be is found before there is one.

pub mod calendar;
pub mod change;
pub mod cipher;
pub mod class;
pub mod concentrator;
pub mod day_level;
pub mod demand;
pub mod fault;
pub mod ids;
pub mod pool;
pub mod rules;
pub mod set_up;
pub mod site;
pub mod transport;
pub mod tunnel;

pub use calendar::Calendar;
pub use change::{ChangeKind, DatedChange};
pub use cipher::{Cipher, Encapsulation, Overhead};
pub use class::{Class, Fallback};
pub use concentrator::{Bottleneck, Concentrator, Counts, Discipline, Queues, Ramp, SMALLEST, Treatment, Turns};
pub use day_level::{DayLevel, DayLevels};
pub use demand::{Arrivals, Codec, Cumulative, Demand, Levels};
pub use fault::{Fault, FaultKind};
pub use ids::{ClassId, ConcentratorId, MAX_CLASSES, PoolId, SiteId};
pub use pool::{Balancer, FailBack, Pool};
pub use rules::{Cap, Curfew, Ordered, Release, Rules, taken};
pub use set_up::{Arrival, Model};
pub use site::Site;
pub use transport::{Congestion, Fidelity, Ingredient, Tcp, Transport, Without};
pub use tunnel::TunnelTerms;

pub(crate) use calendar::daily;
