//! The challenge and its answer: Sec-WebSocket-Key and Sec-WebSocket-Accept.

use core::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use sha1::{Digest as _, Sha1};

/// Computes the Sec-WebSocket-Accept value for a Sec-WebSocket-Key value (RFC 6455, section 4.2.2).
///
/// ```
/// assert_eq!(&ws_http::accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
/// ```
#[must_use]
pub fn accept_key(key: &[u8]) -> [u8; 28] {
    // "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" -- RFC 6455, section 1.3
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut accept = [0; 28];
    let encoded = STANDARD.encode_slice(digest, &mut accept);
    debug_assert_eq!(encoded, Ok(28), "20 bytes are 28 characters of base64");
    accept
}

/// Reports whether a Sec-WebSocket-Key value is the base64 form of 16 bytes.
///
/// Alphabet, length and padding are those of RFC 4648 section 4. The four bits that the last character has to spare may
/// be set: RFC 6455 section 4.1 prints such a key itself as its example, `AQIDBAUGBwgJCgsMDQ4PEC==`.
#[must_use]
pub fn is_key(key: &[u8]) -> bool {
    // "value that, when decoded, is 16 bytes in length" -- RFC 6455, section 4.2.1
    const LENIENT_IN_SPARE_BITS: GeneralPurpose =
        GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let mut nonce = [0; 18];
    LENIENT_IN_SPARE_BITS.decode_slice(key, &mut nonce) == Ok(16)
}

/// A client's Sec-WebSocket-Key: 16 bytes in base64.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; 24]);

impl Key {
    /// Draws a key from the operating system's random source.
    ///
    /// # Errors
    ///
    /// When that source fails.
    #[cfg(any(feature = "blocking", feature = "tokio"))]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "blocking", feature = "tokio"))))]
    pub fn generate() -> std::io::Result<Self> {
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce)?;
        Ok(Self::from_nonce(nonce))
    }

    /// Makes a key of 16 random bytes.
    // "The nonce MUST be selected randomly for each connection." -- RFC 6455, section 4.1
    #[must_use]
    pub fn from_nonce(nonce: [u8; 16]) -> Self {
        let mut key = [0; 24];
        let encoded = STANDARD.encode_slice(nonce, &mut key);
        debug_assert_eq!(encoded, Ok(24), "16 bytes are 24 characters of base64");
        Self(key)
    }

    /// Returns the header value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Returns the header value as bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the Sec-WebSocket-Accept value that answers this key.
    #[must_use]
    pub fn accept_key(&self) -> [u8; 28] {
        accept_key(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_1_3_sample_key_gives_the_sample_accept() {
        assert_eq!(accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="), *b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(Key::from_nonce(*b"the sample nonce").as_bytes(), b"dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn section_4_1_the_keys_the_rfc_prints_are_keys() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(is_key(b"AQIDBAUGBwgJCgsMDQ4PEC=="));
        assert!(is_key(Key::from_nonce([0xff; 16]).as_bytes()));
    }

    #[test]
    fn section_4_2_1_a_key_that_is_not_16_bytes_of_base64_is_none() {
        for key in [
            "",
            "x",
            "====",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQ===",
            "dGhlIHNhbXBsZSBub25jZSE=",
            "dGhlIHNhbXBsZSBub25jZSEh",
            "dGhlIHNhbXBsZSBub25j====",
            "dGhlIHNhbXBsZSBub25jZQ=Q",
            "dGhlIHNhbXBsZSBub25jZ===",
            "dGhlIHNhbXBsZSBub25j_Q==",
            " dGhlIHNhbXBsZSBub25jZQ==",
            "dGhlIHNhbXBs\nSBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ==",
        ] {
            assert!(!is_key(key.as_bytes()), "{key:?}");
        }
    }
}
