//! What a transaction costs its concentrator, and what it would take through an idle network.

use crate::model::{Class, Codec, Concentrator, Ingredient, Site, SiteId, Tcp, Transport};
use crate::sim::cost::{PriorTraffic, ServiceCost, TunnelLimit, TurnCost};
use crate::sim::observer::Parts;
use crate::sim::route::{Route, packets_per_second};
use crate::sim::turn::{TransactionId, Turn};
use crate::units::Bytes;

/// A turn of a transaction, and the work of a segment of its response, with all that comes with it [bit].
#[derive(Clone, Copy, Debug)]
pub struct PricedTurn {
    /// Its sizes.
    pub turn: Turn,
    /// Work of a segment of the response, acknowledgements included [bit].
    pub segment: f64,
}

impl PricedTurn {
    /// No turn.
    pub const NONE: Self = Self { turn: Turn::NONE, segment: 0.0 };
}

/// The turns of all transactions, a row each, as long as the longest.
#[derive(Clone, Debug)]
pub struct TurnRows {
    turns: Vec<PricedTurn>,
    most: usize,
}

impl TurnRows {
    /// No rows, for transactions of these classes.
    #[must_use]
    pub fn new(classes: &[Class]) -> Self {
        let most = classes.iter().map(|class| usize::from(class.turns)).max().unwrap_or(1);
        Self { turns: Vec::new(), most }
    }

    /// Makes room for `rows` rows.
    pub fn grow(&mut self, rows: usize) {
        self.turns.resize(rows * self.most, PricedTurn::NONE);
    }

    /// One turn of a transaction.
    #[inline]
    #[must_use]
    pub fn of(&self, id: TransactionId, turn: u8) -> &PricedTurn {
        &self.turns[id as usize * self.most + usize::from(turn)]
    }

    /// The row of a transaction.
    #[inline]
    #[must_use]
    pub fn row(&self, id: TransactionId) -> &[PricedTurn] {
        &self.turns[id as usize * self.most..][..self.most]
    }

    /// The row of a transaction, to be filled.
    #[inline]
    pub fn row_mut(&mut self, id: TransactionId) -> &mut [PricedTurn] {
        &mut self.turns[id as usize * self.most..][..self.most]
    }
}

/// The price list of a concentrator.
#[derive(Clone, Debug)]
pub struct Pricing {
    /// Throughput without brown-outs [bit/s].
    nominal: f64,
    cost: ServiceCost,
    /// None where transport is ideal.
    turn_cost: Option<TurnCost>,
    transport: Transport,
    tunnel_limit: TunnelLimit,
    paths: Vec<IdlePath>,
}

/// The path to a site without queues.
#[derive(Clone, Copy, Debug)]
struct IdlePath {
    /// Round trip [s].
    rtt: f64,
    /// Rate from the site [bit/s].
    up: f64,
    /// Rate towards the site that its calls leave [bit/s of work].
    access: f64,
}

impl Pricing {
    /// The prices of a concentrator for transfers to these sites.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    #[must_use]
    pub fn new(concentrator: &Concentrator, transport: Transport, sites: &[Site]) -> Self {
        let cost = ServiceCost::of(concentrator).expect("a checked concentrator has a cost");
        let mut pricing = Self {
            nominal: concentrator.carries().0.bits(),
            cost,
            turn_cost: turn_cost(cost, transport),
            transport,
            tunnel_limit: TunnelLimit::of(concentrator, &cost, transport),
            paths: Vec::new(),
        };
        let scale = pricing.per_access_bit();
        let path = |site: &Site| IdlePath {
            rtt: site.rtt.secs(),
            up: site.up.bits(),
            access: pricing.tunnel_limit.access_rate(site, scale),
        };
        pricing.paths = sites.iter().map(path).collect();
        pricing
    }

    /// A call of the site begins, or ends (`packets` per second below zero).
    pub fn add_stream(&mut self, site: SiteId, packet: Bytes, packets: f64) {
        let taken = self.tunnel_limit.stream(&self.cost, self.per_access_bit(), packet, packets);
        self.paths[site.index()].access -= taken;
    }

    /// Another device: what packets cost is its own from now on, also for the `calls` in progress.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    pub fn replace_device(&mut self, concentrator: &Concentrator, sites: &[Site], calls: &[(Route, Codec)]) {
        for (route, codec) in calls {
            self.add_stream(route.site, codec.packet, -packets_per_second(*codec));
        }
        self.nominal = concentrator.carries().0.bits();
        let before = self.per_access_bit();
        self.cost = ServiceCost::of(concentrator).expect("a checked concentrator has a cost");
        self.turn_cost = turn_cost(self.cost, self.transport);
        let after = self.per_access_bit();
        for (path, site) in self.paths.iter_mut().zip(sites) {
            let rate = |scale: f64| self.tunnel_limit.access_rate(site, scale);
            path.access -= rate(before) - rate(after);
        }
        for (route, codec) in calls {
            self.add_stream(route.site, codec.packet, packets_per_second(*codec));
        }
    }

    /// Bits of work per bit that crosses an access link.
    fn per_access_bit(&self) -> f64 {
        self.cost.access_scale(self.transport)
    }

    /// Prices the turns of a transaction: the work of all [bit], and the time that they would take through an idle
    /// network [s].
    #[inline]
    pub fn price(&self, class: &Class, site: SiteId, turns: &mut [PricedTurn]) -> (f64, Parts) {
        let IdlePath { rtt, up, access } = self.paths[site.index()];
        let idle = IdleLinks::new(self.nominal, access, rtt);
        let asking = IdleLinks { slower: 1.0 / up, faster: 0.0, rtt };
        match (&self.transport, &self.turn_cost) {
            (Transport::Tcp(tcp), Some(cost)) => price_over_tcp(tcp, cost, class, turns, (idle, asking)),
            _ => price_ideal(turns, idle),
        }
    }
}

fn turn_cost(cost: ServiceCost, transport: Transport) -> Option<TurnCost> {
    transport.tcp().map(|tcp| cost.over(tcp))
}

#[inline]
fn price_over_tcp(
    tcp: &Tcp,
    cost: &TurnCost,
    class: &Class,
    turns: &mut [PricedTurn],
    (idle, asking): (IdleLinks, IdleLinks),
) -> (f64, Parts) {
    let server = class.server.secs();
    let (mut cwnd, mut asking_cwnd) = (tcp.window, tcp.window);
    let mut crossed = PriorTraffic::default();
    let (mut all, mut time) = (0.0, Parts { trips: if class.connects { idle.rtt } else { 0.0 }, ..Parts::default() });
    for PricedTurn { turn, segment } in turns {
        let work = cost.turn(class, turn, crossed);
        let segments = turn.response_segments.max(1);
        *segment = work / f64::from(segments);
        let sending = idle.slow_start(tcp, &mut cwnd, segments, *segment);
        let transfer = (work * idle.slower).min(sending);
        let (requests, bits) = (turn.request_segments.max(1), turn.request.bits());
        let ask = asking.slow_start(tcp, &mut asking_cwnd, requests, bits / f64::from(requests));
        let asked = (bits * asking.slower).min(ask);
        time.trips += idle.rtt + server + sending - transfer + ask - asked;
        time.transfer += asked + transfer;
        all += work;
        crossed = crossed.and(turn);
    }
    (all, time)
}

fn price_ideal(turns: &mut [PricedTurn], idle: IdleLinks) -> (f64, Parts) {
    let mut all = 0.0;
    for PricedTurn { turn, segment } in turns {
        let work = turn.response.bits();
        *segment = work / f64::from(turn.response_segments.max(1));
        all += work;
    }
    (all, Parts { transfer: all * idle.slower, ..Parts::default() })
}

/// Concentrator and access link without other traffic.
#[derive(Clone, Copy)]
struct IdleLinks {
    /// Time that a bit takes on the slower and on the faster of the two [s].
    slower: f64,
    faster: f64,
    rtt: f64,
}

impl IdleLinks {
    /// Rates of the two [bit/s], and the round trip [s].
    fn new(throughput: f64, access: f64, rtt: f64) -> Self {
        let (least, most) = (throughput.min(access), throughput.max(access));
        Self { slower: 1.0 / least, faster: 1.0 / most, rtt }
    }

    /// Time from the first segment's start to the last one's end at the site, without the half round trip [s]. The
    /// window doubles each round trip until its segments take as long as that.
    fn slow_start(&self, tcp: &Tcp, cwnd: &mut u32, mut left: u32, segment: f64) -> f64 {
        let trip = segment * (self.slower + self.faster) + self.rtt;
        let mut time = 0.0;
        loop {
            let sent = left.min(*cwnd);
            let sending = f64::from(sent) * segment * self.slower;
            if sent == left {
                return time + sending + segment * self.faster;
            }
            if sending >= trip || !tcp.has(Ingredient::SlowStart) {
                return time + f64::from(left) * segment * self.slower;
            }
            time += trip;
            left -= sent;
            *cwnd = cwnd.saturating_mul(2).min(tcp.most);
        }
    }
}
