//! The rules for what a peer sends, applied to recorded frames or bytes.
//!
//! The judge is strict about everything RFC 6455 says on the sender's side. A test that sends something else on purpose
//! says so by one of the allowances.

use crate::naive::{self, BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT};

/// Checks that a client (or a server) may send these frames, in this order, without an extension.
///
/// # Errors
///
/// A sentence that names the first illegal frame and the rule it breaks.
pub fn check_sent(role_is_client: bool, frames: &[Frame]) -> Result<(), String> {
    Judge::new(role_is_client).frames(frames)
}

/// Reads everything a client (or a server) put on the wire, checks it, and returns the frames.
///
/// Sees one thing more than [`check_sent`]: the form of the lengths.
///
/// # Errors
///
/// A sentence that names the first illegal frame and the rule it breaks; a last frame that is cut off is one.
pub fn check_sent_bytes(role_is_client: bool, bytes: &[u8]) -> Result<Vec<Frame>, String> {
    Judge::new(role_is_client).bytes(bytes)
}

/// The rules, with the allowances of one test.
#[derive(Clone, Debug)]
pub struct Judge {
    role_is_client: bool,
    allowed_rsv: u8,
    reserved_opcodes: bool,
    any_keys: bool,
    to_the_end: bool,
}

impl Judge {
    /// The rules for what a client sends (`true`) or a server (`false`).
    #[must_use]
    pub fn new(role_is_client: bool) -> Self {
        Self { role_is_client, allowed_rsv: 0, reserved_opcodes: false, any_keys: false, to_the_end: false }
    }

    /// Allows these reserved bits (RSV1 is 4, RSV2 is 2, RSV3 is 1) on the first frame of a data message, as an
    /// extension does. The text of such a message is not checked: it is coded.
    #[must_use]
    pub fn allow_rsv(mut self, bits: u8) -> Self {
        self.allowed_rsv |= bits;
        self
    }

    /// Allows opcodes 3 to 7 as messages and 11 to 15 as control frames.
    #[must_use]
    pub fn allow_reserved_opcodes(mut self) -> Self {
        self.reserved_opcodes = true;
        self
    }

    /// Allows masking keys that are zero or repeat, for tests with keys of their own.
    #[must_use]
    pub fn allow_any_keys(mut self) -> Self {
        self.any_keys = true;
        self
    }

    /// Demands that the last message is finished, unless a Close ends it.
    #[must_use]
    pub fn to_the_end(mut self) -> Self {
        self.to_the_end = true;
        self
    }

    /// Reads `bytes`, judges the frames, and returns them.
    ///
    /// # Errors
    ///
    /// As [`check_sent_bytes`].
    pub fn bytes(&self, bytes: &[u8]) -> Result<Vec<Frame>, String> {
        let frames = naive::read_all(bytes)?;
        self.frames(&frames)?;
        Ok(frames)
    }

    /// Judges `frames`.
    ///
    /// # Errors
    ///
    /// As [`check_sent`].
    pub fn frames(&self, frames: &[Frame]) -> Result<(), String> {
        let mut sent = Sent::default();
        for (at, frame) in frames.iter().enumerate() {
            self.frame(&mut sent, frame).map_err(|rule| format!("frame {at} ({}): {rule}", summary(frame)))?;
        }
        if self.to_the_end && !sent.closed && sent.message.is_some() {
            return Err("the last message is not finished".into());
        }
        Ok(())
    }

    fn frame(&self, sent: &mut Sent, frame: &Frame) -> Result<(), String> {
        // "The application MUST NOT send any more data frames after sending a Close frame." -- RFC 6455, section 5.5.1;
        // control frames fall under section 7.1.2 and our promise to send nothing at all.
        if sent.closed {
            return Err("it follows a Close".into());
        }
        self.check_mask(sent, frame)?;
        if frame.opcode > 0xF || frame.rsv > 7 {
            return Err("it does not fit into a header".into());
        }
        let defined = matches!(frame.opcode, CONTINUATION | TEXT | BINARY | CLOSE | PING | PONG);
        if !defined && !self.reserved_opcodes {
            return Err("its opcode is reserved".into());
        }
        if frame.is_control() { Self::check_control(sent, frame) } else { self.check_data(sent, frame) }
    }

    fn check_mask(&self, sent: &mut Sent, frame: &Frame) -> Result<(), String> {
        match (self.role_is_client, frame.mask) {
            // "a client MUST mask all frames that it sends to the server" -- RFC 6455, section 5.1
            (true, None) => return Err("a client must mask it".into()),
            // "A server MUST NOT mask any frames that it sends to the client." -- RFC 6455, section 5.1
            (false, Some(_)) => return Err("a server must not mask it".into()),
            (false, None) => {}
            // "When preparing a masked frame, the client MUST pick a fresh masking key from the set of allowed 32-bit
            // values." -- RFC 6455, section 5.3. An honest generator trips over this once in two thousand million frames.
            (true, Some(key)) if !self.any_keys => {
                if key == [0; 4] {
                    return Err("its masking key is zero".into());
                }
                if sent.last_key == Some(key) {
                    return Err("its masking key is the one before".into());
                }
            }
            (true, Some(_)) => {}
        }
        sent.last_key = frame.mask;
        Ok(())
    }

    fn check_control(sent: &mut Sent, frame: &Frame) -> Result<(), String> {
        // "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented."
        //     -- RFC 6455, section 5.5
        if frame.payload.len() > 125 {
            return Err("a control frame is longer than 125 bytes".into());
        }
        if !frame.fin {
            return Err("a control frame is fragmented".into());
        }
        if frame.rsv != 0 {
            return Err("a control frame has reserved bits".into());
        }
        if frame.opcode == CLOSE {
            sent.closed = true;
            check_close_payload(&frame.payload)?;
        }
        Ok(())
    }

    fn check_data(&self, sent: &mut Sent, frame: &Frame) -> Result<(), String> {
        let mut message = match (frame.opcode, sent.message.take()) {
            (CONTINUATION, None) => return Err("a continuation without a message".into()),
            (CONTINUATION, Some(message)) => {
                if frame.rsv != 0 {
                    return Err("a continuation has reserved bits".into());
                }
                message
            }
            (_, Some(_)) => return Err("a message begins before the last one has ended".into()),
            (opcode, None) => {
                if frame.rsv & !self.allowed_rsv != 0 {
                    return Err("reserved bits without an extension".into());
                }
                Message { checked: opcode == TEXT && frame.rsv == 0, text: Vec::new() }
            }
        };
        if message.checked {
            message.text.extend_from_slice(&frame.payload);
            message.check_text(frame.fin)?;
        }
        if !frame.fin {
            sent.message = Some(message);
        }
        Ok(())
    }
}

/// What the sender has done so far.
#[derive(Default)]
struct Sent {
    closed: bool,
    last_key: Option<[u8; 4]>,
    message: Option<Message>,
}

/// A message that has begun.
struct Message {
    checked: bool,
    text: Vec<u8>,
}

impl Message {
    /// The whole text from its beginning, again at every fragment: quadratic, and simple. A character may be cut at the
    /// end of a fragment, not at the end of the message; what no continuation can mend is illegal at once.
    fn check_text(&mut self, last: bool) -> Result<(), String> {
        match core::str::from_utf8(&self.text) {
            Ok(_) => {
                self.text.clear();
                Ok(())
            }
            Err(error) if error.error_len().is_none() && !last => {
                self.text.drain(..error.valid_up_to());
                Ok(())
            }
            Err(_) => Err("the text is not UTF-8".into()),
        }
    }
}

fn check_close_payload(payload: &[u8]) -> Result<(), String> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(()) } else { Err("a Close payload of one byte".into()) };
    };
    let code = u16::from_be_bytes(*code);
    if !may_be_sent(code) {
        return Err(format!("close code {code} must not be sent"));
    }
    core::str::from_utf8(reason).map(|_| ()).map_err(|_| "the close reason is not UTF-8".into())
}

/// RFC 6455, sections 7.4.1 and 7.4.2, and the codes registered since (1012 to 1014).
fn may_be_sent(code: u16) -> bool {
    match code {
        1000..=1003 => true,
        // 1004 is reserved; 1005 and 1006 "MUST NOT be set as a status code in a Close control frame by an endpoint."
        //     -- RFC 6455, section 7.4.1
        1004..=1006 => false,
        1007..=1014 => true,
        // 1015 likewise, and what has not been registered.
        1015..=2999 => false,
        3000..=4999 => true,
        _ => false,
    }
}

fn summary(frame: &Frame) -> String {
    let fin = if frame.fin { "final" } else { "not final" };
    format!("opcode {:#x}, {fin}, rsv {}, {} bytes", frame.opcode, frame.rsv, frame.payload.len())
}
