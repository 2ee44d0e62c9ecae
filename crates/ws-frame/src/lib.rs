//! The frame codec of the WebSocket protocol, [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455).
//!
//! For authors of proxies, firmware, fuzzers and protocol stacks, who want the frames and nothing else: no I/O, no
//! buffers, no state of a connection. `no_std`, no allocation, and without features no dependency. A whole
//! connection is the affair of the crate `ws-conn`, one floor up.
//!
//! ```text
//!  0                   1                   2                   3
//!  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//! +-+-+-+-+-------+-+-------------+-------------------------------+
//! |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
//! |I|S|S|S|  (4)  |A|     (7)     |             (16/64)           |
//! |N|V|V|V|       |S|             |   (if payload len==126/127)   |
//! | |1|2|3|       |K|             |                               |
//! +-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
//! |     Extended payload length continued, if payload len == 127  |
//! + - - - - - - - - - - - - - - - +-------------------------------+
//! |                               |Masking-key, if MASK set to 1  |
//! +-------------------------------+-------------------------------+
//! | Masking-key (continued)       |          Payload Data         |
//! +-------------------------------- - - - - - - - - - - - - - - - +
//! :                     Payload Data continued ...                :
//! + - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - +
//! |                     Payload Data continued ...                |
//! +---------------------------------------------------------------+
//! ```
//!
//! | part | type |
//! |---|---|
//! | all before the payload | [`Header`], with [`Opcode`] and the [`Role`] of who sent it |
//! | the payload, as it is on the wire | [`Mask`] |
//! | the payload of text | [`Utf8`] |
//! | the payload of a Close frame | [`Close`], with [`CloseCode`] |
//! | what is wrong with any of them | [`Violation`] |
//!
//! # Reading
//!
//! ```
//! use ws_frame::{Header, Mask, Opcode, Role, Utf8, Violation};
//!
//! /// Prints the frames that a client sent, as far as they came; returns how many bytes are read.
//! fn print_frames(input: &mut [u8]) -> Result<usize, Violation> {
//!     let mut at = 0;
//!     while let Some((header, size)) = Header::parse(&input[at..]) {
//!         header.check(size, Role::Client)?;
//!         let Ok(len) = usize::try_from(header.len) else { break };
//!         let Some(payload) = input[at + size..].get_mut(..len) else { break };
//!         if let Some(key) = header.mask {
//!             Mask::new(key).apply(payload);
//!         }
//!         if header.opcode == Opcode::TEXT {
//!             let mut text = Utf8::new();
//!             text.push(payload)?;
//!             text.finish()?; // right for a message of one frame
//!         }
//!         println!("{} {payload:?}", header.opcode);
//!         at += size + payload.len();
//!     }
//!     Header::check_start(&input[at..], Role::Client)?; // fail early: do not wait for a header that is wrong already
//!     Ok(at)
//! }
//!
//! let mut input = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89";
//! assert_eq!(print_frames(&mut input), Ok(11));
//! assert_eq!(&input[6..11], b"Hello");
//! ```
//!
//! # Writing
//!
//! ```
//! use ws_frame::{Header, Opcode};
//!
//! let payload = b"Hello";
//! let header = Header { fin: true, rsv: 0, opcode: Opcode::TEXT, mask: None, len: payload.len() as u64 };
//! let mut room = [0; Header::MAX];
//! let mut frame = header.encode(&mut room).to_vec();
//! frame.extend(payload);
//! assert_eq!(frame, b"\x81\x05Hello");
//! ```
//!
//! # Panics
//!
//! Nothing here panics, whatever the bytes and numbers are. The lints that forbid indexing, `unwrap` and the like are
//! denied in this crate.
//!
//! # Features
//!
//! `simd`: vector kernels for [`Mask`], chosen at run time, and [simdutf8](https://docs.rs/simdutf8) for [`Utf8`].
//! Brings in `std`, which knows what the processor can do. Without the feature masking goes by plain words and text
//! is checked by `core`. `--cfg ws_mask="swar"` in `RUSTFLAGS` keeps masking to plain words with the feature on.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(unsafe_code)]
#![warn(clippy::std_instead_of_core)]
// No panic can be reached from the wire or from an argument.
#![cfg_attr(
    not(any(test, kani)),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(any(feature = "simd", test))]
extern crate std;

mod close;
mod code;
mod header;
mod mask;
mod opcode;
#[cfg(any(test, kani))]
mod proofs;
mod role;
mod utf8;
mod violation;

#[doc(hidden)]
pub use self::mask::kernels;
pub use self::{
    close::Close, code::CloseCode, header::Header, mask::Mask, opcode::Opcode, role::Role, utf8::Utf8,
    violation::Violation,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
