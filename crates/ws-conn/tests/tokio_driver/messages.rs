//! Owned messages, as `Stream` and `Sink`.

use crate::T;
use crate::transport::{Peer, Task};
use core::task::Poll;
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use ws_conn::tokio::{Conn, Message, Messages, Whole};
use ws_conn::{Accept, CloseCode, Error, Fault, Misuse, Opcode, Role, Violation, Wait};
use ws_testkit::naive::{BINARY, Frame, binary, close, continuation, ping, pong, text};

type Pair = Messages<crate::transport::Read, crate::transport::Write>;

fn server() -> (Pair, Peer) {
    let (conn, peer) = Peer::new(Role::Server);
    peer.hang_up_after();
    (Messages::new(conn, T), peer)
}

#[tokio::test]
async fn an_echo_is_a_stream_forwarded_to_its_own_sink() {
    let (ours, theirs) = tokio::io::duplex(1000);
    let server = tokio::spawn(async move {
        let (sink, stream) = Messages::new(Conn::over(Whole(ours), Role::Server), T).split();
        stream.forward(sink).await
    });
    let mut client = Messages::new(Conn::over(Whole(theirs), Role::Client), T);
    for len in [0, 1, 125, 126, 5000, 70_000] {
        for message in [Message::binary(vec![7; len]), Message::text("x".repeat(len))] {
            // At the same time, since the transport takes less than one of them.
            let (mut sink, mut stream) = client.split();
            let (sent, echoed) = tokio::join!(sink.send(message.clone()), stream.next());
            sent.unwrap();
            assert!(echoed.unwrap().unwrap() == message, "{len} bytes");
            client = sink.reunite(stream).unwrap();
        }
    }
    client.close().await.unwrap();
    assert!(client.next().await.is_none());
    assert_eq!(client.get_ref().closed().map(|closed| closed.0), Some(CloseCode::NORMAL));
    server.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn messages_come_whole_with_their_opcodes() {
    let (mut messages, peer) = server();
    messages.get_mut().set_accept(Accept::ALL);
    peer.send(&[text("héllo"), binary([1, 2]).not_final(), ping("p"), continuation([3]), Frame::new(5, "reserved")]);
    let received = messages.next().await.unwrap().unwrap();
    assert_eq!((received.opcode(), received.as_text()), (Opcode::TEXT, Some("héllo")));
    let received = messages.next().await.unwrap().unwrap();
    assert_eq!(
        (received.opcode(), received.as_text(), &received.as_bytes()[..]),
        (Opcode::BINARY, None, &[1, 2, 3][..])
    );
    let received = messages.next().await.unwrap().unwrap();
    assert_eq!((received.opcode(), &received.as_bytes()[..]), (Opcode::from_bits(5), &b"reserved"[..]));
    assert_eq!(peer.sent(), [pong("p")]);
}

#[tokio::test(start_paused = true)]
async fn control_frames_and_reserved_opcodes_are_sent() {
    let (mut messages, peer) = server();
    for opcode in [1, 2, 5, 9, 10] {
        messages.send(Message::new(Opcode::from_bits(opcode), "m").unwrap()).await.unwrap();
    }
    let calls = peer.calls();
    assert_eq!((calls.writes, calls.flushes), (5, 5));
    let sent = ws_testkit::judge::Judge::new(false).allow_reserved_opcodes().bytes(&peer.sent_bytes()).unwrap();
    assert_eq!(sent, [1, 2, 5, 9, 10].map(|opcode| Frame::new(opcode, "m")));
}

#[test]
fn what_must_not_be_sent_is_no_message() {
    let refused = |opcode, payload: &[u8]| Message::new(opcode, payload.to_vec()).unwrap_err();
    assert_eq!(refused(Opcode::CONTINUATION, b""), Misuse::Opcode);
    assert_eq!(refused(Opcode::CLOSE, b""), Misuse::Opcode);
    assert_eq!(refused(Opcode::TEXT, &[0xFF]), Misuse::Utf8);
    assert_eq!(refused(Opcode::TEXT, "€".as_bytes().split_last().unwrap().1), Misuse::Utf8);
    assert_eq!(refused(Opcode::PING, &[0; 126]), Misuse::ControlTooLong);
    assert!(Message::new(Opcode::PONG, vec![0; 125]).is_ok());
    assert!(Message::new(Opcode::BINARY, vec![0xFF; 126]).is_ok());
}

/// `feed` gathers, `flush` writes.
#[tokio::test(start_paused = true)]
async fn many_messages_make_one_write() {
    let (mut messages, peer) = server();
    for number in 0..50 {
        messages.feed(Message::binary(vec![number; 100])).await.unwrap();
    }
    assert_eq!(peer.calls().writes, 0);
    messages.flush().await.unwrap();
    assert_eq!(peer.calls().writes, 1);
    assert_eq!(peer.sent(), (0..50).map(|number| binary([number; 100])).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_holds_the_sink_back() {
    let (mut messages, peer) = server();
    peer.take(0);
    let mut fed = 0;
    let feed = async {
        loop {
            messages.feed(Message::binary(vec![1; 1000])).await.unwrap();
            fed += 1;
        }
    };
    assert!(timeout(T.wire / 2, feed).await.is_err());
    // The queue's 64 KiB, and the one that waits.
    assert!((60..=66).contains(&fed), "{fed}");
    peer.take(usize::MAX);
    messages.flush().await.unwrap();
    // The one that was dropped with its call is not lost, as it had been taken.
    assert!(peer.sent().len() - fed <= 1);

    peer.take(0);
    let error = async {
        loop {
            if let Err(error) = messages.feed(Message::binary(vec![1; 1000])).await {
                return error;
            }
        }
    };
    let error = error.await;
    assert!(matches!(error, Error::Fault(Fault::Timeout(Wait::Wire))), "{error}");
    assert_eq!(messages.get_ref().closed().map(|closed| closed.0), Some(CloseCode::POLICY));
}

/// Whoever polls the stream also writes what the sink has queued, and a flush that was given up holds nothing.
#[test]
fn a_flush_that_is_given_up_does_not_keep_the_stream_from_answering() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let (mut messages, peer) = server();
    peer.take(0);
    {
        let mut send = Task::new(messages.send(Message::text("m")));
        assert!(send.poll().is_pending());
    }
    peer.send(&[ping("p")]);
    let mut next = Task::new(messages.next());
    assert!(next.poll().is_pending());
    peer.take(usize::MAX);
    assert!(next.is_woken() && next.poll().is_pending());
    assert_eq!(peer.sent(), [text("m"), pong("p")]);
}

/// A message of another sender is under way: the sink waits for its end.
#[test]
fn the_sink_waits_for_a_message_in_progress() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let (mut messages, peer) = server();
    let sender = messages.get_ref().sender();
    let mut writer = peer.run(sender.send_stream(Opcode::TEXT, T.wire)).unwrap();
    peer.run(writer.write_chunk(b"one ")).unwrap();
    peer.run(messages.send(Message::new(Opcode::PING, "p").unwrap())).unwrap();
    let mut send = Task::new(messages.send(Message::text("two")));
    assert!(send.poll().is_pending());
    peer.run(writer.finish()).unwrap();
    assert!(send.is_woken());
    assert!(matches!(send.poll(), Poll::Ready(Ok(()))));
    assert_eq!(peer.sent(), [text("one ").not_final(), ping("p"), continuation([]), text("two")]);
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_peers_close() {
    let (mut messages, peer) = server();
    peer.send(&[text("last"), close(4000, "done")]);
    assert_eq!(messages.next().await.unwrap().unwrap(), Message::text("last"));
    assert!(messages.next().await.is_none());
    assert!(messages.next().await.is_none());
    assert_eq!(messages.get_ref().closed().map(|closed| closed.0.get()), Some(4000));
    assert_eq!(messages.get_ref().close_reason(), "done");
    assert_eq!(peer.sent(), [close(4000, "")]);
    // It is closed: there is nothing to close any more, and nothing can be sent.
    messages.close().await.unwrap();
    messages.close().await.unwrap();
    let error = messages.send(Message::text("late")).await.unwrap_err();
    assert_eq!(error.closed().map(CloseCode::get), Some(4000));
}

#[tokio::test(start_paused = true)]
async fn everything_else_that_ends_it_comes_as_an_error_first() {
    for (sent, wanted) in
        [(vec![continuation("of nothing")], 1002), (vec![], 1006), (vec![binary(vec![0; 2000])], 1009)]
    {
        let (mut messages, peer) = server();
        messages.get_mut().set_message_limit(1000);
        peer.send(&sent);
        peer.hang_up();
        let error = messages.next().await.unwrap().unwrap_err();
        match wanted {
            1002 => assert!(matches!(error, Error::Fault(Fault::Violation(Violation::ContinuationUnexpected)))),
            1009 => assert!(matches!(error, Error::Fault(Fault::Overflow))),
            _ => assert_eq!(error.closed(), Some(CloseCode::ABNORMAL)),
        }
        assert!(messages.next().await.is_none());
        assert_eq!(messages.get_ref().closed().map(|closed| closed.0.get()), Some(wanted));
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_is_closed_has_sent_what_it_took_and_a_close() {
    let (mut messages, peer) = server();
    messages.feed(Message::text("last")).await.unwrap();
    messages.close().await.unwrap();
    assert_eq!(peer.sent(), [text("last"), close(1000, "")]);
    // The stream goes on to the peer's Close.
    peer.send(&[text("theirs"), close(1000, "")]);
    assert_eq!(messages.next().await.unwrap().unwrap(), Message::text("theirs"));
    assert!(messages.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_stream_and_its_errors_have_the_deadlines_of_the_connection() {
    let (mut messages, peer) = server();
    peer.send_bytes(&peer.wire(&binary([0; 100]))[..20]);
    let error = messages.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Fault(Fault::Timeout(Wait::Wire))), "{error}");
    assert!(messages.next().await.is_none());
}

/// Dropped wherever it waits, a call of the stream or the sink loses nothing that was taken.
#[test]
fn dropped_calls_lose_nothing() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for pace in [1, 7, 64] {
        for polls in 1..6 {
            let (conn, peer) = Peer::paced(Role::Server, pace, true);
            let mut messages = Messages::new(conn, T);
            let payload = |number: u8| vec![number; 200];
            for number in 0..4 {
                peer.send(&[Frame::new(BINARY, payload(number)).not_final(), ping("p"), continuation("")]);
            }
            for number in 0..4 {
                let received = loop {
                    if let Some(received) = peer.poll(messages.next(), polls) {
                        break received.unwrap().unwrap();
                    }
                };
                assert!(received == Message::binary(payload(number)));
                // What was taken by `feed` is not dropped with the flush.
                peer.run(messages.feed(received)).unwrap();
                peer.poll(async { messages.flush().await.unwrap() }, polls);
            }
            peer.run(messages.close()).unwrap();
            let sent = peer.sent().into_iter().filter(|frame| !frame.is_control()).collect::<Vec<_>>();
            assert_eq!(sent, (0..4).map(|number| binary(payload(number))).collect::<Vec<_>>());
        }
    }
}

/// What was accepted is not lost with the turn that did not come, and not sent twice.
#[tokio::test(start_paused = true)]
async fn a_message_whose_turn_did_not_come_in_time_is_sent_by_the_next_call() {
    let (mut messages, peer) = server();
    let sender = messages.get_ref().sender();
    let mut writer = sender.send_stream(Opcode::TEXT, T.wire).await.unwrap();
    writer.write_chunk(b"one ").await.unwrap();
    for _ in 0..2 {
        let error = messages.flush().await.err();
        let error = error.or(messages.send(Message::text("two")).await.err()).unwrap();
        assert!(matches!(error, Error::Fault(Fault::Timeout(Wait::Turn))), "{error}");
    }
    writer.finish().await.unwrap();
    messages.flush().await.unwrap();
    assert_eq!(peer.sent(), [text("one ").not_final(), continuation([]), text("two")]);
}
