//! Disciplines as queues: which classes share one, which goes first, and how a capacity is split among them.

use std::ops::Range;

use crate::model::{ClassId, Discipline, MAX_CLASSES, Treatment, Turns};
use crate::sim::fluid::sharing::{Fairness, exact_weight};
use crate::units::BitRate;

/// One queue of a concentrator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassQueueTerms {
    /// Lower ranks are served strictly first.
    pub rank: u8,
    /// Weight among queues of the same rank; none means as many as it has flows.
    pub weight: Option<f64>,
    /// How its sites share.
    pub fairness: Fairness,
    /// Cap on all sites together [bit/s].
    pub total: f64,
    /// Cap on each site [bit/s].
    pub per_site: f64,
}

impl ClassQueueTerms {
    /// Bits that it queues: those of its cap, else the buffer of the concentrator.
    #[must_use]
    pub fn holds(&self, buffer: f64) -> f64 {
        if self.total.is_finite() { cap_holds(self.total) } else { buffer }
    }
}

/// Caps in force for a class [bit/s]; infinite where there is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// All sites together.
    pub total: f64,
    /// Each site.
    pub per_site: f64,
}

impl Shape {
    /// No cap.
    pub const NONE: Self = Self { total: f64::INFINITY, per_site: f64::INFINITY };

    /// From caps that may be absent.
    #[must_use]
    pub fn of(total: Option<BitRate>, per_site: Option<BitRate>) -> Self {
        let rate = |rate: Option<BitRate>| rate.map_or(f64::INFINITY, BitRate::bits);
        Self { total: rate(total), per_site: rate(per_site) }
    }
}

/// Bits that a cap of this rate queues: a fifth of a second, and at least 512 kbit.
#[must_use]
pub fn cap_holds(rate: f64) -> f64 {
    (0.2 * rate).max(512_000.0)
}

/// How a concentrator serves: its queues, and where each class goes.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuePlan {
    /// Queues by rank.
    pub queues: Vec<ClassQueueTerms>,
    /// The queue of each class.
    pub queue_of: Vec<usize>,
    /// Weight of a flow of each class within its queue.
    pub flow_weight: Vec<f64>,
    /// Whether the flows of a queue take turns.
    pub turns_by_flow: bool,
}

/// The queues of a discipline under the shaping in force, for classes of these names ([`crate::random::name_of`]). Classes that
/// are treated alike share a queue; a shaped class has one of its own. Queues of a rank stand in the order of the names, so that
/// the order in which classes are listed does not decide whose turn comes first.
#[must_use]
pub fn plan(discipline: &Discipline, shapes: &[Shape], names: &[u64]) -> QueuePlan {
    let mut order: Vec<usize> = (0..shapes.len()).collect();
    order.sort_unstable_by_key(|&class| (names[class], class));
    let place = |class: usize| order.iter().position(|&other| other == class).unwrap_or(0);
    let has_own_queue = |class: usize| discipline.treatment(ClassId::of(class)).has_own_queue;
    let group = |class: usize| if has_own_queue(class) { 1 + place(class) } else { 0 };
    let wanted: Vec<(usize, ClassQueueTerms)> =
        (0..shapes.len()).map(|class| (group(class), queue(discipline, class, shapes[class]))).collect();
    let mut keys: Vec<(u8, usize, Option<usize>)> = Vec::new();
    let key = |class: usize| {
        let (group, queue) = wanted[class];
        (queue.rank, group, (shapes[class] != Shape::NONE).then(|| place(class)))
    };
    keys.extend((0..shapes.len()).map(key));
    keys.sort_unstable();
    keys.dedup();
    let queue_of: Vec<usize> =
        (0..shapes.len()).map(|class| keys.partition_point(|other| *other < key(class))).collect();
    let queues = (0..keys.len())
        .map(|index| {
            let class = queue_of.iter().position(|&queue| queue == index);
            wanted[class.unwrap_or_default()].1
        })
        .collect();
    let flow_weight = (0..shapes.len()).map(|class| flow_weight(discipline, class)).collect();
    QueuePlan { queues, queue_of, flow_weight, turns_by_flow: discipline.turns() == Turns::ByFlow }
}

fn queue(discipline: &Discipline, class: usize, shape: Shape) -> ClassQueueTerms {
    let Treatment { rank, weight, .. } = discipline.treatment(ClassId::of(class));
    let fairness = if discipline.turns() == Turns::BySite { Fairness::BySite } else { Fairness::ByFlow };
    ClassQueueTerms { rank, weight, fairness, total: shape.total, per_site: shape.per_site }
}

fn flow_weight(discipline: &Discipline, class: usize) -> f64 {
    match discipline.turns() {
        Turns::ByFlow => exact_weight(discipline.treatment(ClassId::of(class)).flow_weight),
        Turns::None | Turns::BySite => 1.0,
    }
}

impl QueuePlan {
    /// The queue of a class.
    #[must_use]
    pub fn queue_of(&self, class: ClassId) -> usize {
        self.queue_of[class.index()]
    }

    /// Splits `capacity` over the queues: rank by rank, inside a rank in proportion to weight, and what one
    /// cannot use goes to the others (generalised processor sharing; Parekh & Gallager 1993, section II).
    ///
    /// `demand` gives weight and greatest useful rate of each queue; the result is its rate.
    #[must_use]
    pub fn split(&self, capacity: f64, demand: &[(f64, f64)]) -> [f64; MAX_CLASSES] {
        let mut given = [0.0; MAX_CLASSES];
        let mut left = capacity;
        for Range { start: from, end: until } in self.ranks() {
            fill(left, &demand[from..until], &mut given[from..until]);
            left = (left - given[from..until].iter().sum::<f64>()).max(0.0);
        }
        given
    }

    /// Whether queues of one rank share by weight.
    #[must_use]
    pub fn shares_by_weight(&self) -> bool {
        self.queues.windows(2).any(|pair| pair[0].rank == pair[1].rank && pair[0].weight.is_some())
    }

    /// Whether all classes are in one line, first come, first served: caps hold a class back before it.
    #[must_use]
    pub fn is_one_line(&self) -> bool {
        let alike = |weight: &f64| weight.to_bits() == self.flow_weight[0].to_bits();
        let rank = self.queues.first().map(|queue| queue.rank);
        let plain = |queue: &ClassQueueTerms| {
            Some(queue.rank) == rank && queue.weight.is_none() && queue.fairness == Fairness::ByFlow
        };
        self.queues.iter().all(plain) && self.flow_weight.iter().all(alike)
    }

    /// The places of the queues of each rank, the first rank first.
    pub fn ranks(&self) -> impl Iterator<Item = Range<usize>> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let rank = self.queues.get(from)?.rank;
            let start = from;
            from += self.queues[start..].iter().take_while(|queue| queue.rank == rank).count();
            Some(start..from)
        })
    }

    /// The rate that each queue could have if it wanted more, given what [`QueuePlan::split`] gave and the `bursts` of each, of which
    /// those of higher ranks go first: what its rank leaves to lower ranks, and at least its share by weight. And what higher
    /// ranks leave to its own.
    #[must_use]
    pub fn open_to(
        &self,
        capacity: f64,
        demand: &[(f64, f64)],
        given: &[f64; MAX_CLASSES],
        bursts: &[f64; MAX_CLASSES],
    ) -> [(f64, f64); MAX_CLASSES] {
        let mut open = [(0.0, 0.0); MAX_CLASSES];
        let (mut left, mut above) = (capacity, 0.0);
        for Range { start: from, end: until } in self.ranks() {
            let used: f64 = given[from..until].iter().sum();
            let busy: f64 = demand[from..until].iter().filter(|(_, size)| *size > 0.0).map(|(weight, _)| weight).sum();
            for queue in from..until {
                let (weight, size) = demand[queue];
                // An idle queue without a fixed weight would come with one flow.
                let own = self.queues[queue].weight.unwrap_or(weight.max(1.0));
                let others = if size > 0.0 { busy - weight } else { busy };
                let share = (left - above) * own / (own + others);
                let unused = given[queue] + (left - used).max(0.0) - above;
                let rate = unused.max(share).max(0.0).min(self.queues[queue].total);
                open[queue] = (rate, (left - above).max(0.0));
            }
            left = (left - used).max(0.0);
            above += bursts[from..until].iter().sum::<f64>();
        }
        open
    }
}

/// Weighted water-filling of `capacity` into vessels of (weight, size).
fn fill(capacity: f64, vessels: &[(f64, f64)], given: &mut [f64]) {
    if let [(_, size)] = vessels {
        given[0] = size.min(capacity);
        return;
    }
    let mut left = capacity;
    let mut open: f64 = vessels.iter().filter(|(_, size)| *size > 0.0).map(|(weight, _)| weight).sum();
    let mut full = [false; MAX_CLASSES];
    loop {
        let level = left / open;
        let mut changed = false;
        for (index, &(weight, size)) in vessels.iter().enumerate() {
            if !full[index] && size > 0.0 && size <= weight * level {
                full[index] = true;
                given[index] = size;
                left -= size;
                open -= weight;
                changed = true;
            }
        }
        if !changed {
            for (index, &(weight, size)) in vessels.iter().enumerate() {
                if !full[index] && size > 0.0 {
                    given[index] = (weight * level).max(0.0);
                }
            }
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_that_are_treated_alike_share_a_queue() {
        let ranks = Discipline::Priority(vec![0, 0, 1, 1]);
        let plan = plan(&ranks, &[Shape::NONE; 4], &[1, 2, 3, 4]);
        assert_eq!(plan.queue_of, [0, 0, 1, 1]);
        assert_eq!(plan.queues.len(), 2);
    }

    /// Caps hold a class back before the line of all, ranks and weights make lines of their own.
    #[test]
    fn a_cap_leaves_one_line_one_line() {
        let mut shapes = [Shape::NONE; 2];
        shapes[1].total = 5.0;
        let one_line = |discipline: Discipline| plan(&discipline, &shapes, &[1, 2]).is_one_line();
        assert!(one_line(Discipline::Fifo));
        assert!(!one_line(Discipline::Priority(vec![0, 1])));
        assert!(!one_line(Discipline::Weighted(vec![1.0, 1.0])));
        assert!(!one_line(Discipline::FairBySite));
        assert!(!one_line(Discipline::Discriminatory(vec![1.0, 2.0])));
    }

    #[test]
    fn a_shaped_class_has_its_own_queue() {
        let mut shapes = [Shape::NONE; 3];
        shapes[1].total = 5.0;
        let plan = plan(&Discipline::Fifo, &shapes, &[1, 2, 3]);
        assert_eq!(plan.queue_of, [0, 1, 0]);
        assert_eq!(plan.queues[1].total.to_bits(), 5.0_f64.to_bits());
    }

    /// 100 over weights 4:2:1 where the first needs only 10: the rest split 90 as 2:1.
    #[test]
    fn what_one_queue_cannot_use_goes_to_the_others() {
        let plan = plan(&Discipline::Weighted(vec![4.0, 2.0, 1.0]), &[Shape::NONE; 3], &[1, 2, 3]);
        let given = plan.split(100.0, &[(4.0, 10.0), (2.0, 1e9), (1.0, 1e9)]);
        assert!((given[0] - 10.0).abs() + (given[1] - 60.0).abs() + (given[2] - 30.0).abs() < 1e-9, "{given:?}");
    }

    #[test]
    fn a_lower_rank_sees_what_is_left() {
        let plan = plan(&Discipline::Priority(vec![1, 0]), &[Shape::NONE; 2], &[1, 2]);
        let (first, second) = (plan.queue_of[1], plan.queue_of[0]);
        let given = plan.split(10.0, &[(1.0, 7.0), (1.0, 7.0)]);
        assert!((given[first] - 7.0).abs() + (given[second] - 3.0).abs() < 1e-12);
    }
}
