use crate::{CloseCode, Violation};

/// The payload of a Close frame that says why
///
/// # RFC
///
/// [Section 5.5.1](https://www.rfc-editor.org/rfc/rfc6455#section-5.5.1).
///
/// # Examples
///
/// ```
/// use ws_frame::{Close, CloseCode};
///
/// let mut out = [0; 125];
/// let payload = Close { code: CloseCode::GOING_AWAY, reason: "bye" }.encode(&mut out);
/// assert_eq!(payload, b"\x03\xe9bye");
/// assert_eq!(Close::parse(payload), Ok(Some(Close { code: CloseCode::GOING_AWAY, reason: "bye" })));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Close<'a> {
    /// Why the connection ends, for the program.
    pub code: CloseCode,
    /// Why the connection ends, for a person reading the log; often empty.
    pub reason: &'a str,
}

impl<'a> Close<'a> {
    /// Reads an unmasked payload; `None` when it is empty, which stands for [`CloseCode::NO_STATUS`].
    ///
    /// # Errors
    ///
    /// - [`CloseLength`](Violation::CloseLength): a payload of one byte; answered with 1002.
    /// - [`CloseCode`](Violation::CloseCode): a code that [may not be sent](CloseCode::may_be_sent); answered with
    ///   1002.
    /// - [`Utf8`](Violation::Utf8): the reason is not UTF-8; answered with 1007.
    pub fn parse(payload: &'a [u8]) -> Result<Option<Self>, Violation> {
        // "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte
        // order) representing a status code with value /code/ defined in Section 7.4. Following the 2-byte integer,
        // the body MAY contain UTF-8-encoded data with value /reason/" -- RFC 6455, section 5.5.1
        let Some((&code, reason)) = payload.split_first_chunk() else {
            return if payload.is_empty() { Ok(None) } else { Err(Violation::CloseLength) };
        };
        let code = CloseCode::new(u16::from_be_bytes(code));
        if !code.may_be_sent() {
            return Err(Violation::CloseCode);
        }
        let reason = core::str::from_utf8(reason).map_err(|_| Violation::Utf8)?;
        Ok(Some(Self { code, reason }))
    }

    /// Writes the payload at the start of `out` and returns the bytes written.
    ///
    /// A reason that does not fit is [cut](Self::truncate_reason), the code is always kept. The code is not judged:
    /// ask [`may_be_sent`](CloseCode::may_be_sent) first.
    pub fn encode<'o>(&self, out: &'o mut [u8; 125]) -> &'o [u8] {
        let [high, low, room @ ..] = out;
        [*high, *low] = self.code.get().to_be_bytes();
        let reason = Self::truncate_reason(self.reason);
        room.iter_mut().zip(reason.as_bytes()).for_each(|(to, from)| *to = *from);
        out.get(..reason.len().saturating_add(2)).unwrap_or_default()
    }

    /// The longest start of `reason` that fits a Close frame: at most [`REASON_MAX`](Self::REASON_MAX) bytes, cut
    /// between characters.
    #[must_use]
    pub fn truncate_reason(reason: &str) -> &str {
        // A character is at most four bytes long, so one of the four is a boundary.
        let mut ends = (Self::REASON_MAX.saturating_sub(3)..=Self::REASON_MAX).rev();
        ends.find_map(|end| reason.get(..reason.len().min(end))).unwrap_or_default()
    }

    /// The longest reason, in bytes: what a control frame holds less the code.
    pub const REASON_MAX: usize = 123;
}
