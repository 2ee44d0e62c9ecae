//! A head on its way in, and what comes right behind it.

use core::marker::PhantomData;
use std::io;

use super::error::Error;
use crate::client::Refused;
use crate::head::{RequestHead, ResponseHead};
use crate::reader::{HeadError, HeadReader, Limits};
use crate::rejection::Rejection;

/// The head that one side of a handshake waits for.
pub(crate) trait Head: Sized {
    /// What bytes come to that are no head.
    type Refusal: From<HeadError> + Into<Error>;

    fn reader(limits: Limits) -> HeadReader;
    fn parse(reader: HeadReader) -> Result<Self, HeadError>;

    /// Whether it only announces the one that is waited for.
    fn is_interim(&self) -> bool;
}

/// Takes bytes until they are a head.
pub(crate) struct Incoming<H> {
    reader: HeadReader,
    /// What all heads may cost together, those included that announce another.
    limits: Limits,
    head: PhantomData<H>,
}

impl<H: Head> Incoming<H> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { reader: H::reader(limits), limits, head: PhantomData }
    }

    /// Takes the bytes of one read; none mean that the peer has closed its direction. At the end of the head it is
    /// returned, and what came behind it.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Result<Option<(H, Vec<u8>)>, Error> {
        if bytes.is_empty() {
            return Err(Error::Io(io::ErrorKind::UnexpectedEof.into()));
        }
        while let Some(taken) = self.reader.push(bytes).map_err(refusal::<H>)? {
            bytes = bytes.get(taken..).unwrap_or_default();
            self.limits.bytes = self.limits.bytes.saturating_sub(self.reader.received());
            let reader = core::mem::replace(&mut self.reader, H::reader(self.limits));
            let head = H::parse(reader).map_err(refusal::<H>)?;
            if !head.is_interim() {
                return Ok(Some((head, bytes.to_vec())));
            }
        }
        Ok(None)
    }
}

impl Head for RequestHead {
    type Refusal = Rejection;

    fn reader(limits: Limits) -> HeadReader {
        HeadReader::request(limits)
    }

    fn parse(reader: HeadReader) -> Result<Self, HeadError> {
        Self::parse(reader)
    }

    fn is_interim(&self) -> bool {
        false
    }
}

impl Head for ResponseHead {
    type Refusal = Refused;

    fn reader(limits: Limits) -> HeadReader {
        HeadReader::response(limits)
    }

    fn parse(reader: HeadReader) -> Result<Self, HeadError> {
        Self::parse(reader)
    }

    fn is_interim(&self) -> bool {
        self.is_interim()
    }
}

fn refusal<H: Head>(error: HeadError) -> Error {
    H::Refusal::from(error).into()
}
