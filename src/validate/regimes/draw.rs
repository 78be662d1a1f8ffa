//! Scenarios drawn over everything that users combine: estate, concentrator, order of service, classes, and what is special.

use crate::elementary::pow;
use crate::model::TunnelTerms;
use crate::model::{
    Arrivals, Balancer, Calendar, Cap, Cipher, Class, ClassId, Codec, Concentrator, ConcentratorId, Counts, Cumulative,
    Curfew, DayLevels, Demand, Discipline, FailBack, Fidelity, Levels, Model, Pool, PoolId, Release, Site, Tcp,
    Transport, Without,
};
use crate::random::{Distribution, Key, Stream};
use crate::sim::cost::{PriorTraffic, ServiceCost};
use crate::sim::turn::Turn;
use crate::units::{BitRate, Bytes, Duration, NANOS, Time, TimeOfDay};

/// A scenario of the suite.
#[derive(Clone, Debug)]
pub struct Regime {
    /// Its number within the seed.
    pub number: u64,
    /// What it is made of.
    pub terms: Made,
    /// The model, at flow fidelity.
    pub model: Model,
    /// What begins in this time is looked at.
    pub window: (Time, Time),
}

impl Regime {
    /// The same with ingredients of its transport left out.
    #[must_use]
    pub fn without(&self, without: Without) -> Self {
        let Transport::Tcp(tcp) = self.model.transport else { return self.clone() };
        let transport = Transport::Tcp(Tcp { without, ..tcp });
        Self { model: Model { transport, ..self.model.clone() }, ..self.clone() }
    }
}

/// What a scenario of the suite is made of.
#[derive(Clone, Debug)]
pub struct Made {
    /// Order of service.
    pub discipline: &'static str,
    /// Which directions count.
    pub counts: Counts,
    /// Turns of a clinical action.
    pub turns: u8,
    /// Whether it opens a connection.
    pub connects: bool,
    /// Whether its server takes time.
    pub server: bool,
    /// Whether people wait for answers before they ask again.
    pub people: bool,
    /// What is special.
    pub feature: Feature,
    /// Sites.
    pub sites: u32,
    /// Throughput [bit/s].
    pub rate: f64,
    /// What the buffer holds, at the throughput [s].
    pub buffer: f64,
    /// Offered load.
    pub load: f64,
}

/// A special feature of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Nothing.
    Plain,
    /// Bulk transfers wait for the end of a curfew, and all start at once.
    HerdAtOnce,
    /// The same, spread over a time.
    HerdSpread,
    /// The same, each after its own random time.
    HerdJittered,
    /// Bulk transfers are capped, all together.
    CapTotal,
    /// The same, site by site.
    CapSite,
    /// Some access links are full.
    FullAccess,
    /// Calls beside data.
    Calls,
    /// Everybody logs on at the same time.
    LogOns,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Plain,
        Self::HerdAtOnce,
        Self::HerdSpread,
        Self::HerdJittered,
        Self::CapTotal,
        Self::CapSite,
        Self::FullAccess,
        Self::Calls,
        Self::LogOns,
    ];

    /// Their names, in the same order.
    pub const NAMES: [&str; 9] = [
        "nothing special",
        "curfew, released at once",
        "curfew, spread release",
        "curfew, jittered release",
        "cap on a class",
        "cap on each site",
        "full access links",
        "calls beside data",
        "log-on storm",
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// Names of the classes that latencies are compared of, in this order in every scenario.
pub const CLASSES: [&str; 3] = ["clinical", "web", "bulk"];
/// Orders of service.
pub const DISCIPLINES: [&str; 6] = ["fifo", "priority", "weighted", "low latency", "fair by site", "discriminatory"];

/// How large scenarios are.
#[derive(Clone, Copy, Debug)]
pub struct RegimeSize {
    /// Bits that one brings on average at a load of one.
    pub bits: f64,
    /// Its shortest and longest length [s].
    pub length: (f64, f64),
    /// Throughputs, from and to [bit/s].
    pub rates: (f64, f64),
    /// Most sites.
    pub sites: f64,
    /// Time after the last arrival [s].
    pub drain: f64,
}

impl RegimeSize {
    /// Sizes that users simulate, for half a minute to two and a half.
    pub const SUITE: Self = Self { bits: 2e9, length: (24.0, 150.0), rates: (5e6, 1e9), sites: 200.0, drain: 60.0 };
    /// A few sites for a few seconds: thousands of them take a minute.
    pub const SMALL: Self = Self { bits: 4e7, length: (3.0, 8.0), rates: (5e6, 4e7), sites: 12.0, drain: 8.0 };
}

struct RegimeDraw {
    stream: Stream,
    classes: Vec<Class>,
    concentrator: Concentrator,
    tcp: Tcp,
    /// Length of the demand, and of what follows [s].
    length: f64,
    drain: f64,
}

/// The `number`-th scenario of a seed.
#[must_use]
pub fn case(seed: u64, number: u64, scale: RegimeSize) -> Regime {
    let mut stream = Key::new(seed, 0).stream(number);
    let discipline = stream.below(6) as usize;
    // A plain scenario is twice as likely as any other.
    let feature = Feature::ALL[(stream.below(10) as usize).saturating_sub(1)];
    let rate = among_log(&mut stream, scale.rates.0, scale.rates.1).round();
    let sites = whole(among_log(&mut stream, 3.0, scale.sites));
    let buffer = among_log(&mut stream, 0.010, 0.200);
    let load = among(&mut stream, 0.2, 1.4);
    let counts = if stream.uniform() < 0.6 { Counts::Both } else { Counts::Down };
    let turns = [1, 1, 2, 3, 4, 6][stream.below(6) as usize];
    let connects = stream.uniform() < 0.5;
    let server = stream.uniform() < 0.3;
    let people = stream.uniform() < 0.5;
    let terms = Made {
        discipline: DISCIPLINES[discipline],
        counts,
        turns,
        connects,
        server,
        people,
        feature,
        sites,
        rate,
        buffer,
        load,
    };
    let mut draw = RegimeDraw {
        classes: Vec::new(),
        concentrator: Concentrator {
            cipher: Cipher::AesGcm,
            counts,
            ..Concentrator::new("hub".to_owned(), BitRate(bits(rate)), Bytes(bits(buffer * rate / 8.0)))
        },
        tcp: Tcp::default(),
        length: (scale.bits / rate).clamp(scale.length.0, scale.length.1),
        drain: scale.drain,
        stream,
    };
    let estate = draw.estate(&terms);
    draw.classes(&terms);
    draw.concentrator.discipline = draw.discipline(discipline);
    let length = draw.length;
    let mut model = draw.model(estate);
    if let Feature::CapTotal | Feature::CapSite = feature {
        let share = among(&mut Key::new(seed, 1).stream(number), 0.1, 0.5);
        let each = if feature == Feature::CapSite { f64::from(sites).sqrt() } else { 1.0 };
        let cap = Some(BitRate(bits((share * rate / each).max(100_000.0))));
        let (total, per_site) = if feature == Feature::CapSite { (None, cap) } else { (cap, None) };
        model.cap(ClassId(2), Cap { from: Time(0), until: Time::NEVER, total, per_site });
    }
    Regime { number, terms, model, window: (at(length / 6.0), at(length)) }
}

impl RegimeDraw {
    fn estate(&mut self, terms: &Made) -> Vec<Site> {
        // Access links are so wide that the concentrator holds traffic up, unless they are to be full.
        let fair = terms.rate / f64::from(terms.sites);
        (0..terms.sites)
            .map(|place| {
                let usual = [10e6, 20e6, 40e6, 80e6, 100e6, 1e9][self.stream.below(6) as usize];
                let narrow = terms.feature == Feature::FullAccess && place % 3 == 0;
                let down = if narrow {
                    (fair * among(&mut self.stream, 0.4, 1.2)).max(1e6)
                } else {
                    f64::max(usual, 4.0 * fair)
                };
                let up = down / [1.0, 2.0, 4.0][self.stream.below(3) as usize];
                Site {
                    name: format!("site-{place}"),
                    patients: 500 + self.stream.below(12_000),
                    down: BitRate(bits(down)),
                    up: BitRate(bits(up)),
                    rtt: Duration::of_secs(among_log(&mut self.stream, 0.004, 0.060)),
                }
            })
            .collect()
    }

    fn classes(&mut self, terms: &Made) {
        let rate = terms.rate;
        let own = |low: f64, high: f64, most: f64, stream: &mut Stream| among_log(stream, low, high).min(most);
        let clinical = own(8e3, 60e3, rate / 8.0 * 0.05, &mut self.stream);
        let web = own(60e3, 600e3, rate / 8.0 * 0.2, &mut self.stream);
        let bulk = own(1e6, 30e6, rate / 8.0 * 2.0, &mut self.stream);
        let shares = [1.0, 1.0, 0.7].map(|most| most * (0.2 + self.stream.uniform()));
        let turns = |turns: u8, connects: bool, server: u64, class: Class| Class {
            turns,
            connects,
            server: Duration(server),
            ..class
        };
        let lognormal = |mean: f64, sigma: f64| {
            Distribution::lognormal(mean, sigma, (200.0, 20.0 * mean)).unwrap_or(Distribution::Fixed(mean))
        };
        let request = || lognormal(800.0, 0.5);
        let class =
            |name: &str, response: Distribution| Class::new(name.to_owned(), Demand::Replayed, request(), response);
        let server = if terms.server { NANOS / 20 } else { 0 };
        let others = [1, 1, 2, 4][self.stream.below(4) as usize];
        let opens = self.stream.uniform() < 0.7;
        self.classes = vec![
            turns(terms.turns, terms.connects, server, class(CLASSES[0], lognormal(clinical, 1.1))),
            turns(others, opens, 0, class(CLASSES[1], lognormal(web, 1.2))),
            class(CLASSES[2], Distribution::Fixed(bulk)),
        ];
        let load = match terms.feature {
            Feature::Calls => terms.load - self.calls(terms),
            Feature::LogOns => terms.load - self.log_ons(terms),
            _ => terms.load,
        };
        let whole: f64 = shares.iter().sum();
        for (place, share) in shares.into_iter().enumerate() {
            let work = self.mean_work(place);
            let per_second = load.max(0.1) * share / whole * rate / work;
            self.classes[place].demand = self.demand(place, per_second, terms);
        }
    }

    /// Demand of so many transactions a second.
    fn demand(&mut self, place: usize, per_second: f64, terms: &Made) -> Demand {
        let length = clock(self.length);
        match (place, terms.feature) {
            (0, _) if terms.people => {
                let think = among(&mut self.stream, 2.0, 8.0);
                let idle =
                    0.05 * f64::from(terms.turns) + if terms.server { 0.05 * f64::from(terms.turns) } else { 0.0 };
                let people = whole(per_second * (think + idle)).max(1);
                Demand::Users {
                    workstations: spread(people, terms.sites),
                    activity: Levels(vec![(TimeOfDay(0), 1.0), (length, 1.0), (TimeOfDay(length.0 + 1), 0.0)]),
                    weekdays: [1.0; 7],
                    think: Distribution::Exponential(think),
                }
            }
            (2, Feature::HerdAtOnce | Feature::HerdSpread | Feature::HerdJittered) => {
                let release = match terms.feature {
                    Feature::HerdAtOnce => Release::AtOnce,
                    Feature::HerdSpread => Release::Spread(Duration::of_secs(self.length / 4.0)),
                    _ => Release::Jittered(Duration::of_secs(self.length / 4.0)),
                };
                let until = at(self.length * 0.4);
                self.classes[2].rules.curfews =
                    vec![Curfew { from: Time(0), until, release, compliance: crate::units::Share(1.0) }];
                self.arrivals(per_second)
            }
            _ => self.arrivals(per_second),
        }
    }

    fn arrivals(&self, per_second: f64) -> Demand {
        let length = clock(self.length);
        Demand::Open(Arrivals {
            per_day: per_second * self.length,
            profile: Cumulative(vec![(TimeOfDay(0), 0.0), (length, 1.0), (TimeOfDay(crate::units::DAY), 1.0)]),
            weekdays: [1.0; 7],
        })
    }

    /// Adds calls that go on all the time, up to a third of the throughput; gives their load.
    fn calls(&mut self, terms: &Made) -> f64 {
        let codec = Codec::G711;
        let cost = self.cost();
        let one = cost.stream(codec.packet.0, 50.0) * f64::from(terms.sites) / terms.rate;
        let each = (1 + self.stream.below(4)).min(whole(0.3 / one));
        if each == 0 {
            return 0.0;
        }
        let demand = Demand::Steady { each, codec };
        self.classes.push(Class::new("calls".to_owned(), demand, Distribution::Fixed(1.0), Distribution::Fixed(1.0)));
        one * f64::from(each)
    }

    /// Adds a log-on for everybody within a few seconds; gives its load over the whole time.
    fn log_ons(&mut self, terms: &Made) -> f64 {
        let mean = (terms.rate / 8.0 * 0.2).min(2e6);
        let response =
            Distribution::lognormal(mean / 4.0, 0.8, (1_000.0, 10.0 * mean)).unwrap_or(Distribution::Fixed(mean / 4.0));
        let class = Class::new("log-ons".to_owned(), Demand::Replayed, Distribution::Fixed(2_000.0), response);
        self.classes.push(Class { turns: 4, connects: true, ..class });
        let work = self.mean_work(3);
        let load = terms.load * 0.3;
        let count = whole(load * terms.rate * self.length / work).max(1);
        let (from, until) = (clock(self.length * 0.3), clock(self.length * 0.45));
        self.classes[3].demand = Demand::Jobs {
            workstations: spread(count, terms.sites),
            share: crate::units::Share(1.0),
            start: (from, until),
            peak: Some(TimeOfDay(u64::midpoint(from.0, until.0))),
            weekdays: [true; 7],
            powered: None,
        };
        load
    }

    fn cost(&self) -> ServiceCost {
        ServiceCost::of(&self.concentrator).expect("a unit without packet rate has a cost")
    }

    /// Mean work of an action of the class at `place` [bit].
    fn mean_work(&self, place: usize) -> f64 {
        const DRAWS: u32 = 400;
        let (class, cost) = (&self.classes[place], self.cost().over(self.tcp));
        let mut stream = Key::new(0, 2).stream(place as u64);
        let mut sum = 0.0;
        for _ in 0..DRAWS {
            let mut crossed = PriorTraffic::default();
            for _ in 0..class.turns {
                let turn =
                    Turn::new(class.request.bytes(&mut stream), class.response.bytes(&mut stream), self.tcp.segment);
                sum += cost.turn(class, &turn, crossed);
                crossed = crossed.and(&turn);
            }
        }
        sum / f64::from(DRAWS)
    }

    fn discipline(&mut self, place: usize) -> Discipline {
        let count = self.classes.len();
        // Calls first, then clinical, web and log-ons, bulk last.
        let rank = |class: usize| [1, 2, 3, u8::from(self.classes[class].name != "calls") * 2][class];
        let mut weights = |first: f64| -> Vec<f64> {
            (0..count).map(|class| [first, 2.0, 1.0, 3.0][class] * among_log(&mut self.stream, 0.5, 2.0)).collect()
        };
        match place {
            0 => Discipline::Fifo,
            1 => Discipline::Priority((0..count).map(rank).collect()),
            2 => Discipline::Weighted(weights(4.0)),
            3 => Discipline::LowLatency {
                first: (0..count).map(|class| class == 0 || self.classes[class].name == "calls").collect(),
                weights: weights(4.0),
            },
            4 => Discipline::FairBySite,
            _ => Discipline::Discriminatory(weights(4.0)),
        }
    }

    fn model(self, sites: Vec<Site>) -> Model {
        let pool = Pool {
            name: "all".to_owned(),
            concentrators: vec![ConcentratorId(0)],
            balancer: Balancer::HubList,
            fail_back: FailBack::ByHand,
        };
        Model {
            seed: 1,
            antithetic: false,
            // Unfinished transactions have time to end.
            calendar: Calendar { weekday: 0, days: 1, from: TimeOfDay(0), until: clock(self.length + self.drain) },
            levels: DayLevels::default(),
            bin: Duration(NANOS),
            pool_of: vec![PoolId(0); sites.len()],
            sites: sites.into(),
            classes: self.classes,
            concentrators: vec![self.concentrator],
            pools: vec![pool],
            tunnels: TunnelTerms::default(),
            faults: Vec::new(),
            changes: Vec::new(),
            transport: Transport::Tcp(self.tcp),
            fidelity: Fidelity::Flow,
            replay: None,
        }
    }
}

fn at(seconds: f64) -> Time {
    Time(0) + Duration::of_secs(seconds)
}

fn clock(seconds: f64) -> TimeOfDay {
    TimeOfDay(Duration::of_secs(seconds).0)
}

fn among(stream: &mut Stream, low: f64, high: f64) -> f64 {
    low + (high - low) * stream.uniform()
}

/// Evenly in logarithms.
fn among_log(stream: &mut Stream, low: f64, high: f64) -> f64 {
    low * pow(high / low, stream.uniform())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // numbers of people and sites
fn whole(value: f64) -> u32 {
    value.round().max(0.0) as u32
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rates and sizes
fn bits(value: f64) -> u64 {
    value.round().max(1.0) as u64
}

/// So many, evenly over the sites.
fn spread(all: u32, sites: u32) -> Vec<u32> {
    (0..sites).map(|site| all / sites + u32::from(site < all % sites)).collect()
}
