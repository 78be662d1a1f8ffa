//! The model: what a checked scenario means, ready to be simulated. Plain data; it cannot be wrong.

use std::ops::{Index, IndexMut};
use std::sync::Arc;

use crate::random::{Distribution, Key};
use crate::scenario::fault::Fault;
use crate::scenario::tunnel::TunnelTerms;
use crate::units::{BitRate, Bytes, DAY, Duration, PacketRate, Share, Time, TimeOfDay};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $repr:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
        pub struct $name(pub $repr);

        impl $name {
            /// The place in the list that this names.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The name of the place `index`.
            #[must_use]
            #[allow(clippy::cast_possible_truncation)] // `check` bounds every list
            pub fn of(index: usize) -> Self {
                Self(index as $repr)
            }
        }

        impl<T> Index<$name> for [T] {
            type Output = T;
            fn index(&self, id: $name) -> &T {
                &self[id.index()]
            }
        }

        impl<T> IndexMut<$name> for [T] {
            fn index_mut(&mut self, id: $name) -> &mut T {
                &mut self[id.index()]
            }
        }

        impl<T> Index<$name> for Vec<T> {
            type Output = T;
            fn index(&self, id: $name) -> &T {
                &self[id.index()]
            }
        }

        impl<T> IndexMut<$name> for Vec<T> {
            fn index_mut(&mut self, id: $name) -> &mut T {
                &mut self[id.index()]
            }
        }
    };
}

id!(
    /// Which site.
    SiteId,
    u32
);
id!(
    /// Which class of traffic.
    ClassId,
    u8
);
id!(
    /// Which concentrator.
    ConcentratorId,
    u8
);
id!(
    /// Which pool of concentrators.
    PoolId,
    u8
);

/// One set-up of the world: the base, or the base with one option's changes.
#[derive(Clone, Debug)]
pub struct Model {
    /// Names every random stream.
    pub seed: u64,
    /// Replications come in pairs, of which the second mirrors the random numbers of the first.
    pub antithetic: bool,
    /// When it happens.
    pub calendar: Calendar,
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
    /// Misfortunes.
    pub faults: Vec<Fault>,
    /// Dated edits of the world, by time.
    pub changes: Vec<DatedChange>,
    /// What a transfer costs beside its share of the bandwidth.
    pub transport: Transport,
    /// How closely it is looked at.
    pub fidelity: Fidelity,
    /// Transactions that are played back in place of those that the classes generate.
    pub replay: Option<Arc<[Arrival]>>,
}

impl Model {
    /// Orders a cap on a class; edits are to be sorted afterwards.
    pub fn cap(&mut self, class: ClassId, cap: Cap) {
        self.classes[class.index()].rules.caps.push(cap);
        let edits = [cap.from, cap.until].map(|at| DatedChange { at, kind: ChangeKind::SetShaping(class) });
        self.changes.extend(edits);
    }

    /// The random numbers of a replication.
    #[must_use]
    pub fn key(&self, replication: u32) -> Key {
        if self.antithetic { Key::antithetic(self.seed, replication) } else { Key::new(self.seed, replication) }
    }
}

/// The simulated days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Weekday of the first day (0 = Monday).
    pub weekday: u8,
    /// Number of days.
    pub days: u32,
    /// First time of day that is watched.
    pub from: TimeOfDay,
    /// Time of day at which watching ends.
    pub until: TimeOfDay,
}

impl Default for Calendar {
    /// A whole Monday.
    fn default() -> Self {
        Self { weekday: 0, days: 1, from: TimeOfDay(0), until: TimeOfDay(DAY) }
    }
}

impl Calendar {
    /// The first watched instant.
    #[must_use]
    pub fn start(&self) -> Time {
        self.from.on(0)
    }

    /// The last watched instant.
    #[must_use]
    pub fn end(&self) -> Time {
        self.until.on(u64::from(self.days) - 1)
    }

    /// The weekday of a day (0 = Monday).
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn weekday(&self, day: u64) -> u8 {
        ((u64::from(self.weekday) + day) % 7) as u8
    }

    /// Whether this instant is watched.
    #[must_use]
    pub fn watched(&self, now: Time) -> bool {
        now.day() < u64::from(self.days) && (self.from..self.until).contains(&now.clock())
    }
}

/// A practice.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its code.
    pub name: String,
    /// Registered patients.
    pub patients: u32,
    /// Rate towards the site.
    pub down: BitRate,
    /// Rate from the site.
    pub up: BitRate,
    /// Round trip to the servers behind the headend, without any queue.
    pub rtt: Duration,
}

/// Traffic with one purpose and one treatment.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Who asks, and when.
    pub demand: Demand,
    /// Bytes of each request.
    pub request: Distribution,
    /// Bytes of each response.
    pub response: Distribution,
    /// Requests and responses that one action takes, one after the other.
    pub turns: u8,
    /// Whether each action opens a connection.
    pub connects: bool,
    /// Time that the server takes for each turn.
    pub server: Duration,
    /// How long a person waits before trying again or giving up.
    pub patience: Option<Duration>,
    /// How often it is tried again.
    pub retries: u8,
    /// A response within this time is what people call quick.
    pub quick: Duration,
    /// Whether people wait for it: their time counts as lost.
    pub waited_for: bool,
    /// What people do who give up.
    pub fallback: Option<Fallback>,
    /// Share that is turned away while its site is cut off.
    pub declined: Share,
    /// Growth in a year.
    pub growth: f64,
    /// What is ordered for it.
    pub rules: Rules,
}

impl Class {
    /// A class of transactions that need one turn each, and of people who wait for ever.
    #[must_use]
    pub fn new(name: String, demand: Demand, request: Distribution, response: Distribution) -> Self {
        Self {
            waited_for: demand.is_waited_for(),
            name,
            demand,
            request,
            response,
            turns: 1,
            connects: true,
            server: Duration(0),
            patience: None,
            retries: 0,
            quick: Duration(2_000_000_000),
            fallback: None,
            declined: Share(0.0),
            growth: 0.0,
            rules: Rules::default(),
        }
    }
}

/// What people do who give up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fallback {
    /// Share that carry on by hand and enter it later.
    pub paper: Share,
    /// Share that cancel.
    pub cancel: Share,
    /// Actions that it takes to enter one later.
    pub effort: f64,
    /// Share of actions that enter what is on paper, while there is any.
    pub catch_up: Share,
    /// Until then people stay to enter what is left.
    pub stay_until: TimeOfDay,
}

/// Who asks for transfers, and when.
#[derive(Clone, Debug)]
pub enum Demand {
    /// Only what a replay holds.
    Replayed,
    /// People at workstations who wait for the answer, then think.
    Users {
        /// Workstations for this class at each site.
        workstations: Vec<u32>,
        /// Share of them in use, through the day.
        activity: Levels,
        /// Factor on activity by weekday, Monday first.
        weekdays: [f64; 7],
        /// Time between an answer and the next action [s].
        think: Distribution,
    },
    /// A Poisson process that does not notice congestion.
    Open(Arrivals),
    /// Streams that go on all the time.
    Steady {
        /// So many at each site.
        each: u32,
        /// What they send.
        codec: Codec,
    },
    /// Constant-rate streams that start as a Poisson process.
    Streams {
        /// When they start.
        arrivals: Arrivals,
        /// How long they last [s].
        length: Distribution,
        /// What they send.
        codec: Codec,
    },
    /// People whose time is counted, without traffic of their own.
    Staff {
        /// People of this class at each site.
        people: Vec<u32>,
        /// Share of them at work, through the day.
        activity: Levels,
        /// Factor on activity by weekday, Monday first.
        weekdays: [f64; 7],
    },
    /// Transfers that are due once a day at some workstations.
    Jobs {
        /// Workstations at each site.
        workstations: Vec<u32>,
        /// Share of the workstations that have one on a day.
        share: Share,
        /// Window in which they start.
        start: (TimeOfDay, TimeOfDay),
        /// The likeliest start (triangular), or none (uniform).
        peak: Option<TimeOfDay>,
        /// Weekdays on which there are jobs, Monday first.
        weekdays: [bool; 7],
        /// Hours in which the workstations are on; a job that is cut short goes on in the next day's.
        powered: Option<(TimeOfDay, TimeOfDay)>,
    },
}

impl Demand {
    /// Whether people usually wait for it.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        matches!(self, Self::Users { .. } | Self::Open(_))
    }
}

/// A non-homogeneous Poisson process over the whole estate; each arrival falls on a site by its patients.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// Expected number on a day of factor 1, all sites together.
    pub per_day: f64,
    /// How a day's arrivals spread over it.
    pub profile: Cumulative,
    /// Factor by weekday, Monday first.
    pub weekdays: [f64; 7],
}

/// What a stream sends, each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codec {
    /// Bytes of a packet, with its IP header.
    pub packet: Bytes,
    /// Time between packets.
    pub every: Duration,
}

/// A share of what is asked for, in a window.
pub type Ordered = (Time, Time, Share);

/// The share that orders in force at an instant take together: each takes its share of what the others leave.
#[must_use]
pub fn taken(orders: &[Ordered], at: Time) -> f64 {
    let in_force = orders.iter().filter(|(from, until, _)| *from <= at && at < *until);
    in_force.fold(0.0, |sum, (.., share)| sum + share.0 - sum * share.0)
}

/// What is ordered for a class; windows are absolute.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Times in which it may not start.
    pub curfews: Vec<Curfew>,
    /// Times in which it is switched off.
    pub switched_off: Vec<(Time, Time)>,
    /// Times in which a share is served on site.
    pub cached: Vec<Ordered>,
    /// Times in which a share goes round the headend.
    pub break_out: Vec<Ordered>,
    /// Caps, and the times in which they hold.
    pub caps: Vec<Cap>,
    /// Shares that a server on site carries while the site is cut off, and the classes as which they are forwarded.
    pub store_and_forward: Vec<(Share, Option<ClassId>)>,
}

/// A cap on a class at every concentrator, while it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// First instant.
    pub from: Time,
    /// First instant after it.
    pub until: Time,
    /// All sites together.
    pub total: Option<BitRate>,
    /// Each site.
    pub per_site: Option<BitRate>,
}

impl Rules {
    /// The caps at an instant: the tightest of those that hold.
    #[must_use]
    pub fn caps_at(&self, now: Time) -> (Option<BitRate>, Option<BitRate>) {
        let hold = || self.caps.iter().filter(|cap| cap.from <= now && now < cap.until);
        (hold().filter_map(|cap| cap.total).min(), hold().filter_map(|cap| cap.per_site).min())
    }
}

/// A window in which a class may not start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curfew {
    /// First forbidden instant.
    pub from: Time,
    /// The release.
    pub until: Time,
    /// How what has waited starts.
    pub release: Release,
    /// Share that obeys.
    pub compliance: Share,
}

/// How deferred jobs start when a curfew ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// All together.
    AtOnce,
    /// In the order in which they came, evenly over this time.
    Spread(Duration),
    /// Each after its own random time up to this one.
    Jittered(Duration),
}

/// A concentrator: what it is and how it serves.
#[derive(Clone, Debug)]
pub struct Concentrator {
    /// Its name.
    pub name: String,
    /// Encrypted traffic at the reference packet.
    pub throughput: BitRate,
    /// Packets of 40 bytes (bare acknowledgements) that it can handle.
    pub packets: Option<PacketRate>,
    /// Throughput at which that packet rate is stated: a device of the same kind that is larger or smaller handles more or
    /// fewer packets in proportion.
    pub rated: BitRate,
    /// Inner packet at which the throughput is stated.
    pub reference: Bytes,
    /// What encryption adds.
    pub cipher: Cipher,
    /// Which directions use up the throughput.
    pub counts: Counts,
    /// Queue of each class (or of all, first in first out).
    pub buffer: Bytes,
    /// Packets that each queue holds at most, if packets are counted, too.
    pub buffer_packets: Option<u32>,
    /// Order of service.
    pub discipline: Discipline,
    /// Streams that it admits at a time.
    pub streams: Option<u32>,
    /// When it opens.
    pub opens: Time,
    /// Tunnels that it holds.
    pub tunnels: Option<u32>,
    /// What one tunnel can carry.
    pub per_tunnel: Option<BitRate>,
    /// IKE handshakes that it completes in a second.
    pub handshakes: Option<f64>,
    /// Handshakes that it holds half open.
    pub half_open: Option<u32>,
    /// It takes tunnels only while another of its pool is down.
    pub standby: bool,
    /// What each Mbit/s of its throughput costs.
    pub cost_per_mbit: Option<f64>,
    /// Where its order of service applies.
    pub queues: Queues,
    /// What its line carries, and what it was told that the line carries.
    pub uplink: Option<BitRate>,
    /// What it was told that its line carries; it never sends more.
    pub configured: Option<BitRate>,
}

/// Where a concentrator's order of service applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queues {
    /// Before encryption.
    BeforeCrypto,
    /// After it, on the line.
    AfterCrypto,
}

/// Which of a concentrator's parts holds traffic up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bottleneck {
    /// Encryption.
    Crypto,
    /// Its own shaper, set to what it was told.
    Shaper,
    /// The line: the device does not know, and what queues there is served first in first out.
    Line,
}

impl Concentrator {
    /// A concentrator of this throughput and buffer that has no other limit.
    #[must_use]
    pub fn new(name: String, throughput: BitRate, buffer: Bytes) -> Self {
        Self {
            name,
            throughput,
            packets: None,
            rated: throughput,
            reference: Bytes(1400),
            cipher: Cipher::None,
            counts: Counts::Both,
            buffer,
            buffer_packets: None,
            discipline: Discipline::Fifo,
            streams: None,
            opens: Time(0),
            tunnels: None,
            per_tunnel: None,
            handshakes: None,
            half_open: None,
            standby: false,
            cost_per_mbit: None,
            queues: Queues::BeforeCrypto,
            uplink: None,
            configured: None,
        }
    }

    /// What it carries at most, and which of its parts sets that limit.
    #[must_use]
    pub fn carries(&self) -> (BitRate, Bottleneck) {
        let line = self.uplink.unwrap_or(BitRate(u64::MAX));
        let shaper = self.configured.unwrap_or(line);
        if self.throughput <= shaper.min(line) {
            (self.throughput, Bottleneck::Crypto)
        } else if shaper <= line {
            (shaper, Bottleneck::Shaper)
        } else {
            (line, Bottleneck::Line)
        }
    }

    /// The order in which it serves where traffic is held up: none of its making where it does not queue.
    #[must_use]
    pub fn order(&self) -> &Discipline {
        const INERT: &Discipline = &Discipline::Fifo;
        match self.carries().1 {
            Bottleneck::Crypto if self.queues == Queues::AfterCrypto => INERT,
            Bottleneck::Crypto | Bottleneck::Shaper => &self.discipline,
            Bottleneck::Line => INERT,
        }
    }
}

/// A scenario has at most this many classes.
pub const MAX_CLASSES: usize = 16;
/// A bare acknowledgement: IP and TCP headers [B].
pub const SMALLEST: u64 = 40;

impl Concentrator {
    /// What a packet costs, as bits of throughput: so much for itself, and so much for each of its bits.
    ///
    /// Where encryption is not what holds traffic up, a packet costs its bits.
    #[must_use]
    pub fn packet_cost(&self) -> Option<(f64, f64)> {
        if self.carries().1 == Bottleneck::Crypto { self.rated_cost() } else { Some((0.0, 1.0)) }
    }

    /// What encryption of a packet costs. The two follow from throughput at the reference packet and packet rate at the
    /// smallest one. `None` if these contradict each other.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // packet sizes and rates stay below 2^53
    pub fn rated_cost(&self) -> Option<(f64, f64)> {
        let Some(packets) = self.packets else { return Some((0.0, 1.0)) };
        let large = self.cipher.wire(self.reference.0) as f64 * 8.0;
        let small = self.cipher.wire(SMALLEST) as f64 * 8.0;
        let smallest = self.rated.bits() / packets.0 as f64;
        let per_bit = (large - smallest) / (large - small);
        let per_packet = smallest - per_bit * small;
        (per_bit >= 0.0 && per_packet >= 0.0).then_some((per_packet, per_bit))
    }
}

/// What tunnel-mode ESP with NAT traversal adds to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// No tunnel.
    None,
    /// AES-GCM with a 16-byte tag (RFC 4106).
    AesGcm,
    /// AES-CBC with HMAC-SHA1-96 (RFC 3602, RFC 2404).
    AesCbcSha1,
    /// AES-CBC with HMAC-SHA-256-128 (RFC 3602, RFC 4868).
    AesCbcSha256,
    /// So many bytes, whatever they are.
    Adds(u8),
}

/// Which directions of traffic use up a concentrator's throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Both: one crypto engine for all.
    Both,
    /// Only what goes to the sites.
    Down,
}

/// The order in which a concentrator serves.
#[derive(Clone, Debug, PartialEq)]
pub enum Discipline {
    /// One queue; TCP shares it by flow.
    Fifo,
    /// Classes in strict order, given as ranks (0 first) by class.
    Priority(Vec<u8>),
    /// A share of the link to each class that is busy, by these weights.
    Weighted(Vec<f64>),
    /// The same share to each busy site.
    FairBySite,
    /// Each flow by the weight of its class (discriminatory processor sharing).
    Discriminatory(Vec<f64>),
    /// Some classes strictly first, weights among the others.
    LowLatency {
        /// Which classes go first.
        first: Vec<bool>,
        /// Weights of the others.
        weights: Vec<f64>,
    },
}

/// Concentrators among which tunnels are placed.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its concentrators, in order of preference.
    pub concentrators: Vec<ConcentratorId>,
    /// How a tunnel is placed.
    pub balancer: Balancer,
    /// When tunnels come back to a concentrator that was down.
    pub fail_back: FailBack,
}

/// When tunnels come back to a concentrator that was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailBack {
    /// When it has been up for so long.
    After(Duration),
    /// Never by themselves.
    ByHand,
}

/// How a pool chooses a concentrator for a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancer {
    /// The first in the list that is open.
    HubList,
    /// One after the other.
    RoundRobin,
    /// By chance.
    Random,
    /// By the site's name.
    Hash,
    /// The one with the fewest tunnels.
    LeastTunnels,
    /// The one that will be least utilised, by patients.
    LeastLoad,
    /// One after the other, in proportion to throughput.
    Weighted,
    /// For each transaction the one with the least work per throughput: the ideal bound.
    JoinShortest,
}

/// An edit of the world at an instant.
#[derive(Clone, Debug)]
pub struct DatedChange {
    /// When.
    pub at: Time,
    /// What.
    pub kind: ChangeKind,
}

/// What an edit does.
#[derive(Clone, Debug)]
pub enum ChangeKind {
    /// A concentrator changes its order of service.
    SetDiscipline(ConcentratorId, Discipline),
    /// A concentrator is replaced by a larger or smaller one of its kind.
    ReplaceDevice {
        /// Which concentrator.
        unit: ConcentratorId,
        /// Its throughput from now on.
        throughput: BitRate,
        /// Its buffer from now on.
        buffer: Bytes,
    },
    /// A cap of a class begins or ends ([`Rules::caps`]).
    SetShaping(ClassId),
    /// Sites take their tunnels to another concentrator.
    Migrate {
        /// Which sites.
        sites: Arc<[SiteId]>,
        /// To which concentrator.
        to: ConcentratorId,
        /// The old tunnel is taken down before the new one is asked for.
        cut_over: bool,
    },
}

/// What a transfer costs beside its share of the bandwidth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Nothing: the sharing discipline of the textbooks.
    Ideal,
    /// Round trips, windows and queues of TCP.
    Tcp(Tcp),
}

impl Transport {
    /// Whether the ingredient is there; where transport is ideal none is.
    #[must_use]
    pub fn has(&self, ingredient: Ingredient) -> bool {
        matches!(self, Self::Tcp(tcp) if tcp.has(ingredient))
    }
}

/// What a TCP sender starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Payload of a full segment.
    pub segment: Bytes,
    /// IP and TCP headers of a segment.
    pub headers: Bytes,
    /// Segments of the first window (RFC 6928).
    pub window: u32,
    /// Segments in flight at most: what the receiver's window holds.
    pub most: u32,
    /// How the window grows and shrinks.
    pub congestion: Congestion,
    /// What each direction of an access link holds before it loses packets.
    pub access_buffer: Duration,
    /// What is left out, for study.
    pub without: Without,
}

impl Default for Tcp {
    /// Ethernet's packets less what a tunnel takes, and Linux's windows.
    fn default() -> Self {
        Self {
            segment: Bytes(1_360),
            headers: Bytes(40),
            window: 10,
            most: 3_000,
            congestion: Congestion::Cubic,
            access_buffer: Duration(100_000_000),
            without: Without::NONE,
        }
    }
}

impl Tcp {
    /// Whether the ingredient is there.
    #[must_use]
    pub fn has(&self, ingredient: Ingredient) -> bool {
        !self.without.holds(ingredient)
    }
}

/// How a TCP sender's window grows and shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Congestion {
    /// CUBIC (RFC 9438).
    Cubic,
    /// NewReno (RFC 6582).
    NewReno,
}

/// A part of the transport that can be left out by name, to see what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingredient {
    /// Packet: slow start ends early when delays rise (HyStart).
    Hystart,
    /// Packet: losses are told by time (RACK), not by three duplicates.
    Rack,
    /// Packet: the tail of a transfer is probed before a time-out; flow: it costs a probe, not a time-out.
    TailProbe,
    /// Packet: one acknowledgement for two segments.
    DelayedAck,
    /// Flow: slow start's windows wait for acknowledgements.
    SlowStart,
    /// Flow: long transfers keep a queue standing.
    StandingQueue,
    /// Flow: bursts of short transfers queue, too.
    BurstQueue,
    /// Flow: full buffers lose segments, which costs time.
    Losses,
    /// Flow: who has the shorter round trip has the larger share.
    RoundTrips,
}

impl Ingredient {
    /// Whether leaving it out changes flow fidelity.
    #[must_use]
    pub fn is_of_flow(self) -> bool {
        !matches!(self, Self::Hystart | Self::Rack | Self::DelayedAck)
    }

    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Hystart, "hystart"),
        (Self::Rack, "rack"),
        (Self::TailProbe, "tail_probe"),
        (Self::DelayedAck, "delayed_ack"),
        (Self::SlowStart, "slow_start"),
        (Self::StandingQueue, "standing_queue"),
        (Self::BurstQueue, "burst_queue"),
        (Self::Losses, "losses"),
        (Self::RoundTrips, "round_trips"),
    ];
}

/// A set of ingredients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Without(u16);

impl Without {
    /// Nothing is left out.
    pub const NONE: Self = Self(0);

    /// The set with one more.
    #[must_use]
    pub fn and(self, ingredient: Ingredient) -> Self {
        Self(self.0 | 1 << ingredient as u16)
    }

    fn holds(self, ingredient: Ingredient) -> bool {
        self.0 & 1 << ingredient as u16 != 0
    }
}

/// How closely the network is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// A transfer is a flow that shares.
    Flow,
    /// Packets, in trains of at most this many.
    Packet(u32),
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

/// A share that rises and falls linearly between points of the day; constant before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels(pub Vec<(TimeOfDay, f64)>);

impl Levels {
    /// The next instant from `now` on at which `factor` x level is above `threshold`, within the same day.
    #[must_use]
    pub fn next_above(&self, threshold: f64, factor: f64, clock: TimeOfDay) -> Option<TimeOfDay> {
        if self.at(clock) * factor > threshold {
            return Some(clock);
        }
        for pair in self.0.windows(2) {
            let ((from, low), (until, high)) = (pair[0], pair[1]);
            if until <= clock || high * factor <= threshold {
                continue;
            }
            if low * factor > threshold {
                return Some(from.max(clock));
            }
            let crossing = from.0 + fraction(until.0 - from.0, (threshold / factor - low) / (high - low)) + 1;
            return Some(TimeOfDay(crossing).max(clock));
        }
        None
    }

    /// The level summed over part of a day [s].
    #[must_use]
    pub fn integral(&self, from: TimeOfDay, until: TimeOfDay) -> f64 {
        let inner = self.0.iter().map(|&(at, _)| at).filter(|&at| from < at && at < until);
        let mut sum = 0.0;
        let mut last = from;
        for at in inner.chain([until]) {
            sum += f64::midpoint(self.at(last), self.at(at)) * Duration(at.0 - last.0).secs();
            last = at;
        }
        sum
    }

    /// The level at a time of day.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a day's nanoseconds are below 2^53
    pub fn at(&self, clock: TimeOfDay) -> f64 {
        let next = self.0.partition_point(|&(at, _)| at <= clock);
        match (next.checked_sub(1).map(|last| self.0[last]), self.0.get(next)) {
            (Some((from, low)), Some(&(until, high))) => {
                low + (high - low) * ((clock.0 - from.0) as f64 / (until.0 - from.0) as f64)
            }
            (Some((_, level)), None) | (None, Some(&(_, level))) => level,
            (None, None) => 0.0,
        }
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn fraction(of: u64, share: f64) -> u64 {
    (of as f64 * share.clamp(0.0, 1.0)).round() as u64
}

/// The share of a day's arrivals that have come by a time of day: points, joined by straight lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Cumulative(pub Vec<(TimeOfDay, f64)>);

impl Cumulative {
    /// The time of day by which `share` of the day's arrivals have come (inversion; Çinlar 1975, section 4.7).
    /// `None` when that is beyond the day. `hint` is the segment to look from; it is moved on.
    #[must_use]
    pub fn invert(&self, share: f64, hint: &mut usize) -> Option<TimeOfDay> {
        while *hint + 1 < self.0.len() {
            let ((from, low), (until, high)) = (self.0[*hint], self.0[*hint + 1]);
            if share < high {
                return Some(TimeOfDay(from.0 + fraction(until.0 - from.0, (share - low) / (high - low))));
            }
            *hint += 1;
        }
        None
    }

    /// The share that has come by a time of day.
    #[must_use]
    pub fn at(&self, clock: TimeOfDay) -> f64 {
        Levels(self.0.clone()).at(clock)
    }
}

impl Cipher {
    /// Size of the packet that leaves when a packet of `inner` bytes enters the tunnel: outer IPv4 (20) and UDP
    /// (8) headers, ESP header (8), initialisation vector, padding and trailer (2), integrity check
    /// (RFC 4303, RFC 3948).
    #[must_use]
    pub fn wire(self, inner: u64) -> u64 {
        self.overhead().wire(inner)
    }

    /// What makes a packet that large.
    #[must_use]
    pub fn overhead(self) -> Overhead {
        let (vector, block, check) = match self {
            Self::None => return Overhead { fixed: 0, trailer: 0, block: 1 },
            Self::Adds(bytes) => return Overhead { fixed: u64::from(bytes), trailer: 0, block: 1 },
            Self::AesGcm => (8, 4, 16),
            Self::AesCbcSha1 => (16, 16, 12),
            Self::AesCbcSha256 => (16, 16, 16),
        };
        Overhead { fixed: 20 + 8 + 8 + vector + check, trailer: 2, block }
    }
}

/// What a tunnel adds to each packet [bytes].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overhead {
    fixed: u64,
    /// Padded to whole blocks with the packet.
    trailer: u64,
    /// A power of two, so that padding needs no division.
    block: u64,
}

impl Overhead {
    /// Size of the packet that leaves when a packet of `inner` bytes enters the tunnel.
    #[must_use]
    pub fn wire(self, inner: u64) -> u64 {
        let last = self.block - 1;
        self.fixed + ((inner + self.trailer + last) & !last)
    }
}

/// The windows of an order: each day's `from` to `until`, on one day or on all.
pub(crate) fn daily(days: u32, only: Option<u64>, from: TimeOfDay, until: TimeOfDay) -> Vec<(Time, Time)> {
    (0..u64::from(days))
        .filter(|day| only.is_none_or(|one| one == *day))
        .map(|day| (from.on(day), until.on(day)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4303 and RFC 3948 arithmetic for the three packet sizes that matter: acknowledgement, voice, full.
    #[test]
    fn a_tunnel_adds_what_the_standards_say() {
        assert_eq!([40, 200, 1400].map(|inner| Cipher::AesGcm.wire(inner)), [104, 264, 1464]);
        // 108.8 kbit/s for a G.711 call (50 packets/s) with AES-CBC and SHA-1, as published.
        assert_eq!(Cipher::AesCbcSha1.wire(200) * 8 * 50, 108_800);
        assert_eq!(Cipher::None.wire(1400), 1400);
    }

    fn hour(hours: u64) -> TimeOfDay {
        TimeOfDay(hours * 3600 * crate::units::NANOS)
    }

    #[test]
    fn levels_join_their_points() {
        let levels = Levels(vec![(hour(7), 0.0), (hour(8), 1.0), (hour(12), 1.0), (hour(13), 0.5)]);
        assert!((levels.at(TimeOfDay(hour(7).0 + 1800 * crate::units::NANOS)) - 0.5).abs() < 1e-12);
        assert_eq!(levels.at(hour(6)).to_bits(), 0.0_f64.to_bits());
        assert_eq!(levels.next_above(0.5, 1.0, hour(0)).map(|at| at.0 / 1_000_000_000), Some(7 * 3600 + 1800));
        assert_eq!(levels.next_above(0.9, 1.0, hour(13)), None);
        assert_eq!(levels.next_above(0.4, 1.0, hour(9)), Some(hour(9)));
    }

    #[test]
    fn a_profile_is_inverted_exactly() {
        let profile = Cumulative(vec![(hour(0), 0.0), (hour(8), 0.2), (hour(10), 1.0)]);
        let mut hint = 0;
        assert_eq!(profile.invert(0.1, &mut hint), Some(hour(4)));
        assert_eq!(profile.invert(0.6, &mut hint), Some(hour(9)));
        assert_eq!(profile.invert(1.0, &mut hint), None);
    }
}
