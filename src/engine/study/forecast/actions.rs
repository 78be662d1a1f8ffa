//! Actions: some that stand for all of a class, and what one of them takes under conditions that stand still.

use crate::model::{Class, Concentrator, Ingredient, Site, SiteId, Tcp, Transport};
use crate::random::{Distribution, Key};
use crate::sim::fluid::site_access::PathState;
use crate::sim::fluid::transfer::WindowState;
use crate::sim::pricing::{PricedTurn, Pricing};
use crate::sim::turn::{Turn, segment_size};
use crate::units::Bytes;

/// Actions that stand for a class: each for as many of all.
pub const ACTIONS: usize = 48;
/// Drawn for each of them.
const DRAWN: usize = 32;

/// An action.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its turns.
    pub turns: Vec<PricedTurn>,
    /// Work of all of them [bit].
    pub work: f64,
    /// What it takes on an idle network [s].
    pub idle: f64,
}

/// Sizes of requests and responses [byte], by action and turn.
pub type Sizes = Vec<Vec<(f64, f64)>>;

/// Sizes of the actions of a class: each action stands for as many of all. Sizes are spread over their distribution evenly, and those
/// of the turns of one are put together at random (Latin hypercube sampling: `McKay`, Beckman & Conover 1979); of those that are about
/// as large, one stands for all.
#[must_use]
pub fn typical_sizes(class: &Class) -> Sizes {
    drawn(class).chunks(DRAWN).map(typical).collect()
}

/// The actions of a class at a concentrator, from their sizes.
#[must_use]
pub fn actions(
    class: &Class,
    sizes: &[Vec<(f64, f64)>],
    concentrator: &Concentrator,
    transport: Transport,
    site: &Site,
) -> Vec<Action> {
    let segment = segment_size(transport.tcp());
    let pricing = Pricing::new(concentrator, transport, std::slice::from_ref(site));
    let one = |sizes: &Vec<(f64, f64)>| {
        let turn = |(request, response): &(f64, f64)| PricedTurn {
            turn: Turn::new(bytes(*request), bytes(*response), segment),
            segment: 0.0,
        };
        let mut turns: Vec<PricedTurn> = sizes.iter().map(turn).collect();
        let (work, parts) = pricing.price(class, SiteId(0), &mut turns);
        Action { turns, work, idle: parts.sum() }
    };
    sizes.iter().map(one).collect()
}

/// Sizes of requests and responses of many actions, the smallest first.
fn drawn(class: &Class) -> Sizes {
    const ALL: usize = ACTIONS * DRAWN;
    #[allow(clippy::cast_precision_loss)] // some thousand
    let spread = |law: &Distribution, dimension: u64| -> Vec<f64> {
        let mut values: Vec<f64> = (0..ALL).map(|number| law.quantile((number as f64 + 0.5) / ALL as f64)).collect();
        let mut stream = Key::new(0, 0).stream(dimension);
        for last in (1..ALL).rev() {
            #[allow(clippy::cast_possible_truncation)] // some thousand
            values.swap(last, stream.below(last as u32 + 1) as usize);
        }
        values
    };
    let turns: Vec<(Vec<f64>, Vec<f64>)> = (0..u64::from(class.turns))
        .map(|turn| (spread(&class.request, 2 * turn), spread(&class.response, 2 * turn + 1)))
        .collect();
    let action = |number: usize| turns.iter().map(|(asked, answered)| (asked[number], answered[number])).collect();
    let mut all: Sizes = (0..ALL).map(action).collect();
    all.sort_by(|a, b| size(a).total_cmp(&size(b)));
    all
}

fn size(turns: &[(f64, f64)]) -> f64 {
    turns.iter().map(|(asked, answered)| asked + answered).sum()
}

/// The one whose size is nearest to the mean of some, made as large as that.
fn typical(alike: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let mean = crate::stats::mean(&alike.iter().map(|turns| size(turns)).collect::<Vec<_>>());
    let off = |turns: &[(f64, f64)]| (size(turns) - mean).abs();
    let nearest = alike.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
    let nearest = nearest.map_or(&[][..], Vec::as_slice);
    let scale = mean / size(nearest).max(1e-9);
    nearest.iter().map(|(asked, answered)| (*asked, answered * scale)).collect()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // sizes
fn bytes(value: f64) -> Bytes {
    Bytes((value + 0.5).max(1.0) as u64)
}

/// Conditions on the way between a concentrator and a site, as they stand.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// What a window meets.
    pub path: PathState,
    /// The same while the queue is full to the brim.
    pub brim: PathState,
    /// Share of time in which it is.
    pub at_brim: f64,
    /// Round trip without queues [s].
    pub rtt: f64,
    /// Rate from the site [bit/s].
    pub up: f64,
    /// What a small packet towards the headend waits until its turn [s].
    pub turn_wait: f64,
    /// Rate of a flow that shares [bit/s].
    pub rate: f64,
}

/// What an action takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Taken {
    /// Time without what it shares for [s].
    pub time: f64,
    /// Work for which it shares the concentrator [bit].
    pub shared: f64,
    /// Work of its bursts [bit].
    pub bursts: f64,
    /// The sum of their squares [bit^2].
    pub squares: f64,
}

impl Conditions {
    /// What an action takes, window by window as at fluid fidelity.
    #[must_use]
    pub fn take(&self, class: &Class, action: &Action, tcp: &Tcp, number: usize) -> Taken {
        let mut window = WindowState { cwnd: tcp.window, ..WindowState::default() };
        let mut taken = Taken::default();
        let small_wait = self.path.wait + self.turn_wait;
        let up_wait = if self.path.both { small_wait } else { 0.0 };
        if class.connects {
            taken.time += self.rtt + small_wait + self.path.access_queue + up_wait;
        }
        let mut round = number;
        for PricedTurn { turn, segment } in &action.turns {
            taken.time += self.rtt / 2.0 + class.server.secs() + up_wait + turn.request.bits() / self.up;
            window.begin_response(tcp, turn, *segment, None);
            self.respond(tcp, &mut window, &mut round, &mut taken);
        }
        taken
    }

    /// A response, from its first window to its last.
    fn respond(&self, tcp: &Tcp, window: &mut WindowState, round: &mut usize, taken: &mut Taken) {
        loop {
            *round += 1;
            let path = if chance(*round) < self.at_brim { &self.brim } else { &self.path };
            let (segment, sent) = (window.segment, window.cwnd.min(window.left));
            let work = f64::from(sent) * segment;
            let delay = path.burst_delay(work, segment);
            let first = delay.first + self.rtt + path.up_wait();
            if path.is_left_to_sharing(window, sent, &delay, first) {
                taken.shared += f64::from(window.left) * segment;
                taken.time += self.rtt / 2.0 + path.access_queue;
                return;
            }
            let accepted = if tcp.has(Ingredient::Losses) {
                path.accepted(sent, segment, window.ack_clocked, window.congestion_avoidance)
            } else {
                sent
            };
            window.ack_clocked = true;
            window.left -= accepted;
            let burst = f64::from(accepted) * segment;
            taken.bursts += burst;
            taken.squares += burst * burst;
            if window.left == 0 {
                taken.time += delay.last + self.rtt / 2.0;
                return;
            }
            taken.time += window.after(tcp, sent, accepted, first);
        }
    }
}

/// Chance of a window, from its number: evenly spread (Weyl's sequence of the golden ratio).
#[allow(clippy::cast_precision_loss)] // some thousand
fn chance(number: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    (number as f64 * GOLDEN).fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Demand;

    /// Sums of several lognormal sizes, against many draws: the mean, and the larger ones.
    #[test]
    fn a_few_actions_stand_for_all() {
        let law = Distribution::lognormal(30_000.0, 1.2, (500.0, 2e6)).unwrap();
        let one = Class::new("c".to_owned(), Demand::Replayed, Distribution::Fixed(2_000.0), law);
        let class = Class { turns: 4, ..one };
        let sizes: Vec<f64> = typical_sizes(&class).iter().map(|turns| size(turns) - 8_000.0).collect();
        let mut stream = Key::new(3, 0).stream(0);
        let mut draw = || (0..4).map(|_| class.response.sample(&mut stream)).sum::<f64>();
        let many: Vec<f64> = (0..40_000).map(|_| draw()).collect();
        let off = |of: &dyn Fn(&[f64]) -> f64| of(&sizes) / of(&many) - 1.0;
        assert!(off(&crate::stats::mean).abs() < 0.02, "{}", off(&crate::stats::mean));
        for p in [0.5, 0.9, 0.95] {
            let apart = off(&|values| crate::stats::quantile(values, p));
            assert!(apart.abs() < 0.06, "{p}: {apart}");
        }
    }
}
