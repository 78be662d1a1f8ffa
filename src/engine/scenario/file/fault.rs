//! `[[fault]]`: what goes wrong, dated or at random.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{At, Date, Field, Name, Number};
use crate::scenario::file::law::Law;
use crate::scenario::file::selector::Selector;
use crate::units::{BitRate, Duration, Share, TimeOfDay};

/// One misfortune. Without `at` it begins with the run, without `lasts` it goes on to its end.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum FaultFile {
    /// A concentrator is down: its tunnels are lost, and are set up anew elsewhere or when it is back.
    Outage(OutageFile),
    /// A concentrator has only a share of its throughput.
    BrownOut(BrownOutFile),
    /// Site firewalls stall from time to time until somebody has them rebooted.
    Flaps(Box<FlapsFile>),
    /// Access links of sites are cut.
    Cut(CutFile),
    /// The link between the concentrators and some servers is cut.
    ServersLost(ServersLostFile),
    /// A site sends into the tunnels what nobody asked for, and does not give way.
    Flood(FloodFile),
    /// A class is asked for more often.
    Surge(SurgeFile),
}

/// When a fault holds.
macro_rules! fault {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// Its name, so that an option can do `without` it.
            pub name: Field<Name>,
            /// Time of day at which it begins (default: the start of the day).
            pub at: Field<TimeOfDay>,
            /// Date on which it begins (default: the first day).
            pub on: Field<Date>,
            /// How long it lasts (default: to the end of the run).
            pub lasts: Field<Duration>,
        }

        impl Dated for $name {
            fn when(&self) -> (&Field<TimeOfDay>, &Field<Date>, &Field<Duration>) {
                (&self.at, &self.on, &self.lasts)
            }

            fn name(&self) -> &Field<Name> {
                &self.name
            }
        }
    };
}

/// A fault that holds for some time.
pub(crate) trait Dated {
    fn name(&self) -> &Field<Name>;
    fn when(&self) -> (&Field<TimeOfDay>, &Field<Date>, &Field<Duration>);
}

fault! {
    /// A concentrator is down.
    OutageFile {
        /// Which.
        concentrator: Field<Name>,
    }
}

fault! {
    /// A concentrator is slowed down.
    BrownOutFile {
        /// Which.
        concentrator: Field<Name>,
        /// What it has left of its throughput.
        left: Field<Share>,
    }
}

fault! {
    /// Site firewalls stall: each of the sites by itself, or, after a bad firmware, many of them.
    FlapsFile {
        /// Which sites (default: all).
        #[schemars(with = "Option<Selector>")]
        sites: Option<At<Selector>>,
        /// Time from a site's being well again to its next stall.
        #[schemars(with = "Option<Law<Duration>>")]
        between: Option<At<Law<Duration>>>,
        /// Time until somebody notices and asks for a reboot (default: none).
        #[schemars(with = "Option<Law<Duration>>")]
        stall: Option<At<Law<Duration>>>,
        /// Time from then until the firewall is up again.
        #[schemars(with = "Option<Law<Duration>>")]
        reboot: Option<At<Law<Duration>>>,
    }
}

fault! {
    /// Access links are cut.
    CutFile {
        /// Of which sites.
        #[schemars(with = "Option<Selector>")]
        sites: Option<At<Selector>>,
    }
}

fault! {
    /// Some servers cannot be reached.
    ServersLostFile {
        /// Which classes they serve (default: all).
        classes: Vec<Field<Name>>,
    }
}

fault! {
    /// A site floods the tunnels.
    FloodFile {
        /// Which site.
        site: Field<Name>,
        /// What class its packets pass for.
        class: Field<Name>,
        /// How much arrives at the concentrator.
        rate: Field<BitRate>,
    }
}

fault! {
    /// A class is asked for more often.
    SurgeFile {
        /// Which class: `open` or `streams`.
        class: Field<Name>,
        /// How many times as often.
        factor: Field<Number>,
    }
}
