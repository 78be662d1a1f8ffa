//! What actions meet at a concentrator: the conditions that there are, each with the share of time in which it is so.

use crate::model::{Class, Site, Tcp};
use crate::sim::fluid::site_access::PathState;
use crate::sim::fluid::standing_queue::{access_queue, size};
use crate::study::forecast::actions::{ACTIONS, Action, Conditions, Taken};
use crate::study::forecast::concentrator::ConcentratorState;
use crate::study::forecast::group::Group;
use crate::study::forecast::in_progress::Shared;
use crate::study::forecast::lane::burst_wait;
use crate::units::float;

/// Conditions that hold for so little of the time are left out.
const RARE: f64 = 2e-3;
/// Conditions that differ by no more than this share are alike.
const ALIKE: f64 = 0.04;

/// Conditions, and for what share of the time they hold.
#[derive(Clone, Copy, Debug)]
pub struct Met {
    /// Share of the time.
    pub share: f64,
    /// The conditions.
    pub conditions: Conditions,
}

/// What the actions of a group take under all conditions that it meets.
#[derive(Clone, Debug, Default)]
pub struct Price {
    /// By conditions: their share of the time, and what each action takes.
    pub taken: Vec<(Met, Vec<Taken>)>,
}

/// The conditions that a group of transfers meets.
#[must_use]
pub fn met(concentrator: &ConcentratorState, group: &Group, like: &Site, (rtt, access_buffer): (f64, f64)) -> Vec<Met> {
    let lane = &concentrator.lanes[concentrator.plan.queue_of[group.class]];
    let at_site = concentrator.at_site[group.kind];
    // Most of a class is at the larger sites, and so is what it meets there.
    let busy = (at_site / (1.0 + at_site) * group.uneven).min(1.0);
    // A site's link holds its transfers back where there are so many that they could have more than it carries.
    let bound = |one: f64| crate::elementary::pow(busy, (group.access / one.clamp(1.0, group.access) - 1e-6).ceil());
    let (when_full, else_bound) = (bound(lane.share), bound(concentrator.alone[group.kind]));
    let mut all = Vec::new();
    for (full, share) in [(false, 1.0 - lane.full), (true, lane.full)] {
        let bound = if full { when_full } else { else_bound };
        for (held, part) in [(false, 1.0 - bound), (true, bound)] {
            let share = share * part;
            if share > RARE {
                let conditions = conditions(concentrator, group, like, (rtt, access_buffer), (full, held));
                all.push(Met { share, conditions });
            }
        }
    }
    let sum: f64 = all.iter().map(|met| met.share).sum();
    for met in &mut all {
        met.share /= sum.max(1e-9);
    }
    all
}

/// Conditions while the lane is full, or not, and the site's access link holds back a transfer, or does not.
fn conditions(
    concentrator: &ConcentratorState,
    group: &Group,
    like: &Site,
    (rtt, access_buffer): (f64, f64),
    (full, held): (bool, bool),
) -> Conditions {
    let place = concentrator.plan.queue_of[group.class];
    let lane = &concentrator.lanes[place];
    let (by_flow, by_site) = concentrator.turns(place);
    let in_turn = by_flow || by_site;
    let found = if full { lane.stands } else { 0.0 };
    let backlog = concentrator.burst_wait(place) * lane.open;
    let wait = if in_turn { 0.0 } else { (found + backlog) / lane.open };
    let others = if held { 1.0 + concentrator.at_site[group.kind] } else { 0.0 };
    let of_access = group.access / (1.0 + others);
    let fair = if full { lane.share.min(of_access) } else { of_access }.max(1.0);
    let access = group.access.max(1.0);
    let stood = if held {
        let holds = access * (rtt + access_buffer);
        access_queue(lane.lasts.max(1e-3), access_buffer, size(holds, concentrator.segment.max(1.0)))
    } else {
        0.0
    };
    let access_wait = burst_wait(concentrator.site_bursts[group.kind], group.batch, access)
        + concentrator.site_backlog[group.kind] / access;
    let access_room = (access_buffer - access_wait - stood) * access;
    let buffer = concentrator.plan.queues[place].holds(concentrator.terms.buffer.bits());
    let slowness = if in_turn && full { 1.0 / fair } else { 1.0 / lane.open };
    let path = PathState {
        wait,
        slowness,
        fair,
        room: (buffer - found - backlog).min(access_room),
        shared: if in_turn { backlog } else { 0.0 },
        access_slowness: 1.0 / access,
        access_wait,
        access_queue: stood,
        both: concentrator.both(),
        held_back: full && !by_site,
    };
    let brim = if full && lane.stands > 0.0 {
        PathState { wait: (buffer + backlog) / lane.open, room: -backlog, ..path }
    } else {
        path
    };
    let turn_wait = if in_turn && full { (concentrator.segment / fair).min(buffer / concentrator.rate) } else { 0.0 };
    Conditions {
        path,
        brim,
        at_brim: if full { lane.at_brim } else { 0.0 },
        rtt,
        up: like.up.bits(),
        turn_wait,
        rate: if full { group.rate_full } else { of_access.max(group.rate) },
    }
}

impl Conditions {
    /// Whether an action meets next to the same in both.
    fn is_like(&self, other: &Self) -> bool {
        let near = |a: f64, b: f64, least: f64| (a - b).abs() <= ALIKE * a.abs().max(b.abs()).max(least);
        let (a, b) = (&self.path, &other.path);
        // Waits of less than a millisecond are none.
        near(a.wait, b.wait, 0.02)
            && near(a.slowness, b.slowness, 1e-12)
            && near(a.fair, b.fair, 1.0)
            && near(a.room, b.room, 1e4)
            && near(a.access_slowness, b.access_slowness, 1e-12)
            && near(a.access_wait, b.access_wait, 0.02)
            && near(a.access_queue, b.access_queue, 0.02)
            && near(self.at_brim, other.at_brim, 0.2)
            && near(self.turn_wait, other.turn_wait, 0.02)
            && a.held_back == b.held_back
    }
}

impl Price {
    /// Works out what actions take, where conditions have changed.
    pub fn update(&mut self, all: Vec<Met>, class: &Class, actions: &[Action], tcp: Option<&Tcp>, trips: [f64; 3]) {
        let alike = self.taken.len() == all.len()
            && self.taken.iter().zip(&all).all(|((old, _), new)| old.conditions.is_like(&new.conditions));
        if alike {
            for ((old, _), new) in self.taken.iter_mut().zip(&all) {
                old.share = new.share;
                old.conditions.rate = new.conditions.rate;
            }
            return;
        }
        let before = std::mem::take(&mut self.taken);
        for met in all {
            let known = before.iter().find(|(old, _)| old.conditions.is_like(&met.conditions));
            let taken = match known {
                Some((old, taken)) => (
                    Met { conditions: Conditions { rate: met.conditions.rate, ..old.conditions }, ..met },
                    taken.clone(),
                ),
                None => (met, take_all(&met.conditions, class, actions, tcp, trips)),
            };
            self.taken.push(taken);
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// Work of the bursts of an action [bit], and the sum of their squares.
    #[must_use]
    pub fn bursts(&self) -> (f64, f64) {
        let mean = |of: fn(&Taken) -> f64| self.mean(of);
        (mean(|one| one.bursts), mean(|one| one.squares))
    }

    /// Tells how long actions take that are over while conditions hold: which action, the share of all that it stands for, and
    /// the time [s].
    pub fn latencies(&self, mut tell: impl FnMut(usize, f64, f64)) {
        for (met, taken) in &self.taken {
            for (action, one) in taken.iter().enumerate() {
                tell(
                    action,
                    met.share / float(taken.len() as u64),
                    one.time + one.shared / met.conditions.rate.max(1.0),
                );
            }
        }
    }

    fn mean(&self, of: fn(&Taken) -> f64) -> f64 {
        let mean = |taken: &[Taken]| taken.iter().map(of).sum::<f64>() / float(taken.len() as u64);
        self.taken.iter().map(|(met, taken)| met.share * mean(taken)).sum()
    }

    /// For how much each action shares on average [bit].
    #[must_use]
    pub fn shared(&self) -> Shared {
        let mut shared = [0.0; ACTIONS];
        for (met, taken) in &self.taken {
            for (sum, one) in shared.iter_mut().zip(taken) {
                *sum += met.share * one.shared;
            }
        }
        shared
    }

    /// Mean time of an action without what it shares for [s].
    #[must_use]
    pub fn rounds(&self) -> f64 {
        self.mean(|one| one.time)
    }
}

fn take_all(
    conditions: &Conditions,
    class: &Class,
    actions: &[Action],
    tcp: Option<&Tcp>,
    trips: [f64; 3],
) -> Vec<Taken> {
    let one = |(number, action): (usize, &Action)| match tcp {
        Some(tcp) => {
            let here = Conditions { rtt: trips[number % 3], ..*conditions };
            here.take(class, action, tcp, number * 37)
        }
        None => Taken { time: 0.0, shared: action.work, ..Taken::default() },
    };
    actions.iter().enumerate().map(one).collect()
}
