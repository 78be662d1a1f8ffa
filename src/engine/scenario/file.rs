//! The scenario as it is written: every table and field of the TOML file, with what each means.
//!
//! These types are also the source of `headend schema`, so their documentation is what an editor shows.

pub mod calendar;
pub mod change;
pub mod class;
pub mod concentrator;
pub mod estate;
pub mod fault;
pub mod knob;
pub mod law;
pub mod option;
pub mod profile;
pub mod run;
pub mod selector;
pub mod source;
pub mod transport;
pub mod tunnel;

use std::collections::BTreeMap;

pub use calendar::{BankHolidays, CalendarFile};
pub use change::{
    AddFile, BalanceFile, Change, CurfewFile, LimitFile, MigrateFile, PrioritiseFile, ReleaseFile, ResizeFile,
    ServeFile, ShapeFile, ShareFile, StaggerFile, StoreFile, Wave, WindowFile,
};
pub use class::{
    ClassFile, CodecFile, FallbackFile, JobsFile, OpenFile, StaffFile, SteadyFile, StreamsFile, UsersFile, Weekdays,
};
pub use concentrator::{
    BalancerFile, CipherFile, ConcentratorFile, CountsFile, DisciplineFile, FailBackFile, PoolFile, QueuesFile,
    RampFile,
};
pub use estate::{CsvEstate, Drawn, Estate, Link, ReplayFile, SiteFile};
pub use fault::FaultFile;
pub use knob::KnobFile;
pub use law::{Law, LognormalFile, ParetoFile};
pub use option::{MeasureFile, OptionFile, TargetFile, TargetSitesFile};
pub use profile::{Band, Early, Point, Profile};
pub use run::{FidelityFile, Run};
use schemars::JsonSchema;
pub use selector::Selector;
use serde::Deserialize;
pub use source::{LikelihoodFile, Origin, StandingFile};
use toml::Spanned;
pub use transport::{CongestionFile, TransportFile, TransportKind};
pub use tunnel::TunnelsFile;

pub use crate::scenario::field::At;
use crate::scenario::field::{Field, TextLine};

/// One question: a world, the options for it, and the targets that must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// The question that the scenario answers, in one sentence.
    pub question: Field<TextLine>,
    /// What is simulated, and how often.
    #[schemars(with = "Option<Run>")]
    pub run: Option<At<Run>>,
    /// How one day differs from another.
    #[schemars(with = "Option<CalendarFile>")]
    pub calendar: Option<At<CalendarFile>>,
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
    /// Numbers that the page of `headend live` lets people move (default: those of concentrators and options).
    #[schemars(with = "Vec<KnobFile>")]
    pub knob: Vec<At<KnobFile>>,
    /// Transactions to play back in place of those that the classes generate.
    #[schemars(with = "Option<ReplayFile>")]
    pub replay: Option<At<ReplayFile>>,
    /// Where numbers come from: path of a table or value (such as `class.clinical.users`) to its origin.
    #[schemars(with = "BTreeMap<String, Origin>")]
    pub source: BTreeMap<Spanned<String>, At<Origin>>,
}
