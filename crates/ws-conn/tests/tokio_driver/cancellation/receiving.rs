use super::{Drops, binary, each_transport, messages, payloads, text};
use crate::T;
use crate::transport::{Pair, Peer};
use ws_conn::{CloseCode, Error, Fault, Misuse, Opcode};
use ws_testkit::chunks::Lcg;
use ws_testkit::naive::{self, Frame, PING, PONG, close, continuation, ping};

#[test]
fn a_dropped_receive_loses_nothing() {
    conversations(&[Way::Receive]);
}

#[test]
fn a_dropped_message_loses_nothing() {
    conversations(&[Way::Message]);
}

#[test]
fn a_dropped_receive_stream_and_read_chunk_lose_nothing() {
    conversations(&[Way::Stream(1), Way::Stream(7), Way::Stream(4096)]);
}

#[test]
fn what_one_call_had_got_goes_to_the_next_whichever_it_is() {
    conversations(&[Way::Receive, Way::Message, Way::Stream(100), Way::Tight, Way::Message, Way::Receive]);
}

/// The ways to receive a message. A call that is dropped is followed by one of the next way.
#[derive(Clone, Copy, Debug)]
enum Way {
    Receive,
    /// Into a buffer no larger than needed.
    Tight,
    Message,
    Stream(usize),
}

fn conversations(ways: &[Way]) {
    each_transport(&[1, 2, 3, 7], |_, new| {
        for drops in Drops::all() {
            conversation(new(), drops, ways, &[0, 1, 125, 126, 600]);
        }
    });
    for (pace, sizes) in [(64, [600, 5000]), (4096, [5000, 70_000])] {
        each_transport(&[pace], |_, new| {
            for drops in [Drops::Every(1), Drops::Random(Lcg::new(1))] {
                conversation(new(), drops, ways, &sizes);
            }
        });
    }
}

/// The peer sends messages with Pings in and between them, and a Close; they are echoed.
fn conversation((mut conn, peer): (Pair, Peer), mut drops: Drops, ways: &[Way], sizes: &[usize]) {
    let frames: Vec<Frame> = sizes.iter().flat_map(|&len| spoken(len)).collect();
    peer.send(&frames);
    peer.send(&[close(3000, "that was all")]);
    peer.hang_up();
    let expected = messages(&frames);

    let mut ways = ways.iter().copied().cycle();
    let sender = conn.sender();
    for (opcode, payload) in &expected {
        let received = receive(&mut conn, &peer, &mut drops, &mut ways, payload.len()).unwrap();
        assert!(received == (Opcode::from_bits(*opcode), payload.clone()), "{drops:?}: {} bytes", payload.len());
        peer.run(sender.feed(received.0, &received.1, T.wire)).unwrap();
    }
    for _ in 0..2 {
        let error = receive(&mut conn, &peer, &mut drops, &mut ways, 0).unwrap_err();
        assert_eq!(error.closed().map(CloseCode::get), Some(3000), "{error}");
    }
    assert_eq!(conn.close_reason(), "that was all");

    let sent = peer.sent();
    assert!(messages(&sent) == expected, "the echo differs");
    assert_answered(&frames, &sent);
    assert_eq!(sent.last().and_then(Frame::close_code), Some(3000));
}

/// A text in one frame, a binary message in one, and one in fragments with Pings between them, an empty one included.
fn spoken(len: usize) -> Vec<Frame> {
    let payload = binary(len, 3);
    let (front, back) = payload.split_at(len / 3);
    let whole = text(len);
    let (character, rest) = whole.split_at(len / 2);
    vec![
        Frame::new(naive::TEXT, whole.clone()),
        ping(len.to_be_bytes()),
        naive::binary(payload.clone()),
        naive::binary(front).not_final(),
        ping("between"),
        continuation([]).not_final(),
        ping(""),
        ping("and again"),
        continuation(back),
        Frame::new(naive::TEXT, character).not_final(),
        continuation(rest),
    ]
}

/// Pongs answer Pings in their order, each at most once, and the last one for certain.
fn assert_answered(pings: &[Frame], sent: &[Frame]) {
    let (pings, pongs) = (payloads(pings, PING), payloads(sent, PONG));
    let mut rest = pings.iter();
    for pong in &pongs {
        assert!(rest.any(|ping| ping == pong), "a Pong that answers nothing: {pong:?}");
    }
    assert_eq!(pings.last(), pongs.last());
}

fn receive(
    conn: &mut Pair,
    peer: &Peer,
    drops: &mut Drops,
    ways: &mut impl Iterator<Item = Way>,
    len: usize,
) -> Result<(Opcode, Vec<u8>), Error> {
    let mut buffer = vec![0xEE; len + 3];
    loop {
        let way = ways.next().unwrap();
        let polls = drops.polls();
        match way {
            Way::Receive | Way::Tight => {
                let into = if matches!(way, Way::Tight) { &mut buffer[..len] } else { &mut buffer[..] };
                let Some(received) = peer.poll(conn.receive(into, T), polls) else { continue };
                let received = received?;
                return Ok((received.opcode, buffer[..received.len].to_vec()));
            }
            Way::Message => {
                let message = async { conn.message(T).await.map(|message| (message.opcode(), message.to_vec())) };
                let Some(received) = peer.poll(message, polls) else { continue };
                return received;
            }
            Way::Stream(size) => {
                let Some(reader) = peer.poll(conn.receive_stream(T), polls) else { continue };
                let mut reader = reader?;
                let mut whole = Vec::new();
                loop {
                    let into = &mut vec![0; size];
                    match peer.poll(reader.read_chunk(into), drops.polls()) {
                        None => {}
                        Some(read) => match read? {
                            0 => return Ok((reader.opcode(), whole)),
                            read => whole.extend_from_slice(&into[..read]),
                        },
                    }
                }
            }
        }
    }
}

#[test]
fn a_message_that_outgrew_the_next_buffer_is_refused() {
    // Dropped at any point of a message of 600 bytes, of which the next call takes 100 at most.
    each_transport(&[1, 7, 64], |_, new| {
        for polls in 1..20 {
            for limited in [false, true] {
                let (mut conn, peer) = new();
                peer.send(&[naive::binary(binary(600, 0))]);
                peer.hang_up();
                let resolved = peer.poll(conn.receive(&mut [0; 1000], T), polls).is_some();
                if resolved {
                    continue;
                }
                let error = if limited {
                    conn.set_message_limit(100);
                    peer.run(async { conn.message(T).await.map(|_| ()) }).unwrap_err()
                } else {
                    peer.run(conn.receive(&mut [0; 100], T)).unwrap_err()
                };
                assert!(matches!(error, Error::Fault(Fault::Overflow)), "{polls} polls: {error}");
                assert_eq!(peer.sent().last().and_then(Frame::close_code), Some(1009));
            }
        }
    });
}

/// However often it is dropped: what has come stays where it lies until the message is whole.
#[test]
fn a_receive_that_goes_on_for_a_dropped_one_copies_nothing_before_the_end() {
    each_transport(&[1, 7, 64], |_, new| {
        let (mut conn, peer) = new();
        let payload = binary(600, 0);
        peer.send(&[naive::binary(&payload[..300]).not_final(), ping("p"), continuation(&payload[300..])]);
        let mut parked = false;
        loop {
            let mut buffer = [0xEE; 1000];
            if let Some(received) = peer.poll(conn.receive(&mut buffer, T), 2) {
                assert!(parked);
                assert_eq!(buffer[..received.unwrap().len], payload);
                assert_eq!(buffer[600..], [0xEE; 400]);
                break;
            }
            // The one that is dropped first has put some into it.
            let touched = buffer.iter().any(|byte| *byte != 0xEE);
            assert!(!touched || !parked, "it was copied once more");
            parked |= touched;
        }
    });
}

#[test]
fn the_level_of_frames_is_refused_while_a_dropped_call_holds_part_of_a_message() {
    each_transport(&[1, 7], |_, new| {
        let (mut conn, peer) = new();
        peer.send(&[naive::binary(binary(300, 0)).not_final(), ping("p"), continuation(binary(300, 1))]);
        assert!(peer.poll(conn.receive(&mut [0; 1000], T), 12).is_none());
        let error = peer.run(conn.frames(T).read_frame(&mut [0; 100])).unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::Misuse(Misuse::HalfReceived))), "{error}");
        // Nothing is lost by it.
        let mut buffer = [0; 1000];
        let received = peer.run(conn.receive(&mut buffer, T)).unwrap();
        assert_eq!(buffer[..received.len], [binary(300, 0), binary(300, 1)].concat());
    });
}

#[test]
fn a_reader_that_is_dropped_anywhere_leaves_the_next_message_whole() {
    each_transport(&[2, 7], |_, new| {
        for polls in 0..30 {
            let (mut conn, peer) = new();
            let first = [naive::binary(binary(40, 0)).not_final(), ping("p"), continuation(binary(40, 1))];
            peer.send(&first);
            peer.send(&[naive::binary(binary(50, 2))]);
            let mut buffer = [0; 100];
            // A message of which a part was parked before is given up whole.
            assert!(peer.poll(conn.receive(&mut buffer, T), 6).is_none());
            let mut reader = peer.run(conn.receive_stream(T)).unwrap();
            let over = peer.poll(async { while reader.read_chunk(&mut [0; 7]).await.unwrap() > 0 {} }, polls).is_some();
            drop(reader);
            if !over {
                let received = peer.run(conn.receive(&mut buffer, T)).unwrap();
                assert_eq!(buffer[..received.len], binary(50, 2), "{polls} polls");
            }
        }
    });
}

/// A message that ended in its midst is not taken for a shorter one by whoever asks next.
#[test]
fn a_message_that_the_end_cut_off_is_not_given_to_a_stream() {
    each_transport(&[1, 7, 64], |_, new| {
        for mut drops in Drops::all() {
            let (mut conn, peer) = new();
            peer.send(&[naive::binary(binary(20, 0)).not_final(), close(1001, "")]);
            peer.hang_up();
            let mut errors = 0;
            while errors < 3 {
                let Some(result) = peer.poll(conn.receive(&mut [0; 100], T), drops.polls()) else { continue };
                assert_eq!(result.unwrap_err().closed(), Some(CloseCode::GOING_AWAY));
                let error = peer.run(async { conn.receive_stream(T).await.map(drop) }).unwrap_err();
                assert_eq!(error.closed(), Some(CloseCode::GOING_AWAY));
                errors += 1;
            }
        }
    });
}
