//! One set-up, ready to be simulated.

use std::sync::Arc;

use crate::model::calendar::Calendar;
use crate::model::change::{ChangeKind, DatedChange};
use crate::model::class::Class;
use crate::model::concentrator::Concentrator;
use crate::model::day_level::{DayLevel, DayLevels};
use crate::model::fault::Fault;
use crate::model::ids::{ClassId, PoolId, SiteId};
use crate::model::pool::Pool;
use crate::model::rules::Cap;
use crate::model::site::Site;
use crate::model::transport::{Fidelity, Transport};
use crate::model::tunnel::TunnelTerms;
use crate::random::Key;
use crate::units::{Bytes, Duration, Time};

/// One set-up: the base, or the base with one option's changes.
#[derive(Clone, Debug)]
pub struct Model {
    /// Names every random stream.
    pub seed: u64,
    /// Replications come in pairs, of which the second mirrors the random numbers of the first.
    pub antithetic: bool,
    /// When it happens.
    pub calendar: Calendar,
    /// How much of everything its days have.
    pub levels: DayLevels,
    /// Length of a bin of the timeline.
    pub bin: Duration,
    /// The estate.
    pub sites: Arc<[Site]>,
    /// The traffic.
    pub classes: Vec<Class>,
    /// The concentrators, also those that open later.
    pub concentrators: Vec<Concentrator>,
    /// The pools among whose concentrators tunnels are placed.
    pub pools: Vec<Pool>,
    /// The pool of each site.
    pub pool_of: Vec<PoolId>,
    /// How tunnels are set up and lost.
    pub tunnels: TunnelTerms,
    /// Faults.
    pub faults: Vec<Fault>,
    /// Dated changes, by time.
    pub changes: Vec<DatedChange>,
    /// What a transfer costs beside its share of the bandwidth.
    pub transport: Transport,
    /// How closely the network is simulated.
    pub fidelity: Fidelity,
    /// Transactions that are played back in place of those that the classes generate.
    pub replay: Option<Arc<[Arrival]>>,
}

impl Model {
    /// Adds a cap on a class; changes have to be sorted afterwards.
    pub fn cap(&mut self, class: ClassId, cap: Cap) {
        self.classes[class.index()].rules.caps.push(cap);
        let edits = [cap.from, cap.until].map(|at| DatedChange { at, kind: ChangeKind::SetShaping(class) });
        self.changes.extend(edits);
    }

    /// Holds segments to what tunnels let through.
    pub fn clamp_segments(&mut self) {
        if let (Transport::Tcp(tcp), Some(mss)) = (&mut self.transport, self.tunnels.mss) {
            tcp.segment = tcp.segment.min(mss);
        }
    }

    /// How much of everything a day of a replication has.
    #[must_use]
    pub fn level(&self, replication: u32, day: u64) -> DayLevel {
        self.levels.of(self.key(replication), &self.calendar, day)
    }

    /// Faults in force at an instant.
    pub fn faults_at(&self, now: Time) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(move |fault| fault.from <= now && now < fault.until)
    }

    /// The random numbers of a replication.
    #[must_use]
    pub fn key(&self, replication: u32) -> Key {
        if self.antithetic { Key::antithetic(self.seed, replication) } else { Key::new(self.seed, replication) }
    }
}

/// One transaction of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it starts.
    pub at: Time,
    /// From which site.
    pub site: SiteId,
    /// Of which class.
    pub class: ClassId,
    /// What is asked.
    pub request: Bytes,
    /// What is answered.
    pub response: Bytes,
}

#[cfg(test)]
impl Model {
    /// For tests: sites of these patients, 20 ms away, and concentrators of these throughputs [Mbit/s] in one pool.
    pub(crate) fn sample(patients: &[u32], throughputs: &[u64], balancer: crate::model::pool::Balancer) -> Self {
        use crate::model::demand::Demand;
        use crate::model::ids::ConcentratorId;
        use crate::model::pool::FailBack;
        use crate::model::transport::Tcp;
        use crate::random::Distribution;
        use crate::units::BitRate;

        let wide = BitRate(10_000_000_000);
        let site = |(place, &patients): (usize, &u32)| Site {
            name: format!("s{place}"),
            patients,
            down: wide,
            up: wide,
            rtt: Duration(20_000_000),
        };
        let concentrator =
            |&rate: &u64| Concentrator::new("hub".to_owned(), BitRate(rate * 1_000_000), Bytes(10_000_000));
        let one = || Distribution::Fixed(1.0);
        Self {
            seed: 1,
            antithetic: false,
            calendar: Calendar::default(),
            levels: DayLevels::default(),
            bin: Duration(1_000_000_000),
            sites: patients.iter().enumerate().map(site).collect(),
            classes: vec![Class::new("c".to_owned(), Demand::Replayed, one(), one())],
            concentrators: throughputs.iter().map(concentrator).collect(),
            pools: vec![Pool {
                name: "all".to_owned(),
                concentrators: (0..throughputs.len()).map(ConcentratorId::of).collect(),
                balancer,
                fail_back: FailBack::ByHand,
            }],
            pool_of: vec![PoolId(0); patients.len()],
            tunnels: TunnelTerms::default(),
            faults: Vec::new(),
            changes: Vec::new(),
            transport: Transport::Tcp(Tcp::default()),
            fidelity: Fidelity::Flow,
            replay: None,
        }
    }
}
