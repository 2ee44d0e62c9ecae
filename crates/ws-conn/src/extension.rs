//! The seam for extensions that transform the payload of messages, permessage-deflate (RFC 7692) first of all.
//!
//! An extension sees slices: never a frame, an opcode, a role or a mask. It works on one message at a time; control
//! frames pass it by. A connection has at most one.

use crate::fault::Fault;

/// What one step of an extension did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coded {
    /// Bytes taken from the input.
    pub read: usize,
    /// Bytes put into the output.
    pub wrote: usize,
    /// Whether the message is complete: only true in a call with `last`.
    pub end: bool,
}

/// Turns the payload of received messages into what the application gets.
pub trait Decode {
    /// The reserved bits (RSV1 is 4) that mark a message of this extension, on the first frame of the message only.
    const RSV: u8;

    /// Decodes from `input` into `out`, as far as either goes.
    ///
    /// With `last` the whole payload of the message has been given: the call is repeated, with an empty `input`,
    /// until it answers `end`.
    ///
    /// # Errors
    ///
    /// [`Violation::Extension`](ws_frame::Violation::Extension) for a payload that cannot be decoded. The peer is
    /// told 1007.
    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault>;
}

/// Turns the messages of the application into the payload that is sent.
pub trait Encode {
    /// The reserved bits (RSV1 is 4) that mark a message of this extension. With none of them no message is the extension's,
    /// and it is never asked.
    const RSV: u8;

    /// Whether the message that begins now is to be encoded. `len` is its length in bytes, where it is known.
    fn begin(&mut self, len: Option<usize>) -> bool;

    /// Encodes from `input` into `out`, as far as either goes.
    ///
    /// With `last` the input ends the message: the call is repeated, with what is left of it, until it answers
    /// `end`.
    ///
    /// # Errors
    ///
    /// Any; the message cannot be completed then and the connection ends with 1011.
    fn encode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault>;
}

/// No extension: the reserved bits are refused in what is received, and clear in what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plain;

impl Decode for Plain {
    const RSV: u8 = 0;

    fn decode(&mut self, _: &[u8], _: bool, _: &mut [u8]) -> Result<Coded, Fault> {
        Ok(Coded { read: 0, wrote: 0, end: true })
    }
}

impl Encode for Plain {
    const RSV: u8 = 0;

    fn begin(&mut self, _: Option<usize>) -> bool {
        false
    }

    fn encode(&mut self, _: &[u8], _: bool, _: &mut [u8]) -> Result<Coded, Fault> {
        Ok(Coded { read: 0, wrote: 0, end: true })
    }
}
