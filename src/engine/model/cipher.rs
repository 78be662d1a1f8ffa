//! What a tunnel adds to each packet.

use crate::units::Bytes;

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

/// What encryption adds to each packet [bytes].
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

/// What becomes of a packet that enters a tunnel: it is encrypted, and leaves whole or in fragments.
///
/// The tunnel's end fragments what it has encrypted where that is larger than the path's MTU, and the other end puts it together
/// again (RFC 4301, section 8.2); each fragment has an IP header of its own (RFC 791, section 3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encapsulation {
    overhead: Overhead,
    /// Largest packet that the path carries whole [bytes].
    mtu: u64,
    /// Largest fragment that is not the last [bytes].
    fragment: u64,
}

/// Header of each fragment, and unit in which fragments are counted [bytes] (RFC 791, section 3.1).
const FRAGMENT_HEADER: u64 = 20;
const FRAGMENT_UNIT: u64 = 8;

impl Encapsulation {
    /// By this cipher, on a path of this MTU.
    #[must_use]
    pub fn new(cipher: Cipher, mtu: Bytes) -> Self {
        let units = mtu.0.saturating_sub(FRAGMENT_HEADER).max(FRAGMENT_UNIT) / FRAGMENT_UNIT;
        Self { overhead: cipher.overhead(), mtu: mtu.0, fragment: FRAGMENT_HEADER + units * FRAGMENT_UNIT }
    }

    /// Bytes on the wire of a packet of `inner` bytes, or of all its fragments.
    #[must_use]
    pub fn wire(&self, inner: u64) -> u64 {
        self.overhead.wire(inner) + FRAGMENT_HEADER * (self.fragments(inner) - 1)
    }

    /// In how many packets one of `inner` bytes leaves.
    #[must_use]
    pub fn fragments(&self, inner: u64) -> u64 {
        let whole = self.overhead.wire(inner);
        if whole <= self.mtu { 1 } else { (whole - FRAGMENT_HEADER).div_ceil(self.fragment - FRAGMENT_HEADER) }
    }

    /// How many packets have so many bytes on the wire together, if they are the fragments of one.
    #[must_use]
    pub fn fragments_on_wire(&self, bytes: u64) -> u64 {
        if bytes <= self.mtu { 1 } else { bytes.div_ceil(self.fragment) }
    }

    /// The largest packet inside that leaves whole [bytes].
    #[must_use]
    pub fn largest_whole(&self) -> u64 {
        let fits = |inner: &u64| self.fragments(*inner) == 1;
        (0..=self.mtu).rev().find(fits).unwrap_or(0)
    }
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

    /// An unclamped segment of 1,460 bytes leaves as 1,564 bytes: 1,500 and 84 (RFC 791: 1,480 bytes of payload, then 64).
    #[test]
    fn what_does_not_fit_leaves_in_fragments_with_a_header_each() {
        let ethernet = Encapsulation::new(Cipher::AesGcm, Bytes(1500));
        assert_eq!([1400, 1500].map(|inner| ethernet.wire(inner)), [1464, 1564 + 20]);
        assert_eq!([1400, 1500].map(|inner| ethernet.fragments(inner)), [1, 2]);
        assert_eq!(ethernet.largest_whole(), 1438, "two bytes of trailer and a whole number of words");
        // 576 bytes hold 552 of payload, a multiple of 8: 1,544 bytes are 552, 552 and 440.
        let narrow = Encapsulation::new(Cipher::AesGcm, Bytes(576));
        assert_eq!((narrow.fragments(1500), narrow.wire(1500)), (3, 1604));
    }

    #[test]
    fn fragments_are_told_from_their_bytes() {
        for mtu in [576, 1280, 1492, 1500, 9000] {
            for cipher in [Cipher::None, Cipher::AesGcm, Cipher::AesCbcSha256] {
                let path = Encapsulation::new(cipher, Bytes(mtu));
                let told = (40..9000).all(|inner| path.fragments_on_wire(path.wire(inner)) == path.fragments(inner));
                assert!(told, "{mtu} {cipher:?}");
            }
        }
    }
}
