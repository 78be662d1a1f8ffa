//! What a tunnel adds to each packet.

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
}
