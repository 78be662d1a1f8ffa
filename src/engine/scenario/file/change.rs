//! `[[option.change]]`: what an option does.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{At, Count, Date, Field, Flag, Name, Number};
use crate::scenario::file::concentrator::{BalancerFile, ConcentratorFile, DisciplineFile, QueuesFile, RampFile};
use crate::scenario::file::selector::Selector;
use crate::scenario::file::tunnel::TunnelsFile;
use crate::units::{BitRate, Bytes, Duration, PacketRate, Share, TimeOfDay};

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
    /// Packets a second that one tunnel can carry each way.
    pub per_tunnel_packets: Field<PacketRate>,
    /// Largest packet on the wire that its path to the sites carries whole.
    pub mtu: Field<Bytes>,
    /// IKE handshakes that it completes in a second.
    pub handshakes: Field<Number>,
    /// Handshakes a second when it has come up, which rise to that rate over a time.
    #[schemars(with = "Option<RampFile>")]
    pub handshakes_ramp: Option<At<RampFile>>,
    /// Handshakes that it holds half open.
    pub half_open: Field<Count>,
    /// It forgets a half-open handshake that has waited for so long.
    pub half_open_timeout: Field<Duration>,
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
