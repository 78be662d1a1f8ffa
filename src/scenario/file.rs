//! The scenario as it is written: every table and field of the TOML file, with what each means.
//!
//! These types are also the source of `headend schema`, so their documentation is what an editor shows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::scenario::fault::FaultFile;
use crate::scenario::leaf::{Count, Date, Field, Flag, Name, Number, TextLine, Weekday};
use crate::scenario::tunnel::TunnelsFile;
use crate::units::{BitRate, Bytes, Duration, PacketRate, Share, TimeOfDay};

/// A table with its place; the schema sees the table alone.
pub type At<T> = Spanned<T>;

/// One question: a world, the options for it, and the targets that must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// The question that the scenario answers, in one sentence.
    pub question: Field<TextLine>,
    /// What is simulated, and how often.
    #[schemars(with = "Option<Run>")]
    pub run: Option<At<Run>>,
    /// The sites.
    #[schemars(with = "Option<Estate>")]
    pub estate: Option<At<Estate>>,
    /// What a transfer costs beside its share of the bandwidth.
    #[schemars(with = "Option<TransportFile>")]
    pub transport: Option<At<TransportFile>>,
    /// Shapes of the day.
    #[schemars(with = "Vec<Profile>")]
    pub profile: Vec<At<Profile>>,
    /// Classes of traffic; a class that is listed first is drawn first.
    #[schemars(with = "Vec<ClassFile>")]
    pub class: Vec<At<ClassFile>>,
    /// A file with more device profiles; a relative path starts at the scenario.
    pub profiles: Field<TextLine>,
    /// How tunnels are set up, and how their loss is noticed.
    #[schemars(with = "Option<TunnelsFile>")]
    pub tunnels: Option<At<TunnelsFile>>,
    /// The devices that end the tunnels.
    #[schemars(with = "Vec<ConcentratorFile>")]
    pub concentrator: Vec<At<ConcentratorFile>>,
    /// Groups of concentrators among which tunnels are placed. Without any, one hub list of all.
    #[schemars(with = "Vec<PoolFile>")]
    pub pool: Vec<At<PoolFile>>,
    /// Changes that hold in the base and in every option.
    #[schemars(with = "Vec<Change>")]
    pub change: Vec<At<Change>>,
    /// Misfortunes that befall the base and every option.
    #[schemars(with = "Vec<FaultFile>")]
    pub fault: Vec<At<FaultFile>>,
    /// What could be done: each a named list of changes to the base.
    #[schemars(with = "Vec<OptionFile>")]
    pub option: Vec<At<OptionFile>>,
    /// What must hold.
    #[schemars(with = "Vec<TargetFile>")]
    pub target: Vec<At<TargetFile>>,
    /// Transactions to play back in place of those that the classes generate.
    #[schemars(with = "Option<ReplayFile>")]
    pub replay: Option<At<ReplayFile>>,
    /// Where numbers come from: path of a table or value (such as `class.clinical.users`) to its origin.
    #[schemars(with = "BTreeMap<String, Origin>")]
    pub source: BTreeMap<Spanned<String>, At<Origin>>,
}

/// What is simulated, and how often.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// Date of the first day. Give this or `weekday`.
    pub date: Field<Date>,
    /// Weekday of the first day.
    pub weekday: Field<Weekday>,
    /// Number of days, one after the other (default 1).
    pub days: Field<Count>,
    /// Time of day from which results are recorded.
    pub from: Field<TimeOfDay>,
    /// Time of day until which results are recorded.
    pub until: Field<TimeOfDay>,
    /// Names all random numbers (default 1).
    pub seed: Field<Count>,
    /// Replications at least (default 5).
    pub replications: Field<Count>,
    /// Replications at most (default 10 times the least).
    pub max_replications: Field<Count>,
    /// Replications go on until each target's 95 % interval is at most this far to either side, as a share of
    /// its value or limit, whichever is larger (default 10 %).
    pub precision: Field<Share>,
    /// Replications come in pairs, of which the second mirrors the random numbers of the first: what was large is small.
    /// A pair then counts as one observation that varies less (default false).
    pub antithetic: Field<Flag>,
    /// Length of a bin of the timeline (default 1 min).
    pub bin: Field<Duration>,
    /// How closely the network is looked at (default `flow`).
    pub fidelity: Option<FidelityFile>,
    /// Packets of one sender that move as one, at fidelity `packet` (default 1: packet by packet).
    pub grain: Field<Count>,
    /// Sign of the currency in which costs are written, such as "£" (default: none).
    pub currency: Field<TextLine>,
}

/// How closely the network is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FidelityFile {
    /// A transfer is a flow that shares; the everyday engine.
    Flow,
    /// Packets, windows, losses: the reference.
    Packet,
}

/// The sites: drawn from a distribution, read from a CSV file, or listed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Estate {
    /// Sites drawn from a fitted distribution, by its quantiles: the same on each run.
    #[schemars(with = "Option<Drawn>")]
    pub drawn: Option<At<Drawn>>,
    /// Sites read from a CSV file, such as the NHS England list sizes as published.
    #[schemars(with = "Option<CsvEstate>")]
    pub csv: Option<At<CsvEstate>>,
    /// Sites one by one.
    #[schemars(with = "Vec<SiteFile>")]
    pub site: Vec<At<SiteFile>>,
    /// Kinds of access link, each with its share of the sites.
    #[schemars(with = "Vec<Link>")]
    pub link: Vec<At<Link>>,
    /// Round trip from a site to the servers behind the headend, on an idle network (default 20 ms for all).
    #[schemars(with = "Option<Law<Duration>>")]
    pub rtt: Option<At<Law<Duration>>>,
    /// Who is counted at a site, such as "people" (default "patients").
    pub counted: Field<TextLine>,
}

/// Sites whose patients follow a lognormal distribution.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drawn {
    /// Number of sites.
    pub sites: Field<Count>,
    /// Registered patients of all sites together.
    pub patients: Field<Count>,
    /// Mean of the logarithm of a site's patients.
    pub mu: Field<Number>,
    /// Standard deviation of the logarithm of a site's patients.
    pub sigma: Field<Number>,
}

/// Sites from a CSV file with a header line.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvEstate {
    /// The file; a relative path starts at the scenario.
    pub file: Field<TextLine>,
    /// Column with the site's code (default: `CODE`, as NHS England publishes it, else a usual name such as `site`).
    pub code: Field<TextLine>,
    /// Column with who is counted at it (default: `NUMBER_OF_PATIENTS`, else a usual name such as `staff`).
    pub patients: Field<TextLine>,
    /// Column with the rate towards the site in Mbit/s (default: a usual name such as `down_mbps`, where there is no `link`).
    pub down_mbps: Field<TextLine>,
    /// Column with the rate from the site in Mbit/s (default: a usual name such as `up_mbps`, where there is no `link`).
    pub up_mbps: Field<TextLine>,
    /// Column with the round trip in ms; without it, round trips are drawn from `rtt`.
    pub rtt_ms: Field<TextLine>,
    /// Keeps only rows with these values, such as `{ SUB_ICB_LOCATION_CODE = "91Q" }`.
    #[schemars(with = "BTreeMap<String, String>")]
    pub only: BTreeMap<Spanned<String>, Field<TextLine>>,
}

/// One site.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SiteFile {
    /// Its code.
    pub name: Field<Name>,
    /// Registered patients.
    pub patients: Field<Count>,
    /// Rate towards the site; without it, from `link`.
    pub down: Field<BitRate>,
    /// Rate from the site (default: as `down`).
    pub up: Field<BitRate>,
    /// Round trip; without it, from `rtt`.
    pub rtt: Field<Duration>,
}

/// A kind of access link.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// Share of the sites that have it.
    pub share: Field<Share>,
    /// Rate towards the site.
    pub down: Field<BitRate>,
    /// Rate from the site.
    pub up: Field<BitRate>,
}

/// A distribution of sizes or times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[serde(bound(deserialize = "T: crate::units::Text"))]
#[schemars(bound = "T: crate::units::Text + JsonSchema")]
pub enum Law<T: crate::units::Text> {
    /// Always the same.
    Fixed(Field<T>),
    /// Exponential with this mean.
    Exponential(Field<T>),
    /// Lognormal: its mean or its median, and the standard deviation of its logarithm.
    Lognormal(LognormalFile<T>),
    /// Pareto between two bounds.
    Pareto(ParetoFile<T>),
    /// Points: value and cumulative share, rising to 100 %.
    Empirical(Vec<(Field<T>, Field<Share>)>),
}

/// A lognormal distribution.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[serde(bound(deserialize = "T: crate::units::Text"))]
#[schemars(bound = "T: crate::units::Text + JsonSchema")]
pub struct LognormalFile<T: crate::units::Text> {
    /// Its mean. Give this or the median.
    pub mean: Field<T>,
    /// Its median.
    pub median: Field<T>,
    /// Standard deviation of the logarithm.
    pub sigma: Field<Number>,
    /// Smaller draws are raised to this.
    pub min: Field<T>,
    /// Larger draws are lowered to this.
    pub max: Field<T>,
}

impl<T: crate::units::Text> Default for LognormalFile<T> {
    fn default() -> Self {
        Self {
            mean: Field::default(),
            median: Field::default(),
            sigma: Field::default(),
            min: Field::default(),
            max: Field::default(),
        }
    }
}

/// A bounded Pareto distribution.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[serde(bound(deserialize = "T: crate::units::Text"))]
#[schemars(bound = "T: crate::units::Text + JsonSchema")]
pub struct ParetoFile<T: crate::units::Text> {
    /// Tail exponent.
    pub shape: Field<Number>,
    /// Smallest value.
    pub from: Field<T>,
    /// Largest value.
    pub to: Field<T>,
}

impl<T: crate::units::Text> Default for ParetoFile<T> {
    fn default() -> Self {
        Self { shape: Field::default(), from: Field::default(), to: Field::default() }
    }
}

/// What a transfer costs beside its share of the bandwidth.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransportFile {
    /// `tcp` (default): round trips, slow start and queues. `ideal`: nothing, as in textbooks.
    pub model: Option<TransportKind>,
    /// Payload of a full segment (default 1360 B, which leaves room for the tunnel).
    pub segment: Field<Bytes>,
    /// IP and TCP headers of a segment (default 40 B).
    pub headers: Field<Bytes>,
    /// Segments of the first window (default 10, RFC 6928).
    pub window: Field<Count>,
    /// Segments in flight at most: the receiver's window (default 3000).
    pub most: Field<Count>,
    /// How the window grows and shrinks (default `cubic`).
    pub congestion: Option<CongestionFile>,
    /// What each direction of an access link holds, as time at its rate (default 100 ms).
    pub access_buffer: Field<Duration>,
    /// Ingredients to leave out, for study.
    pub without: Vec<Field<Name>>,
}

/// How a TCP sender's window grows and shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CongestionFile {
    /// CUBIC (RFC 9438).
    Cubic,
    /// NewReno (RFC 6582).
    NewReno,
}

/// How transfers are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// Round trips, slow start and queues.
    Tcp,
    /// Only the sharing discipline.
    Ideal,
}

/// The shape of a day: shares of the day's arrivals by band, or a level through the day.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Its name.
    pub name: Field<Name>,
    /// Bands as published; together they hold all of the day's arrivals.
    #[schemars(with = "Vec<Band>")]
    pub bands: Vec<At<Band>>,
    /// Points of a level that rises and falls linearly between them.
    #[schemars(with = "Vec<Point>")]
    pub levels: Vec<At<Point>>,
}

/// A band of the day and its share of the arrivals, spread evenly unless `early` says otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Band {
    /// Start of the band.
    pub from: Field<TimeOfDay>,
    /// End of the band.
    pub until: Field<TimeOfDay>,
    /// Share of the day's arrivals.
    pub share: Field<Share>,
    /// The part of the band that is busier than the rest.
    pub early: Option<Early>,
}

/// The first part of a band takes more than its even share.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Early {
    /// Length of the first part.
    pub within: Field<Duration>,
    /// Its share of the band's arrivals.
    pub share: Field<Share>,
}

/// A level at a time of day.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Point {
    /// Time of day.
    pub at: Field<TimeOfDay>,
    /// The level then.
    pub level: Field<Share>,
}

/// Traffic with one purpose and one treatment. It has one of `users`, `open`, `streams` and `jobs`, or none
/// when a replay drives the run.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClassFile {
    /// Its name.
    pub name: Field<Name>,
    /// People at workstations who wait for the answer before they go on.
    #[schemars(with = "Option<UsersFile>")]
    pub users: Option<At<UsersFile>>,
    /// Arrivals that do not notice congestion.
    #[schemars(with = "Option<OpenFile>")]
    pub open: Option<At<OpenFile>>,
    /// Constant-rate streams, such as telephone calls.
    #[schemars(with = "Option<StreamsFile>")]
    pub streams: Option<At<StreamsFile>>,
    /// Streams that go on all the time at each site, in a replay, too.
    #[schemars(with = "Option<SteadyFile>")]
    pub steady: Option<At<SteadyFile>>,
    /// People whose time is counted while their site is cut off, without traffic of their own.
    #[schemars(with = "Option<StaffFile>")]
    pub staff: Option<At<StaffFile>>,
    /// Deferrable transfers that are due at workstations, such as updates.
    #[schemars(with = "Option<JobsFile>")]
    pub jobs: Option<At<JobsFile>>,
    /// Size of each request (default 1 kB).
    #[schemars(with = "Option<Law<Bytes>>")]
    pub request: Option<At<Law<Bytes>>>,
    /// Size of each response.
    #[schemars(with = "Option<Law<Bytes>>")]
    pub response: Option<At<Law<Bytes>>>,
    /// Requests and responses that one action takes, one after the other (default 1).
    pub turns: Field<Count>,
    /// Whether each action opens a connection (default true).
    pub connects: Field<Flag>,
    /// Time that the server takes for each turn (default 0 s).
    pub server: Field<Duration>,
    /// How long a person waits before trying again or giving up (default: for ever).
    pub patience: Field<Duration>,
    /// How often it is tried again (default 0).
    pub retries: Field<Count>,
    /// A response within this time is what people call quick (default 2 s).
    pub quick: Field<Duration>,
    /// Whether people wait for it, so that its waits count as staff time lost: log-ons do, updates do not (default: true for
    /// `users` and `open`, false for `jobs`).
    pub waited_for: Field<Flag>,
    /// What people do who give up; for a class with `users` (default: they leave it).
    #[schemars(with = "Option<FallbackFile>")]
    pub fallback: Option<At<FallbackFile>>,
    /// Share that is turned away at the desk while its site is cut off (default 0 %).
    pub declined: Field<Share>,
    /// By how much it grows in a year, for `headroom` (default 0 %).
    pub growth: Field<Share>,
}

/// What people do who give up.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FallbackFile {
    /// Share that carry on by hand and enter it later (default 0 %).
    pub paper: Field<Share>,
    /// Share that cancel what they were about to do (default 0 %).
    pub cancel: Field<Share>,
    /// Actions that it takes to enter later what one action would have done at once (default 1).
    pub effort: Field<Number>,
    /// Share of actions that enter what is on paper, while there is any and the system answers (default 50 %).
    pub catch_up: Field<Share>,
    /// Until this time of day people stay to enter what is left (default 24:00).
    pub stay_until: Field<TimeOfDay>,
}

/// People whose time is counted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaffFile {
    /// People per 1,000 patients.
    pub per_1000: Field<Number>,
    /// Name of the profile (of levels) that says which share of them is at work.
    pub activity: Field<Name>,
    /// Factors on activity by weekday (default 1 each).
    #[schemars(with = "Option<Weekdays>")]
    pub weekdays: Option<At<Weekdays>>,
}

/// People at workstations.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UsersFile {
    /// Workstations per 1,000 patients.
    pub per_1000: Field<Number>,
    /// Name of the profile (of levels) that says which share of them is in use.
    pub activity: Field<Name>,
    /// Factors on activity by weekday (default 1 each).
    #[schemars(with = "Option<Weekdays>")]
    pub weekdays: Option<At<Weekdays>>,
    /// Time between an answer and the next action.
    #[schemars(with = "Option<Law<Duration>>")]
    pub think: Option<At<Law<Duration>>>,
}

/// A non-homogeneous Poisson process.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OpenFile {
    /// Arrivals per 1,000 patients on an average working day.
    pub per_1000: Field<Number>,
    /// Name of the profile (of bands) over which they spread.
    pub profile: Field<Name>,
    /// Factors by weekday (default 1 each).
    #[schemars(with = "Option<Weekdays>")]
    pub weekdays: Option<At<Weekdays>>,
}

/// Streams that start as a non-homogeneous Poisson process.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StreamsFile {
    /// Streams per 1,000 patients on an average working day.
    pub per_1000: Field<Number>,
    /// Name of the profile (of bands) over which they spread.
    pub profile: Field<Name>,
    /// Factors by weekday (default 1 each).
    #[schemars(with = "Option<Weekdays>")]
    pub weekdays: Option<At<Weekdays>>,
    /// How long a stream lasts.
    #[schemars(with = "Option<Law<Duration>>")]
    pub length: Option<At<Law<Duration>>>,
    /// What it sends, each way.
    pub codec: Option<CodecFile>,
}

/// Streams that go on all the time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SteadyFile {
    /// Streams at each site (default 1).
    pub each: Field<Count>,
    /// What each sends, each way.
    pub codec: Option<CodecFile>,
}

/// What a stream sends, each way.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum CodecFile {
    /// G.711 at 20 ms: 200-byte packets, 80 kbit/s.
    G711,
    /// G.729 at 20 ms: 60-byte packets, 24 kbit/s.
    G729,
    /// Any other.
    Packets {
        /// Bytes of a packet, with its IP header.
        #[serde(default)]
        size: Field<Bytes>,
        /// Time between packets.
        #[serde(default)]
        every: Field<Duration>,
    },
}

/// Deferrable transfers that are due at workstations.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct JobsFile {
    /// Workstations per 1,000 patients.
    pub per_1000: Field<Number>,
    /// Share of them that have a job on a day (default 100 %).
    pub share: Field<Share>,
    /// First start.
    pub from: Field<TimeOfDay>,
    /// Last start.
    pub until: Field<TimeOfDay>,
    /// The likeliest start (default: none, starts are uniform).
    pub peak: Field<TimeOfDay>,
    /// Weekdays on which there are jobs (default: all).
    pub weekdays: Option<Vec<Field<Weekday>>>,
    /// Time of day at which the workstations come on (default: they are always on).
    pub on: Field<TimeOfDay>,
    /// Time of day at which they go off; a job that is cut short goes on the next day.
    pub off: Field<TimeOfDay>,
}

/// Factors by weekday; a day that is left out has none (0).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "PascalCase")]
pub struct Weekdays {
    /// Monday.
    pub mon: Field<Number>,
    /// Tuesday.
    pub tue: Field<Number>,
    /// Wednesday.
    pub wed: Field<Number>,
    /// Thursday.
    pub thu: Field<Number>,
    /// Friday.
    pub fri: Field<Number>,
    /// Saturday.
    pub sat: Field<Number>,
    /// Sunday.
    pub sun: Field<Number>,
}

/// A device that ends tunnels.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConcentratorFile {
    /// Its name.
    pub name: Field<Name>,
    /// Encrypted traffic at the reference packet.
    pub throughput: Field<BitRate>,
    /// Smallest packets (40 bytes inside) that it can handle (default: as many as its throughput allows).
    pub packet_rate: Field<PacketRate>,
    /// Inner packet at which the throughput is stated (default 1400 B).
    pub reference_packet: Field<Bytes>,
    /// What encryption adds to each packet (default `aes_gcm`).
    pub cipher: Option<CipherFile>,
    /// Which directions use up the throughput (default `both`).
    pub counts: Option<CountsFile>,
    /// Queue of each class, or of all when first in first out (default 50 ms of the throughput).
    pub buffer: Field<Bytes>,
    /// Packets that each queue holds at most, at fidelity `packet` (default: only bytes are counted).
    pub buffer_packets: Field<Count>,
    /// Order of service (default `fifo`).
    #[schemars(with = "Option<DisciplineFile>")]
    pub discipline: Option<At<DisciplineFile>>,
    /// Streams that it admits at a time (default: any number).
    pub streams: Field<Count>,
    /// A device whose figures are built in, or in the file `profiles`; what is written here goes before them.
    pub profile: Field<Name>,
    /// Tunnels that it holds at a time (default: any number).
    pub tunnels: Field<Count>,
    /// What one tunnel can carry, as where one core serves a tunnel (default: the whole throughput).
    pub per_tunnel: Field<BitRate>,
    /// IKE handshakes that it completes in a second (default: any number).
    pub handshakes: Field<Number>,
    /// Handshakes that it holds half open (default: any number).
    pub half_open: Field<Count>,
    /// It takes tunnels only while another concentrator of its pool is down (default false).
    pub standby: Field<Flag>,
    /// What each Mbit/s of its throughput costs, in the unit of an option's `cost`.
    pub cost_per_mbit: Field<Number>,
    /// Where its order of service applies (default `before_crypto`).
    pub queues: Option<QueuesFile>,
    /// What its line carries (default: more than its throughput).
    pub uplink: Field<BitRate>,
    /// What its line carries as it was told, by which it shapes (default: as `uplink`).
    pub configured_uplink: Field<BitRate>,
}

/// What encryption adds to each packet (ESP tunnel mode with NAT traversal).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CipherFile {
    /// Nothing.
    None,
    /// AES-GCM, 16-byte tag.
    AesGcm,
    /// AES-CBC with HMAC-SHA1-96.
    AesCbcSha1,
    /// AES-CBC with HMAC-SHA-256-128.
    AesCbcSha256,
    /// So many bytes to each packet.
    Adds(Field<Bytes>),
}

/// Where a concentrator's order of service applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueuesFile {
    /// Before encryption: what encryption holds up is served in order.
    BeforeCrypto,
    /// After it, on the line: encryption takes packets as they come.
    AfterCrypto,
}

/// Which directions of traffic use up the throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountsFile {
    /// Both directions share it.
    Both,
    /// Only traffic towards the sites.
    Down,
}

/// The order in which a concentrator serves.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum DisciplineFile {
    /// One queue, first in first out; TCP shares it by flow.
    Fifo,
    /// The same share to each busy site.
    FairBySite,
    /// Lists of classes, the first list strictly first; classes that are not named come last.
    Priority(Vec<Vec<Field<Name>>>),
    /// A weight for each class: its share of the link while it is busy.
    #[schemars(with = "ByClass")]
    Weighted(BTreeMap<Spanned<String>, Field<Number>>),
    /// A weight for each class: what each of its flows gets against the others.
    #[schemars(with = "ByClass")]
    Discriminatory(BTreeMap<Spanned<String>, Field<Number>>),
    /// Some classes strictly first, weights among the others.
    LowLatency {
        /// Classes that go first.
        #[serde(default)]
        first: Vec<Field<Name>>,
        /// Weights of the other classes.
        #[serde(default)]
        #[schemars(with = "ByClass")]
        weights: BTreeMap<Spanned<String>, Field<Number>>,
    },
}

/// A number for each class.
#[allow(dead_code)] // only its schema is used
type ByClass = BTreeMap<String, f64>;

/// Concentrators among which tunnels are placed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PoolFile {
    /// Its name.
    pub name: Field<Name>,
    /// Its concentrators, in order of preference.
    pub concentrators: Vec<Field<Name>>,
    /// How a tunnel is placed (default `hub_list`).
    pub balancer: Option<BalancerFile>,
    /// When tunnels come back to a concentrator that was down (default: `at_once` for a hub list, else `by_hand`).
    pub fail_back: Option<FailBackFile>,
    /// The sites that use it (default: all that no other pool has).
    #[schemars(with = "Option<Selector>")]
    pub sites: Option<At<Selector>>,
}

/// How a pool chooses a concentrator for a tunnel. Tunnels stay where they were placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalancerFile {
    /// The first in the list.
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
    /// In proportion to throughput.
    Weighted,
    /// For each transaction the least crowded: the ideal bound.
    JoinShortest,
}

/// When tunnels come back to a concentrator that was down.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum FailBackFile {
    /// As soon as it is up.
    AtOnce,
    /// When it has been up for so long.
    After(Field<Duration>),
    /// Never by themselves.
    ByHand,
}

/// Some of the sites.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Selector {
    /// Every site.
    All,
    /// This share of the sites, the largest first or as the estate lists them.
    Share(Field<Share>),
    /// These sites.
    List(Vec<Field<Name>>),
}

/// One change of the world.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Change {
    /// A class may not start in a window: it waits, and is released when the window ends.
    Curfew(CurfewFile),
    /// A cap on the rate of a class.
    Shape(ShapeFile),
    /// A class is switched off.
    SwitchOff(WindowFile),
    /// Classes that are served strictly first.
    Prioritise(PrioritiseFile),
    /// Any other order of service.
    Serve(ServeFile),
    /// Another throughput.
    Resize(ResizeFile),
    /// One more concentrator.
    Add(Box<AddFile>),
    /// Another balancer.
    Balance(BalanceFile),
    /// Sites move their tunnels to another concentrator.
    Migrate(MigrateFile),
    /// A share of a class is served on site.
    Cache(ShareFile),
    /// A share of a class goes round the headend.
    BreakOut(ShareFile),
    /// A class's jobs start in another window.
    Stagger(StaggerFile),
    /// While a site is cut off, a share of a class is served on site and forwarded later.
    Store(StoreFile),
    /// Tunnels are set up otherwise.
    Tunnels(Box<TunnelsFile>),
    /// Other limits of a concentrator.
    Limit(LimitFile),
}

/// A class may not start in a window.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CurfewFile {
    /// The class.
    pub class: Field<Name>,
    /// First forbidden time of day.
    pub from: Field<TimeOfDay>,
    /// The release.
    pub until: Field<TimeOfDay>,
    /// How what has waited starts (default `at_once`).
    pub release: Option<ReleaseFile>,
    /// Share that obeys (default 100 %).
    pub compliance: Field<Share>,
    /// The one date on which it holds (default: every day).
    pub on: Field<Date>,
}

/// How deferred jobs start when a curfew ends.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum ReleaseFile {
    /// All together.
    AtOnce,
    /// In the order in which they came, evenly over this time.
    Spread(Field<Duration>),
    /// Each after its own random time up to this one.
    Jittered(Field<Duration>),
}

/// A cap on the rate of a class.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShapeFile {
    /// The class.
    pub class: Field<Name>,
    /// Cap on all sites together, at each concentrator.
    pub total: Field<BitRate>,
    /// Cap on each site.
    pub per_site: Field<BitRate>,
    /// From this time of day (default: the start of the day).
    pub from: Field<TimeOfDay>,
    /// Until this time of day (default: its end).
    pub until: Field<TimeOfDay>,
    /// The one date on which it holds (default: every day).
    pub on: Field<Date>,
}

/// A class and a window.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WindowFile {
    /// The class.
    pub class: Field<Name>,
    /// From this time of day (default: the start of the day).
    pub from: Field<TimeOfDay>,
    /// Until this time of day (default: its end).
    pub until: Field<TimeOfDay>,
    /// The one date on which it holds (default: every day).
    pub on: Field<Date>,
}

/// Classes that are served strictly first.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrioritiseFile {
    /// Classes, the first strictly before the next; all others come last, together.
    pub first: Vec<Field<Name>>,
    /// At these concentrators (default: all).
    pub concentrators: Vec<Field<Name>>,
    /// From this time of day on (default: the start of the run).
    pub at: Field<TimeOfDay>,
    /// From this date on (default: the first day).
    pub on: Field<Date>,
}

/// Another order of service.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServeFile {
    /// The order of service.
    #[schemars(with = "Option<DisciplineFile>")]
    pub discipline: Option<At<DisciplineFile>>,
    /// At these concentrators (default: all).
    pub concentrators: Vec<Field<Name>>,
    /// From this time of day on (default: the start of the run).
    pub at: Field<TimeOfDay>,
    /// From this date on (default: the first day).
    pub on: Field<Date>,
}

/// Another throughput.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResizeFile {
    /// The concentrator.
    pub concentrator: Field<Name>,
    /// Its throughput from then on.
    pub throughput: Field<BitRate>,
    /// From this time of day on (default: the start of the run).
    pub at: Field<TimeOfDay>,
    /// From this date on (default: the first day).
    pub on: Field<Date>,
}

/// One more concentrator in a pool.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AddFile {
    /// What it is.
    #[schemars(with = "Option<ConcentratorFile>")]
    pub concentrator: Option<At<ConcentratorFile>>,
    /// The pool that it joins (default: the first).
    pub pool: Field<Name>,
    /// How the pool places tunnels from then on (default: as before, or by `least_load` where nothing would come to the new
    /// concentrator).
    pub balancer: Option<BalancerFile>,
    /// Opens at this time of day; tunnels come to it when sites migrate (default: it is there from the start).
    pub at: Field<TimeOfDay>,
    /// Opens on this date (default: the first day).
    pub on: Field<Date>,
}

/// Another balancer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BalanceFile {
    /// The pool (default: the first).
    pub pool: Field<Name>,
    /// How it places tunnels.
    pub balancer: Option<BalancerFile>,
}

/// Sites move their tunnels.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MigrateFile {
    /// The concentrator to which they move.
    pub to: Field<Name>,
    /// Sites that cannot move, whatever else is written.
    #[schemars(with = "Option<Selector>")]
    pub except: Option<At<Selector>>,
    /// Which sites move, all at the same time.
    #[schemars(with = "Option<Selector>")]
    pub sites: Option<At<Selector>>,
    /// At this time of day (default: the start of the run).
    pub at: Field<TimeOfDay>,
    /// On this date (default: the first day).
    pub on: Field<Date>,
    /// The old tunnel is taken down before the new one is asked for, so that sites wait for handshakes (default: the new
    /// one is set up beforehand).
    pub cut_over: Field<Flag>,
    /// Or: which sites move when, one group after the other.
    #[schemars(with = "Vec<Wave>")]
    pub waves: Vec<At<Wave>>,
}

/// One group of sites that moves.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Wave {
    /// Which sites; a share is taken of those that have not moved yet, as the estate lists them.
    #[schemars(with = "Option<Selector>")]
    pub sites: Option<At<Selector>>,
    /// At this time of day (default: midnight).
    pub at: Field<TimeOfDay>,
    /// On this date (default: the first day). A date before the run means that they have moved already.
    pub on: Field<Date>,
}

/// A share of a class, in a window.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShareFile {
    /// The class.
    pub class: Field<Name>,
    /// The share of its transactions (default 100 %).
    pub share: Field<Share>,
    /// From this time of day (default: the start of the day).
    pub from: Field<TimeOfDay>,
    /// Until this time of day (default: its end).
    pub until: Field<TimeOfDay>,
    /// The one date on which it holds (default: every day).
    pub on: Field<Date>,
}

/// Other limits of a concentrator; what is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitFile {
    /// At these concentrators (default: all).
    pub concentrators: Vec<Field<Name>>,
    /// Tunnels that it holds at a time.
    pub tunnels: Field<Count>,
    /// What one tunnel can carry.
    pub per_tunnel: Field<BitRate>,
    /// IKE handshakes that it completes in a second.
    pub handshakes: Field<Number>,
    /// Handshakes that it holds half open.
    pub half_open: Field<Count>,
    /// Where its order of service applies.
    pub queues: Option<QueuesFile>,
    /// What its line carries.
    pub uplink: Field<BitRate>,
    /// What its line carries as it was told.
    pub configured_uplink: Field<BitRate>,
}

/// What a server on site carries while its site is cut off.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoreFile {
    /// The class.
    pub class: Field<Name>,
    /// The share of its transactions that can be served on site (default 100 %).
    pub share: Field<Share>,
    /// The class as which each of them is forwarded when the site is back (default: nothing is forwarded).
    pub forward: Field<Name>,
}

/// Another window of starts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StaggerFile {
    /// The class.
    pub class: Field<Name>,
    /// First start.
    pub from: Field<TimeOfDay>,
    /// Last start.
    pub until: Field<TimeOfDay>,
    /// The likeliest start (default: none, starts are uniform).
    pub peak: Field<TimeOfDay>,
}

/// Something that could be done.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OptionFile {
    /// Its name on the command line and in files.
    pub name: Field<Name>,
    /// Its name in charts and tables (default: the name).
    pub title: Field<TextLine>,
    /// What it costs, in any unit of money, beside what concentrators cost by their throughput.
    pub cost: Field<Number>,
    /// Options whose changes it has as well, made before its own.
    pub include: Vec<Field<Name>>,
    /// Its changes.
    #[schemars(with = "Vec<Change>")]
    pub change: Vec<At<Change>>,
    /// Names of the base's misfortunes that do not befall it.
    pub without: Vec<Field<Name>>,
    /// Misfortunes that befall it.
    #[schemars(with = "Vec<FaultFile>")]
    pub fault: Vec<At<FaultFile>>,
}

/// Something that must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetFile {
    /// What is measured.
    pub measure: Option<MeasureFile>,
    /// The class; not for `utilisation` and what is measured of sites.
    pub class: Field<Name>,
    /// The limit: a time for latencies and `cut_off`, a size for `waiting`, a number for `outages`, a share for the
    /// others.
    pub at_most: Field<TextLine>,
    /// Counts what starts from this time of day.
    pub from: Field<TimeOfDay>,
    /// Counts what starts until this time of day.
    pub until: Field<TimeOfDay>,
    /// Counts what starts on this date (default: every day).
    pub on: Field<Date>,
}

/// What a target measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeasureFile {
    /// Mean latency.
    Mean,
    /// Median latency.
    #[serde(alias = "median")]
    P50,
    /// 90th percentile of latency.
    P90,
    /// 95th percentile of latency.
    P95,
    /// 99th percentile of latency.
    P99,
    /// Share of transactions that took longer than the class's `quick`, or were given up.
    Slow,
    /// Share of transactions that were given up.
    GivenUp,
    /// Utilisation of the busiest concentrator.
    Utilisation,
    /// Bytes of deferred jobs that wait at `until`.
    Waiting,
    /// Share of calls that were refused.
    Refused,
    /// Outages of a site in a month, on average.
    Outages,
    /// Share of staff time at sites that are cut off; of classes with `staff` or `users`.
    StaffTime,
    /// The longest time for which a site is cut off.
    CutOff,
    /// Share of sites that are cut off at once, at worst.
    SitesCutOff,
}

/// Transactions to play back.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayFile {
    /// CSV with the columns `start_s`, `site`, `class`, `request_bytes`, `response_bytes`.
    pub file: Field<TextLine>,
}

/// Where a number comes from, and how far it can be trusted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Origin {
    /// How far it can be trusted.
    pub standing: Option<StandingFile>,
    /// Publication, measurement, or the reason for an assumption.
    pub from: Field<TextLine>,
    /// What else it could be: "10 to 40 ms".
    pub range: Field<TextLine>,
    /// How likely each part of that range is (default: "triangular", likeliest where it was written).
    pub likelihood: Option<LikelihoodFile>,
}

/// How likely each part of a range is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LikelihoodFile {
    /// Likeliest where it was written, down to nothing at the ends.
    Triangular,
    /// All values alike.
    Uniform,
    /// All ratios alike.
    LogUniform,
}

/// How far a number can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingFile {
    /// Published by those responsible.
    Official,
    /// Measured.
    Measured,
    /// Fitted to something published or measured.
    Fitted,
    /// Assumed.
    Assumed,
}
