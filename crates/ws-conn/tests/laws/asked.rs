//! What a driver asks the machine besides what comes next.

use ws_conn::{
    CloseCode, Closed, Coded, Decode, Fault, Inbound, Misuse, Need, Opcode, Outbound, Received, Receiving, Role,
    Sending, Shared, Step, Wait,
};
use ws_testkit::naive::{self, Frame, binary, close, continuation, encode_all, ping, pong, text};

/// Gives all of it to a client's machine that discards what it gets.
fn heard(inbound: &mut Inbound, frames: &[Frame]) {
    let (mut input, mut shared) = (encode_all(frames), Shared::new(Role::Client));
    loop {
        let (used, step) = inbound.push(&mut Receiving::discard(), &input);
        input.drain(..used);
        match step {
            Step::Reply if inbound.reply(&mut shared).is_ok() => {}
            _ => return,
        }
    }
}

#[test]
fn section_5_5_3_the_pong_that_is_expected_is_the_one_with_its_payload() {
    let mut inbound = Inbound::new(Role::Client);
    assert!(inbound.pong_came(), "none is expected");
    inbound.expect_pong(*b"1234");
    heard(&mut inbound, &[pong(""), pong("123"), pong("12345"), pong("4321"), ping("1234"), binary("1234")]);
    assert!(!inbound.pong_came());
    heard(&mut inbound, &[pong("1234")]);
    assert!(inbound.pong_came());
    inbound.expect_pong(*b"5678");
    assert!(!inbound.pong_came(), "another one is");
}

#[test]
fn the_words_of_a_close_are_those_of_the_peers_close_and_of_nothing_else() {
    for (said, words) in [
        (&[][..], ""),
        (&[ping("\u{3}\u{e8}no close")], ""),
        (&[text("\u{3}\u{e8}no close")], ""),
        (&[close(1000, "")], ""),
        (&[close(1000, "done")], "done"),
        (&[ping("\u{3}\u{e8}no close"), close(1001, "gone")], "gone"),
    ] {
        let mut inbound = Inbound::new(Role::Client);
        heard(&mut inbound, said);
        assert_eq!(inbound.close_reason(), words, "{said:?}");
    }
    // Half a Close has said nothing yet.
    let mut inbound = Inbound::new(Role::Client);
    let half = close(1000, "done").bytes();
    for cut in 0..half.len() {
        let _ = inbound.push(&mut Receiving::discard(), &half[cut..=cut]);
        assert_eq!(inbound.close_reason(), if cut + 1 < half.len() { "" } else { "done" }, "{cut} bytes");
    }
}

#[test]
fn a_message_has_its_opcode_from_its_header_to_its_end() {
    let mut inbound = Inbound::new(Role::Client);
    assert_eq!(inbound.opcode(), None);
    heard(&mut inbound, &[text("a").not_final()]);
    assert_eq!(inbound.opcode(), Some(Opcode::TEXT));
    heard(&mut inbound, &[ping(""), continuation("b").not_final()]);
    assert_eq!(inbound.opcode(), Some(Opcode::TEXT));
    heard(&mut inbound, &[continuation("")]);
    assert_eq!(inbound.opcode(), None);
}

/// What an operation has got that was given up is either put in front of the next one's buffer, or taken away. Then the rest
/// is for who receives in parts.
#[test]
fn what_was_got_is_taken_once() {
    let (mut inbound, mut into) = (Inbound::new(Role::Client), [0; 9]);
    let bytes = binary("abcd").bytes();
    let (used, _) = inbound.push(&mut Receiving::message(&mut into), &bytes[..5]);
    assert_eq!((used, inbound.got(), &into[..3]), (5, 3, &b"abc"[..]));
    assert_eq!((inbound.take_got(), inbound.got(), inbound.take_got()), (3, 0, 0));
    let (_, step) = inbound.push(&mut Receiving::chunk(&mut into), &bytes[5..]);
    assert_eq!(step, Step::Done(Received { opcode: Opcode::BINARY, len: 1, fin: true }));
    assert_eq!(into[..1], *b"d");
}

/// A buffer that is too small for what lies in it already cannot be filled, nor can one on the level of frames.
#[test]
fn what_was_got_needs_a_buffer_that_takes_it() {
    let bytes = binary("abcd").bytes();
    for (room, want) in [(2, Some(Fault::Overflow)), (3, Some(Fault::Overflow)), (4, None)] {
        let (mut inbound, mut shared) = (Inbound::new(Role::Client), Shared::new(Role::Client));
        let _ = inbound.push(&mut Receiving::message(&mut [0; 9]), &bytes[..5]);
        let mut into = vec![0; room];
        let (_, step) = inbound.push(&mut Receiving::message(&mut into), &bytes[5..]);
        assert_eq!(matches!(step, Step::Done(_)), want.is_none(), "{room}");
        assert_eq!(inbound.reply(&mut shared).err(), want, "{room}");
    }
    let (mut inbound, mut shared) = (Inbound::new(Role::Client), Shared::new(Role::Client));
    let _ = inbound.push(&mut Receiving::message(&mut [0; 9]), &bytes[..5]);
    let (_, step) = inbound.push(&mut Receiving::frame(&mut [0; 9]), &bytes[5..]);
    assert_eq!(step, Step::Reply);
    assert_eq!(inbound.reply(&mut shared), Err(Misuse::HalfReceived.into()));
}

/// A driver may lower its limit while a message is under way: there is no more room to ask for then.
#[test]
fn a_limit_that_is_lowered_within_a_message_ends_it_there() {
    let bytes = binary("abcdef").bytes();
    for (limit, want) in [(3, Err(Fault::Overflow)), (4, Err(Fault::Overflow)), (5, Ok(Step::Room))] {
        let (mut inbound, mut shared) = (Inbound::new(Role::Client), Shared::new(Role::Client));
        let _ = inbound.push(&mut Receiving::held(&mut [0; 4], 6), &bytes[..6]);
        assert_eq!(inbound.got(), 4);
        let (_, step) = inbound.push(&mut Receiving::held(&mut [0; 4], limit), &bytes[6..]);
        let told = if step == Step::Reply { inbound.reply(&mut shared).map(|()| step) } else { Ok(step) };
        assert_eq!(told, want, "{limit}");
    }
}

/// Takes what it gets and gives it back, whenever it is asked.
struct Same;

impl Decode for Same {
    const RSV: u8 = 4;

    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault> {
        let len = input.len().min(out.len());
        out[..len].copy_from_slice(&input[..len]);
        Ok(Coded { read: len, wrote: len, end: last && len == input.len() })
    }
}

/// A buffer that an extension fills may hide that it has more. If it has not, that is no part of a frame.
#[test]
fn an_extension_that_holds_nothing_back_adds_no_empty_part_to_a_frame() {
    let mut inbound = Inbound::with(Role::Client, Same);
    let mut into = [0; 4];
    let (_, step) = inbound.push(&mut Receiving::frame(&mut into), &binary("abcd").rsv(4).not_final().bytes());
    assert_eq!(step, Step::Done(Received { opcode: Opcode::BINARY, len: 4, fin: false }));
    let (_, step) = inbound.push(&mut Receiving::frame(&mut into), &[]);
    assert!(matches!(step, Step::Need(_)), "{step:?}");
    let (_, step) = inbound.push(&mut Receiving::frame(&mut into), &continuation("ef").bytes());
    assert_eq!(step, Step::Done(Received { opcode: Opcode::CONTINUATION, len: 2, fin: true }));
}

#[test]
fn a_wait_that_took_too_long_ends_the_connection_unless_it_had_ended() {
    let need = Need { wait: Wait::Idle, epoch: 0 };
    let (mut inbound, mut shared) = (Inbound::new(Role::Client), Shared::new(Role::Client));
    assert_eq!(inbound.expired(need, &mut shared), Err(Fault::Timeout(Wait::Idle)));
    assert_eq!((shared.closed(), inbound.closed()), (Some(Closed(CloseCode::POLICY)), shared.closed()));

    let (mut inbound, mut shared) = (Inbound::new(Role::Client), Shared::new(Role::Client));
    let closed = shared.close(CloseCode::GOING_AWAY, "").unwrap();
    assert_eq!(inbound.expired(need, &mut shared), Err(Fault::Closed(closed)));
}

#[test]
fn a_direction_that_has_ended_sends_nothing_and_keeps_its_first_status() {
    let mut outbound = Outbound::new(Role::Server);
    outbound.end(Closed(CloseCode::GOING_AWAY));
    outbound.end(Closed(CloseCode::NORMAL));
    assert_eq!(outbound.closed(), Some(Closed(CloseCode::GOING_AWAY)));
    for mut op in [Sending::message(Opcode::TEXT, b"a"), Sending::fragment(Opcode::PING, true, b"")] {
        let fault = outbound.next(&mut op, &mut (), &mut [0; 200]).unwrap_err();
        assert_eq!(fault, Fault::Closed(Closed(CloseCode::GOING_AWAY)));
    }
}

#[test]
fn a_stream_begins_with_data_alone() {
    for opcode in (0..16).map(Opcode::from_bits) {
        let begins = opcode.is_data() && opcode != Opcode::CONTINUATION;
        assert_eq!(Sending::fragment(opcode, false, b"").check_stream().is_ok(), begins, "{opcode}");
    }
}

/// Whatever they are: control frames, or fragments of a message that is not complete, small or empty.
#[test]
fn a_push_takes_in_at_most_64_frames_that_do_not_complete_the_operation() {
    let began = [binary("a").not_final()];
    let went_on = continuation("b").not_final();
    for (before, frames) in [
        (&[][..], vec![pong(""); 1000]),
        (&began, vec![continuation("").not_final(); 1000]),
        (&began, vec![went_on.clone(); 1000]),
        (&began, (0..500).flat_map(|_| [pong("p"), went_on.clone()]).collect()),
    ] {
        for kind in 0..3 {
            let (mut inbound, mut buffer) = (Inbound::new(Role::Client), vec![0; 2000]);
            let (used, _) = inbound.push(&mut Receiving::message(&mut buffer), &encode_all(before));
            assert_eq!(used, encode_all(before).len());
            let input = encode_all(&frames);
            let (mut rest, mut wait, mut pushes) = (&input[..], None, 0);
            while !rest.is_empty() {
                let mut op = match kind {
                    0 => Receiving::message(&mut buffer),
                    1 => Receiving::held(&mut buffer, 2000),
                    _ => Receiving::discard(),
                };
                let (used, step) = inbound.push(&mut op, rest);
                let (taken, left) = rest.split_at(used);
                assert!(naive::read_all(taken).unwrap().len() <= 64);
                (rest, pushes) = (left, pushes + 1);
                let (Step::Yield(need) | Step::Need(need)) = step else { panic!("{step:?}") };
                assert_eq!(matches!(step, Step::Need(_)), rest.is_empty(), "more is asked for when all is taken");
                assert_eq!(*wait.get_or_insert(need), need, "it is one wait, however many steps it takes");
            }
            assert_eq!(pushes, 16);
        }
    }
}

/// Makes much of each byte that it takes.
struct Bomb(u32);

impl Decode for Bomb {
    const RSV: u8 = 4;

    fn decode(&mut self, input: &[u8], last: bool, out: &mut [u8]) -> Result<Coded, Fault> {
        let read = usize::from(self.0 == 0).min(input.len());
        self.0 = if read > 0 { 200 } else { self.0.saturating_sub(1) };
        let wrote = if self.0 > 0 { out.len() } else { 0 };
        Ok(Coded { read, wrote, end: last && wrote == 0 })
    }
}

/// Of a message that nobody wants, an extension may make a thousand times as much as came.
#[test]
fn a_discarded_message_that_an_extension_blows_up_is_taken_in_by_steps() {
    let (mut inbound, bytes) = (Inbound::with(Role::Client, Bomb(0)), encode_all(&[binary([7; 20]).rsv(4)]));
    let (mut rest, mut pushes) = (&bytes[..], 0);
    while let (used, Step::Yield(_)) = inbound.push(&mut Receiving::discard(), rest) {
        (rest, pushes) = (&rest[used..], pushes + 1);
    }
    assert!(pushes >= 19, "{pushes} for {} bytes", bytes.len());
}

/// A stream is given what has come: it does not wait for others.
#[test]
fn a_part_of_a_message_is_given_out_and_not_kept_back_by_a_yield() {
    let (mut inbound, mut into) = (Inbound::new(Role::Client), [0; 9]);
    let frames: Vec<Frame> =
        [binary("a").not_final()].into_iter().chain((0..1000).map(|_| continuation("").not_final())).collect();
    let (used, step) = inbound.push(&mut Receiving::chunk(&mut into), &encode_all(&frames));
    assert_eq!(step, Step::Done(Received { opcode: Opcode::BINARY, len: 1, fin: false }));
    assert!(used < 150);
}

/// Its driver forgot that it was received in parts: what is left must not pass for a whole message.
#[test]
fn what_is_left_of_a_message_that_was_given_out_in_parts_is_not_a_message() {
    let parts = [text("whole").not_final(), continuation("ly").not_final(), ping("p"), continuation(" lost")];
    let (parts, next) = (encode_all(&parts), encode_all(&[text("next")]));
    let bytes = [&parts[..], &next].concat();
    // Cut anywhere behind the first byte of the payload.
    for cut in 3..parts.len() {
        for (by_driver, in_parts) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut receiver =
                Receiver { inbound: Inbound::new(Role::Client), shared: Shared::new(Role::Client), at: 0 };
            let mut into = [0; 20];
            if by_driver {
                assert!(receiver.next(&mut Receiving::message(&mut into), &bytes[..cut]).is_none());
                assert!(receiver.inbound.take_got() > 0);
            } else {
                while receiver.next(&mut Receiving::chunk(&mut into), &bytes[..cut]).is_some() {}
            }
            let received = if in_parts {
                let began = receiver.next(&mut Receiving::chunk(&mut []), &bytes).unwrap();
                assert_eq!((began.opcode, began.fin), (Opcode::TEXT, false));
                receiver.next(&mut Receiving::chunk(&mut into), &bytes)
            } else if cut % 2 == 0 {
                receiver.next(&mut Receiving::message(&mut into), &bytes)
            } else {
                receiver.next(&mut Receiving::held(&mut into, 20), &bytes)
            };
            assert_eq!(received, Some(Received { opcode: Opcode::TEXT, len: 4, fin: true }), "cut at {cut}");
            assert_eq!(into[..4], *b"next");
        }
    }
}

/// Pushes what it has not pushed yet.
struct Receiver {
    inbound: Inbound,
    shared: Shared,
    at: usize,
}

impl Receiver {
    /// What the operation is done with; `None` if it needs more.
    fn next(&mut self, op: &mut Receiving<'_>, bytes: &[u8]) -> Option<Received> {
        loop {
            let (used, step) = self.inbound.push(op, &bytes[self.at..]);
            self.at += used;
            match step {
                Step::Reply => self.inbound.reply(&mut self.shared).unwrap(),
                Step::Done(received) => return Some(received),
                Step::Need(_) => return None,
                step => panic!("{step:?}"),
            }
        }
    }
}
