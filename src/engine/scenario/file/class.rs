//! `[[class]]`: traffic with one purpose and one treatment.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{At, Count, Field, Flag, Name, Number, Weekday};
use crate::scenario::file::law::Law;
use crate::units::{Bytes, Duration, Share, TimeOfDay};

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
    /// What it sends, each way (default `g711`).
    pub codec: Option<CodecFile>,
}

/// Streams that go on all the time.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SteadyFile {
    /// Streams at each site (default 1).
    pub each: Field<Count>,
    /// What each sends, each way (default `g711`).
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
        /// Equipment impairment factor Ie, for the quality of speech (ITU-T G.113; default 0).
        #[serde(default)]
        impairment: Field<Number>,
        /// Packet-loss robustness factor Bpl, for the quality of speech (ITU-T G.113; default 25.1).
        #[serde(default)]
        robustness: Field<Number>,
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
