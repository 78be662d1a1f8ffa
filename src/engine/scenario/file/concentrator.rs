//! `[[concentrator]]` and `[[pool]]`: the devices, and how tunnels are placed among them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::scenario::field::{At, Count, Field, Flag, Name, Number};
use crate::scenario::file::selector::Selector;
use crate::units::{BitRate, Bytes, Duration, PacketRate};

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
    /// Largest packet on the wire that its path to the sites carries whole (path MTU); larger ones are fragmented, each fragment a
    /// packet to handle (default 1500 B).
    pub mtu: Field<Bytes>,
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
    /// Packets a second that one tunnel can carry each way, before they are fragmented, as where one core serves a tunnel (default: any number).
    pub per_tunnel_packets: Field<PacketRate>,
    /// IKE handshakes that it completes in a second (default: any number).
    pub handshakes: Field<Number>,
    /// Handshakes a second when it has come up, which rise to that rate over a time (default: it has its rate at once).
    #[schemars(with = "Option<RampFile>")]
    pub handshakes_ramp: Option<At<RampFile>>,
    /// Handshakes that it holds half open (default: any number).
    pub half_open: Field<Count>,
    /// It forgets a half-open handshake that has waited for so long (default: it never does).
    pub half_open_timeout: Field<Duration>,
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

/// Admission that ramps.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RampFile {
    /// Handshakes a second when it comes up.
    pub from: Field<Number>,
    /// It has its full rate after so long.
    pub over: Field<Duration>,
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
