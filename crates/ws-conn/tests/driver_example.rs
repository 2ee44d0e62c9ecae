//! The drivers that `docs/driver.md` shows: the text there is the code here, and it does what the text says.

use core::time::Duration;
use echo::Echo;
use embedded::{Link, serve};
use ring::{Lent, Op, Ring};
use std::collections::VecDeque;
use ws_conn::{CloseCode, Closed, Fault, Inbound, Outbound, Role, Shared, Timeouts, Violation, Wait};
use ws_testkit::naive::{self, Frame};
use ws_testkit::{chunks, judge};

#[allow(unreachable_pub)]
#[path = "../examples/completion/echo.rs"]
mod echo;
#[allow(unreachable_pub)]
#[path = "driver_example/embedded.rs"]
mod embedded;
#[allow(unreachable_pub)]
#[path = "../examples/completion/ring.rs"]
mod ring;

#[test]
fn the_text_shows_the_code_that_is_tested() {
    let text = include_str!("../../../docs/driver.md");
    for code in [
        include_str!("../examples/completion/echo.rs"),
        include_str!("../examples/completion/ring.rs"),
        include_str!("driver_example/embedded.rs"),
    ] {
        assert!(text.contains(&format!("```rust\n{code}```\n")), "docs/driver.md differs from:\n{code}");
    }
    assert!(include_str!("../examples/completion/echo.rs").lines().count() <= 80);
}

#[test]
fn a_conversation_is_answered_in_order_however_it_is_cut() {
    let (said, answers) = conversation();
    for chunks in chunks::all(&naive::encode_all(&said)) {
        let mut script = Script::of(chunks.iter().map(|chunk| (Duration::ZERO, chunk.to_vec())));
        assert_eq!(run(&mut script), Fault::Closed(Closed(CloseCode::NORMAL)));
        // Pings that come at once are answered at once: by the Pong to the last.
        let (pongs, sent): (Vec<_>, Vec<_>) = script.sent().into_iter().partition(|frame| frame.opcode == naive::PONG);
        let (all_pongs, answers): (Vec<_>, Vec<_>) =
            answers.iter().cloned().partition(|frame| frame.opcode == naive::PONG);
        assert_eq!(sent, answers);
        assert!(!pongs.is_empty() && all_pongs.ends_with(&pongs), "{pongs:?}");
        assert!(script.half_closed && script.read_to_the_end);
    }
}

#[test]
fn an_embedded_loop_answers_the_same() {
    let (said, answers) = conversation();
    for chunks in chunks::all(&naive::encode_all(&said)) {
        let mut script = Script::of(chunks.iter().map(|chunk| (Duration::ZERO, chunk.to_vec())));
        assert_eq!(serve(&mut script, T), Fault::Closed(Closed(CloseCode::NORMAL)));
        assert_eq!(script.sent(), answers);
    }
}

#[test]
fn short_writes_are_continued() {
    let large = naive::binary(vec![7; 10_000]);
    let said = naive::encode_all(&[large.clone().masked(KEY), naive::close(1001, "").masked(KEY)]);
    let mut script = Script::of([(Duration::ZERO, said)]);
    script.pace = 7;
    assert_eq!(run(&mut script), Fault::Closed(Closed(CloseCode::GOING_AWAY)));
    assert_eq!(script.sent(), [large, naive::close(1001, "")]);
}

#[test]
fn silence_ends_in_an_idle_timeout_that_pings_do_not_put_off() {
    let pings = (1..100).map(|i| (i * SECOND, naive::ping([]).masked(KEY).bytes()));
    for pings in [Vec::new(), pings.collect()] {
        let mut script = Script::of(pings);
        assert_eq!(run(&mut script), Fault::Timeout(Wait::Idle));
        assert_eq!(script.sent().last().and_then(Frame::close_code), Some(1008));
        assert!(script.now < T.idle + 2 * SECOND);
    }
    let mut script = Script::of([]);
    assert_eq!(serve(&mut script, T), Fault::Timeout(Wait::Idle));
    assert_eq!(script.now, T.idle);
}

#[test]
fn a_drip_ends_in_a_wire_timeout() {
    let message = naive::binary([7; 100]).masked(KEY).bytes();
    let drip = message.iter().enumerate().map(|(i, byte)| (i as u32 * SECOND, vec![*byte]));
    let mut script = Script::of(drip.clone());
    assert_eq!(run(&mut script), Fault::Timeout(Wait::Wire));
    assert_eq!(script.sent(), [naive::close(1008, "wire timeout")]);
    assert!(script.now < T.wire + 2 * SECOND);

    let mut script = Script::of(drip);
    assert_eq!(serve(&mut script, T), Fault::Timeout(Wait::Wire));
    assert_eq!(script.now, T.wire);
}

#[test]
fn a_peer_that_reads_nothing_is_not_read_from_and_waited_for_no_longer_than_wire() {
    let flood = (0..1000).map(|_| (Duration::ZERO, naive::binary([7; 4000]).masked(KEY).bytes()));
    let mut script = Script::of(flood);
    script.pace = 0;
    assert_eq!(run(&mut script), Fault::Timeout(Wait::Wire));
    assert_eq!(script.sent(), []);
    assert!(script.now < T.wire + 2 * SECOND);
    assert!(script.input.len() > 900, "was read from");
}

#[test]
fn a_violation_is_answered_and_the_connection_closed() {
    let mut script = Script::of([(Duration::ZERO, naive::text("not masked").bytes())]);
    assert_eq!(run(&mut script), Fault::Violation(Violation::MaskMissing));
    assert_eq!(script.sent().last().and_then(Frame::close_code), Some(1002));
    assert!(script.half_closed);
}

#[test]
fn the_end_without_a_close_is_not_in_order() {
    let mut script = Script::of([(Duration::ZERO, naive::text("last").masked(KEY).bytes())]);
    script.eof = true;
    assert_eq!(run(&mut script), Fault::Closed(Closed(CloseCode::ABNORMAL)));
    assert_eq!(script.sent(), [naive::text("last")]);
}

#[test]
fn a_failed_write_ends_the_connection() {
    let mut script = Script::of([(Duration::ZERO, naive::text("?").masked(KEY).bytes())]);
    script.broken = true;
    assert_eq!(run(&mut script), Fault::Closed(Closed(CloseCode::ABNORMAL)));
    assert_eq!(script.sent(), []);
}

/// What a peer says, and what it is answered.
fn conversation() -> (Vec<Frame>, Vec<Frame>) {
    let said = [
        naive::text("Hello"),
        naive::ping("alive?"),
        naive::text("frag").not_final(),
        naive::ping("still?"),
        naive::continuation("ment"),
        naive::binary([0; 300]),
        naive::close(1000, "bye"),
        naive::text("unheard"),
    ];
    let answers = [
        naive::text("Hello"),
        naive::pong("alive?"),
        naive::pong("still?"),
        naive::text("fragment"),
        naive::binary([0; 300]),
        naive::close(1000, ""),
    ];
    (said.map(|frame| frame.masked(KEY)).into(), answers.into())
}

fn run(script: &mut Script) -> Fault {
    let (inbound, outbound, shared) =
        (Inbound::new(Role::Server), Outbound::new(Role::Server), Shared::new(Role::Server));
    Echo { io: Lent::new(script), inbound, outbound, shared, waiting: None }.run(T)
}

/// A ring, and a link, over a script, with a clock of its own.
#[derive(Default)]
struct Script {
    now: Duration,
    /// What comes, and when.
    input: VecDeque<(Duration, Vec<u8>)>,
    /// Whether the peer closes its direction behind its input, rather than when this side has closed.
    eof: bool,
    output: Vec<u8>,
    /// How many bytes a write moves; 0 for a peer that reads nothing.
    pace: usize,
    broken: bool,
    reading: Option<Vec<u8>>,
    writing: Option<Vec<u8>>,
    half_closed: bool,
    read_to_the_end: bool,
}

impl Script {
    fn of(input: impl IntoIterator<Item = (Duration, Vec<u8>)>) -> Self {
        Self { input: input.into_iter().collect(), pace: usize::MAX, ..Self::default() }
    }

    fn sent(&self) -> Vec<Frame> {
        judge::check_sent_bytes(false, &self.output).expect("frames that may be sent")
    }

    /// What comes by `until`; `Some(0)` for the end, `None` for nothing.
    fn receive(&mut self, into: &mut [u8], until: Duration) -> Option<usize> {
        let Some((at, bytes)) = self.input.front_mut() else {
            self.read_to_the_end = self.eof || self.half_closed;
            return self.read_to_the_end.then_some(0);
        };
        if *at > until {
            return None;
        }
        self.now = self.now.max(*at);
        let len = bytes.len().min(into.len());
        into.iter_mut().zip(bytes.drain(..len)).for_each(|(to, from)| *to = from);
        if bytes.is_empty() {
            self.input.pop_front();
        }
        Some(len)
    }
}

impl Ring for &mut Script {
    fn submit_read(&mut self, buffer: Vec<u8>) {
        assert!(self.reading.replace(buffer).is_none(), "one read at a time");
    }

    fn submit_write(&mut self, buffer: Vec<u8>) {
        assert!(!self.half_closed, "nothing is written behind the end");
        assert!(!buffer.is_empty() && self.writing.replace(buffer).is_none(), "one write at a time");
    }

    fn complete(&mut self, until: Duration) -> Option<(Op, Vec<u8>, usize)> {
        if let Some(buffer) = self.writing.take_if(|_| self.broken || self.pace > 0) {
            let len = if self.broken { 0 } else { buffer.len().min(self.pace) };
            self.output.extend(&buffer[..len]);
            return Some((Op::Write, buffer, len));
        }
        if let Some(mut buffer) = self.reading.take() {
            match self.receive(&mut buffer, until) {
                Some(len) => return Some((Op::Read, buffer, len)),
                None => self.reading = Some(buffer),
            }
        }
        self.now = self.now.max(until);
        None
    }

    fn half_close(&mut self) {
        self.half_closed = true;
    }

    fn now(&self) -> Duration {
        self.now
    }
}

impl Link for Script {
    fn read(&mut self, into: &mut [u8], patience: Duration) -> Option<usize> {
        let until = self.now + patience;
        let len = self.receive(into, until);
        if len.is_none() {
            self.now = until;
        }
        len
    }

    fn write(&mut self, bytes: &[u8]) {
        self.output.extend(bytes);
    }

    fn now(&self) -> Duration {
        self.now
    }
}

const SECOND: Duration = Duration::from_secs(1);
const T: Timeouts = Timeouts::new(Duration::from_secs(10), Duration::from_secs(60));
const KEY: [u8; 4] = [1, 2, 3, 4];
