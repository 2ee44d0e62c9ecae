//! What errors and values say of themselves, to a person and to a program with other types, and what plain streams do.
#![cfg(all(feature = "blocking", feature = "tokio"))]

use core::error::Error as _;
use core::fmt::Display;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::HashSet;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};

use ::tokio::io::AsyncWrite;
use ws_conn::blocking::{Conn, Output, Untimed};
use ws_conn::{
    CloseCode, Closed, Coded, Decode, Encode, Error, Fault, Keys, Misuse, Opcode, Plain, Role, Timeouts, Violation,
    Wait, tokio as driver,
};
use ws_testkit::naive::{Frame, binary, close, encode_all, read_all, text};

const WIRE: Duration = Duration::from_secs(1);
const TIMEOUTS: Timeouts = Timeouts::new(WIRE, WIRE);

const MISUSES: [Misuse; 11] = [
    Misuse::ControlTooLong,
    Misuse::ControlFragmented,
    Misuse::Opcode,
    Misuse::MessageOpen,
    Misuse::Utf8,
    Misuse::Close,
    Misuse::HalfReceived,
    Misuse::NoKey,
    Misuse::Encode,
    Misuse::Finished,
    Misuse::Unfinished,
];

const WAITS: [Wait; 5] = [Wait::Idle, Wait::Wire, Wait::Linger, Wait::Pong, Wait::Turn];

/// Each says something else, as errors are written: one line that does not end like a sentence.
fn assert_told(errors: impl IntoIterator<Item = impl Display>) {
    let mut told = HashSet::new();
    for error in errors {
        let said = error.to_string();
        assert!(!said.is_empty() && !said.ends_with('.') && !said.contains('\n'), "{said:?}");
        assert!(told.insert(said.clone()), "{said:?} is said twice");
    }
}

#[test]
fn every_fault_says_what_is_wrong_and_none_says_the_same() {
    assert_told(MISUSES);
    let others = [
        Fault::Overflow,
        Fault::Closed(Closed(CloseCode::NORMAL)),
        Fault::Refused(Opcode::RESERVED_3),
        Fault::Violation(Violation::MaskMissing),
    ];
    assert_told(MISUSES.map(Fault::from).into_iter().chain(WAITS.map(Fault::Timeout)).chain(others));
    assert_eq!(Fault::from(Misuse::NoKey).to_string(), Misuse::NoKey.to_string());
    assert_eq!(Fault::Refused(Opcode::PING).to_string(), "opcode not accepted: ping");
    assert!(Fault::Closed(Closed(CloseCode::new(4321))).to_string().contains("4321"));
    assert_eq!(Fault::Closed(Closed(CloseCode::NORMAL)).to_string(), Closed(CloseCode::NORMAL).to_string());
}

/// The reasons go into Close frames: each fits one, and the peer is not told its own status again.
#[test]
fn section_5_5_every_reason_fits_a_close() {
    for fault in MISUSES.map(Fault::from).into_iter().chain(WAITS.map(Fault::Timeout)) {
        assert!((1..=ws_conn::Close::REASON_MAX).contains(&fault.reason().len()), "{fault}");
    }
    assert_eq!(Fault::Closed(Closed(CloseCode::NORMAL)).reason(), "");
}

#[test]
fn what_ends_a_call_alone_is_a_mistake_of_the_program_or_a_turn_that_did_not_come() {
    for misuse in MISUSES {
        assert_eq!(Fault::from(misuse).is_fatal(), matches!(misuse, Misuse::Encode | Misuse::Unfinished), "{misuse}");
    }
    for wait in WAITS {
        assert_eq!(Fault::Timeout(wait).is_fatal(), wait != Wait::Turn, "{wait:?}");
    }
    for fault in [Fault::Overflow, Fault::Closed(Closed(CloseCode::NORMAL)), Fault::Refused(Opcode::PING)] {
        assert!(fault.is_fatal(), "{fault}");
    }
}

#[test]
fn an_error_keeps_its_cause_when_it_becomes_an_io_error() {
    for (fault, kind) in [
        (Fault::Closed(Closed(CloseCode::ABNORMAL)), ErrorKind::UnexpectedEof),
        (Fault::Closed(Closed(CloseCode::NORMAL)), ErrorKind::ConnectionAborted),
        (Fault::Timeout(Wait::Wire), ErrorKind::TimedOut),
        (Misuse::Opcode.into(), ErrorKind::InvalidInput),
        (Violation::Utf8.into(), ErrorKind::InvalidData),
        (Fault::Overflow, ErrorKind::InvalidData),
    ] {
        let error = Error::from(fault);
        assert_eq!(error.to_string(), fault.to_string());
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&fault));
        assert_eq!(error.is_timeout(), kind == ErrorKind::TimedOut, "{fault}");
        let wrapped = io::Error::from(error);
        assert_eq!((wrapped.kind(), wrapped.get_ref().unwrap().downcast_ref()), (kind, Some(&fault)));
    }
    let error = Error::from(io::Error::new(ErrorKind::ConnectionReset, "reset"));
    assert_eq!(error.to_string(), "transport failed: reset");
    assert_eq!(error.source().unwrap().to_string(), "reset");
    assert!(!error.is_timeout() && error.closed().is_none());
    // The transport's own error comes back as it was.
    assert_eq!(io::Error::from(error).to_string(), "reset");
}

#[test]
fn without_an_extension_nothing_is_coded_and_a_server_has_no_key() {
    const NONE: Coded = Coded { read: 0, wrote: 0, end: true };
    let mut out = [7; 4];
    assert_eq!((<Plain as Decode>::RSV, <Plain as Encode>::RSV), (0, 0));
    assert!(!Plain.begin(Some(4)));
    assert_eq!(Plain.decode(b"1234", true, &mut out), Ok(NONE));
    assert_eq!(Plain.encode(b"1234", true, &mut out), Ok(NONE));
    assert_eq!(out, [7; 4]);
    assert_eq!(().key(), None);
}

#[test]
fn a_message_that_is_lent_may_be_changed_in_place() {
    let mut conn = client(&[text("abc"), binary([1, 2, 3])]).0;
    let mut message = conn.message(TIMEOUTS).unwrap();
    message.make_ascii_uppercase();
    assert_eq!(message.text(), Some("ABC"));
    assert_eq!(message.into_bytes(), b"ABC");
    let message = conn.message(TIMEOUTS).unwrap();
    assert_eq!(message.text(), None);
    assert_eq!(message.into_bytes(), [1, 2, 3]);
}

/// As streams of bytes: what is fed waits for a flush, which the transport sees too.
#[test]
fn a_message_and_frames_are_written_and_flushed_as_a_stream_is() {
    let (mut conn, wrote) = client(&[]);
    let mut message = conn.sender().send_stream(Opcode::TEXT, WIRE).unwrap();
    message.write_all(b"ab").unwrap();
    assert_eq!(wrote.flushes(), 0);
    message.flush().unwrap();
    assert_eq!((wrote.frames(), wrote.flushes()), (vec![Frame { fin: false, ..text("ab") }], 1));
    message.finish().unwrap();

    let mut frames = conn.frames(TIMEOUTS);
    frames.set_write_mode(Opcode::BINARY, true);
    frames.write_all(&[5]).unwrap();
    let before = wrote.flushes();
    frames.flush().unwrap();
    assert!(wrote.flushes() > before);
    assert_eq!(wrote.frames()[2..], [binary([5])]);
}

/// A payload may be a secret, and megabytes: what goes to a log has neither.
#[test]
fn no_payload_is_shown_for_debugging() {
    let (mut conn, _) = client(&[text("hush"), text("hush")]);
    let sender = conn.sender();
    let writer = sender.send_stream(Opcode::TEXT, WIRE).unwrap();
    let mut shown = format!("{conn:?} {sender:?} {writer:?}");
    let reader = conn.receive_stream(TIMEOUTS).unwrap();
    shown += &format!(" {reader:?}");
    drop(reader);
    shown += &format!(" {:?}", conn.frames(TIMEOUTS));
    for name in ["Conn", "Sender", "MessageWriter", "MessageReader", "Frames"] {
        assert!(shown.contains(name), "{shown}");
    }
    assert!(!shown.contains("hush") && !shown.contains("104, 117, 115, 104"), "{shown}");
}

/// A transport that takes nothing and does not say why would be asked for ever.
#[test]
fn a_transport_that_takes_nothing_ends_the_connection() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Ok(0)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let conn = Conn::over((io::empty(), Full), Role::Server);
    let sent = conn.sender().send(Opcode::TEXT, b"lost", WIRE);
    assert!(matches!(&sent, Err(Error::Io(error)) if error.kind() == ErrorKind::WriteZero), "{sent:?}");
    assert!(conn.sender().send(Opcode::TEXT, b"more", WIRE).is_err());
}

#[tokio::test]
async fn a_transport_that_takes_nothing_ends_the_tokio_connection() {
    struct Full;
    impl AsyncWrite for Full {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(0))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
    let conn = driver::Conn::new(::tokio::io::empty(), Full, Role::Server);
    let sent = conn.sender().send(Opcode::TEXT, b"lost", WIRE).await;
    assert!(matches!(&sent, Err(Error::Io(error)) if error.kind() == ErrorKind::WriteZero), "{sent:?}");
    assert!(conn.sender().send(Opcode::TEXT, b"more", WIRE).await.is_err());
}

#[tokio::test]
async fn bytes_behind_the_handshake_may_come_in_parts_and_no_payload_is_shown_for_debugging() {
    let bytes = encode_all(&[text("hush"), text("hush")]);
    let mut conn = driver::Conn::new(::tokio::io::empty(), ::tokio::io::sink(), Role::Client);
    assert!(conn.get_ref().is_some());
    conn.preload(&bytes[..3]);
    conn.preload(&[]);
    conn.preload(&bytes[3..]);
    let sender = conn.sender();
    let writer = sender.send_stream(Opcode::TEXT, WIRE).await.unwrap();
    let shown = format!("{conn:?} {sender:?} {writer:?}");
    assert!(!shown.contains("hush") && !shown.contains("104, 117, 115, 104"), "{shown}");
    assert!(shown.contains(&format!("unread: {}", bytes.len())), "{shown}");
    assert_eq!(conn.message(TIMEOUTS).await.unwrap().text(), Some("hush"));
    assert_eq!(conn.message(TIMEOUTS).await.unwrap().text(), Some("hush"));
}

/// A plain stream cannot be closed in one direction: what is written is handed on, and the end is dropping it.
#[test]
fn a_plain_stream_is_flushed_when_a_direction_ends() {
    let wrote = Wrote::default();
    Untimed(wrote.clone()).half_close().unwrap();
    assert_eq!(wrote.flushes(), 1);

    let (mut conn, wrote) = client(&[close(1000, "")]);
    let ended = conn.message(TIMEOUTS).unwrap_err();
    assert_eq!(ended.closed(), Some(CloseCode::NORMAL));
    assert_eq!(wrote.frames(), [close(1000, "")]);
    assert!(wrote.flushes() > 0);
}

/// A client whose server says these frames and ends, and what the client writes.
fn client(frames: &[Frame]) -> (Conn<Untimed<impl Read + use<>>, Untimed<Wrote>>, Wrote) {
    let wrote = Wrote::default();
    (Conn::over((Cursor::new(encode_all(frames)), wrote.clone()), Role::Client), wrote)
}

/// Bytes that were written, and how often they were flushed.
#[derive(Clone, Default)]
struct Wrote(Arc<Mutex<(Vec<u8>, usize)>>);

impl Wrote {
    /// Unmasked.
    fn frames(&self) -> Vec<Frame> {
        let plain = |frame: Frame| Frame { mask: None, ..frame };
        read_all(&self.0.lock().unwrap().0).unwrap().into_iter().map(plain).collect()
    }

    fn flushes(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

impl Write for Wrote {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().1 += 1;
        Ok(())
    }
}
