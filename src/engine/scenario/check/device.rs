//! Profiles: devices whose figures are known from their makers, built in or from a file of the user's.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::scenario::check::source::{Input, Likelihood, Standing};
use crate::scenario::checker::Checker;
use crate::scenario::field::{Count, Field, Number, TextLine};
use crate::scenario::file::{At, CipherFile, ConcentratorFile, File};
use crate::scenario::problem::did_you_mean;
use crate::units::{BitRate, Bytes, PacketRate};

/// The figures of a device.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceModel {
    /// Its name for people.
    pub title: Field<TextLine>,
    /// Encrypted traffic at the reference packet.
    pub throughput: Field<BitRate>,
    /// Smallest packets that it can handle.
    pub packet_rate: Field<PacketRate>,
    /// Inner packet at which the throughput is stated.
    pub reference_packet: Field<Bytes>,
    /// What encryption adds to each packet.
    pub cipher: Option<CipherFile>,
    /// Rate of one tunnel.
    pub per_tunnel: Field<BitRate>,
    /// Tunnels at a time.
    pub tunnels: Field<Count>,
    /// IKE handshakes in a second.
    pub handshakes: Field<Number>,
    /// Source of the figures, and its date.
    pub from: Field<TextLine>,
    /// Until when its maker sold it.
    pub end_of_sale: Field<TextLine>,
}

/// A device that could be bought.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its name for people.
    pub title: String,
    /// Encrypted traffic [bit/s].
    pub throughput: f64,
    /// Most tunnels, where that is known.
    pub tunnels: Option<u64>,
    /// Packet rate, where that is known.
    pub packet_rate: Option<f64>,
}

/// The smallest built-in device of each maker that carries so much [bit/s] with so many tunnels, and so many packets a second
/// where that is known, the smallest first.
#[must_use]
pub fn smallest(throughput: f64, tunnels: usize, packet_rate: Option<f64>) -> Vec<Device> {
    let mut of_makers: BTreeMap<String, Device> = BTreeMap::new();
    for (name, profile) in built_in() {
        let (Some(title), Some(rate)) = (profile.title.value(), profile.throughput.value()) else { continue };
        // A profile of the rate of one tunnel alone is no device.
        let is_device = profile.tunnels.is_written() || !profile.per_tunnel.is_written();
        let most = profile.tunnels.value().map(|tunnels| tunnels.0);
        #[allow(clippy::cast_precision_loss)] // far below 2^53
        let packets = profile.packet_rate.value().map(|rate| rate.0 as f64);
        let device = Device { title: title.0.clone(), throughput: rate.bits(), tunnels: most, packet_rate: packets };
        let handles = packets.zip(packet_rate).is_none_or(|(handles, needed)| handles >= needed);
        let fits = handles && device.throughput >= throughput && most.is_none_or(|most| most >= tunnels as u64);
        if !is_device || !fits || profile.end_of_sale.is_written() {
            continue;
        }
        let maker = name.split('-').next().unwrap_or_default().to_owned();
        match of_makers.get(&maker) {
            Some(other) if other.throughput <= device.throughput => {}
            _ => drop(of_makers.insert(maker, device)),
        }
    }
    let mut devices: Vec<Device> = of_makers.into_values().collect();
    devices.sort_by(|a, b| a.throughput.total_cmp(&b.throughput));
    devices
}

/// Devices by their names.
pub type DeviceModels = BTreeMap<String, DeviceModel>;

const BUILT_IN: &str = include_str!("../../../../profiles/devices.toml");

/// Those that come with the program.
///
/// # Panics
/// Never: a test reads them.
#[must_use]
pub fn built_in() -> DeviceModels {
    static ALL: LazyLock<DeviceModels> =
        LazyLock::new(|| toml::from_str(BUILT_IN).expect("the built-in profiles can be read"));
    ALL.clone()
}

/// Those that come with the program, and those of the scenario's own file, which take precedence.
pub fn profiles(file: &File, check: &mut Checker) -> DeviceModels {
    let mut all = built_in();
    let Some(name) = check.optional(&file.profiles) else { return all };
    let at = file.profiles.span().clone();
    let Some((text, source)) = check.file(&at, &name.0) else { return all };
    match toml::from_str::<DeviceModels>(&text) {
        Ok(own) => {
            for (name, profile) in own {
                let faults = faults(&profile);
                // What is faulty has its problem; a stand-in lets the rest be checked all the same.
                let profile = if faults.is_empty() { profile } else { stand_in() };
                for (span, message) in faults {
                    check.problems.add_in(source, &span, message, "write it as in the profiles that are built in");
                }
                all.insert(name, profile);
            }
        }
        Err(fault) => {
            let help = "write one table a device, with `throughput`, `tunnels`, `per_tunnel`, `packet_rate`, \
                        `handshakes`, `cipher` and `from`";
            check.unread_profiles = true;
            let message = fault.message().trim().replace('\n', "; ");
            check.problems.add_in(source, &fault.span().unwrap_or(0..0), message, help);
        }
    }
    all
}

/// Figures of a profile that cannot be read.
fn faults(profile: &DeviceModel) -> Vec<(std::ops::Range<usize>, String)> {
    let wrong = [
        (profile.throughput.span(), profile.throughput.error()),
        (profile.packet_rate.span(), profile.packet_rate.error()),
        (profile.reference_packet.span(), profile.reference_packet.error()),
        (profile.per_tunnel.span(), profile.per_tunnel.error()),
        (profile.tunnels.span(), profile.tunnels.error()),
        (profile.handshakes.span(), profile.handshakes.error()),
    ];
    let none = [
        (&profile.throughput, profile.throughput.value().is_some_and(|rate| rate.0 == 0)),
        (&profile.per_tunnel, profile.per_tunnel.value().is_some_and(|rate| rate.0 == 0)),
    ];
    let none = none.into_iter().filter(|(_, is_none)| *is_none).map(|(field, _)| field.span());
    let no_tunnels = profile.tunnels.value().is_some_and(|tunnels| tunnels.0 == 0);
    let none = none.chain(no_tunnels.then(|| profile.tunnels.span()));
    let nothing = none.map(|span| (span.clone(), "a device that can do nothing: this should be above zero".to_owned()));
    let wrong = wrong.into_iter().filter_map(|(span, message)| Some((span.clone(), message?.to_owned())));
    wrong.chain(nothing).collect()
}

fn stand_in() -> DeviceModel {
    DeviceModel { throughput: Field::of(BitRate(1_000_000_000), 0..0), ..DeviceModel::default() }
}

/// A concentrator as written, completed from its profile.
pub fn filled(table: &At<ConcentratorFile>, known: &DeviceModels, check: &mut Checker) -> ConcentratorFile {
    let mut file = table.get_ref().clone();
    let Some(name) = check.optional(&file.profile) else { return file };
    let unread = check.unread_profiles.then(stand_in);
    let Some(profile) = known.get(&name.0).or(unread.as_ref()) else {
        let help =
            format!("{}; `headend profiles` lists them", did_you_mean(&name.0, known.keys().map(String::as_str)));
        check.problems.add(file.profile.span(), format!("there is no profile `{}`", name.0), help);
        return file;
    };
    let at = file.profile.span().clone();
    fill(&mut file.throughput, &profile.throughput, &at);
    fill(&mut file.packet_rate, &profile.packet_rate, &at);
    fill(&mut file.reference_packet, &profile.reference_packet, &at);
    fill(&mut file.per_tunnel, &profile.per_tunnel, &at);
    fill(&mut file.tunnels, &profile.tunnels, &at);
    fill(&mut file.handshakes, &profile.handshakes, &at);
    file.cipher = file.cipher.or_else(|| profile.cipher.clone());
    file
}

/// The figures that concentrators have from their profiles, with their source.
#[must_use]
pub fn inputs(file: &File, known: &DeviceModels) -> Vec<Input> {
    let of_table = |table: &At<ConcentratorFile>| -> Vec<Input> {
        let own = table.get_ref();
        let (Some(concentrator), Some(name)) = (own.name.value(), own.profile.value()) else { return Vec::new() };
        let Some(profile) = known.get(&name.0) else { return Vec::new() };
        let figures = [
            ("throughput", own.throughput.is_written(), shown(&profile.throughput)),
            ("packet_rate", own.packet_rate.is_written(), shown(&profile.packet_rate)),
            ("per_tunnel", own.per_tunnel.is_written(), shown(&profile.per_tunnel)),
            ("tunnels", own.tunnels.is_written(), profile.tunnels.value().map(|tunnels| tunnels.0.to_string())),
        ];
        let of_profile = figures.into_iter().filter(|(_, written, _)| !written);
        let inputs = of_profile.filter_map(|(field, _, value)| {
            Some(Input {
                path: format!("concentrator.{}.{field}", concentrator.0),
                value: value?,
                standing: Standing::Official,
                source: profile.from.value().map(|from| from.0.clone()),
                range: None,
                likelihood: Likelihood::default(),
            })
        });
        inputs.collect()
    };
    file.concentrator.iter().flat_map(of_table).collect()
}

fn shown<T: ToString>(field: &Field<T>) -> Option<String> {
    field.value().map(ToString::to_string)
}

/// A value of a profile, with the place where the profile is named: its own place is in another file.
fn fill<T: Clone>(own: &mut Field<T>, of_profile: &Field<T>, at: &Range<usize>) {
    if !own.is_written()
        && let Some(value) = of_profile.value()
    {
        *own = Field::of(value.clone(), at.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_device_is_sold_fits_and_has_no_smaller_one_of_its_maker() {
        let found = smallest(400e6, 60, None);
        assert!(found.iter().all(|device| device.throughput >= 400e6), "{found:?}");
        assert!(found.len() >= 2 && found.is_sorted_by(|a, b| a.throughput <= b.throughput), "{found:?}");
        let meraki: Vec<&Device> = found.iter().filter(|device| device.title.contains("Meraki")).collect();
        assert_eq!(meraki.len(), 1, "one of each maker: {found:?}");
        assert!(smallest(1e13, 60, None).is_empty());
        let slow = |device: &&Device| device.packet_rate.is_some_and(|rate| rate < 1e6);
        assert!(!smallest(400e6, 10, Some(1e6)).iter().any(|device| slow(&device)));
        assert!(smallest(400e6, 10, None).iter().any(|device| slow(&device)));
        assert!(smallest(1e6, 1_000_000, None).iter().all(|device| device.tunnels.is_none()));
    }

    #[test]
    fn every_built_in_figure_has_its_source() {
        let all = built_in();
        assert!(all.len() >= 60);
        for (name, profile) in &all {
            assert!(profile.throughput.value().is_some(), "{name}");
            assert!(profile.from.value().is_some_and(|from| from.0.len() > 20), "{name}");
            for wrong in [profile.per_tunnel.error(), profile.packet_rate.error(), profile.tunnels.error()] {
                assert_eq!(wrong, None, "{name}");
            }
        }
    }
}
