//! Large frames, of which not all can be written at once: what they cost hangs on their size alone, and nothing does much
//! of it in one go.

use crate::T;
use crate::transport::{Peer, Task};
use ws_conn::{Opcode, Role};
use ws_testkit::alloc::{alone, count_allocations};
use ws_testkit::naive::binary;

const MUCH: usize = 8 << 20;

/// What is masked lies in the queue afterwards, and moves no more than a few times on its way there.
#[test]
fn what_a_dropped_send_leaves_is_copied_in_linear_time() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let _alone = alone();
    for role in [Role::Client, Role::Server] {
        let (mut conn, peer) = Peer::new(role);
        let sender = conn.sender();
        peer.take(100);
        let payload = vec![7; MUCH];
        let mut send = Task::new(sender.send(Opcode::BINARY, &payload, T.wire));
        assert!(send.poll().is_pending());
        let count = count_allocations(|| drop(send));
        assert!(count.bytes < (MUCH + MUCH / 4) as u64, "{role:?}: {count:?}");
        // It is whole, and others come behind it.
        peer.take(usize::MAX);
        peer.run(sender.send(Opcode::BINARY, b"after", T.wire)).unwrap();
        assert!(peer.sent() == [binary(payload), binary("after")], "{role:?}");
        // The queue is as large as ever.
        let count = count_allocations(|| drop(Task::new(conn.receive(&mut [0; 16], T)).poll()));
        assert!(count.bytes < 1 << 17, "{role:?}: {count:?}");
    }
}

/// A peer that is gone, in each way in which a connection can be over: what is not sent is not kept either.
#[test]
fn what_a_dropped_send_leaves_to_a_connection_that_is_over_is_nothing() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    let _alone = alone();
    let payload = vec![7; MUCH];
    for role in [Role::Client, Role::Server] {
        for by_abort in [true, false] {
            let (conn, peer) = Peer::new(role);
            let sender = conn.sender();
            peer.take(100);
            let mut send = Task::new(sender.send(Opcode::BINARY, &payload, T.wire));
            assert!(send.poll().is_pending());
            let _conn = if by_abort {
                sender.abort();
                Some(conn)
            } else {
                drop(conn);
                None
            };
            let count = count_allocations(|| drop(send));
            assert!(count.bytes < 1 << 17 && count.kept <= 0, "{role:?}: {count:?}");
        }
    }
}

#[cfg(feature = "messages")]
mod sink {
    use super::{MUCH, Opcode, Peer, Role, T, Task, alone, binary, count_allocations};
    use core::pin::Pin;
    use core::task::Poll;
    use futures_util::{Sink, SinkExt, StreamExt};
    use ws_conn::tokio::{Message, Messages};
    use ws_conn::{CloseCode, Error, Fault, Wait};
    use ws_testkit::naive::{ping, pong};

    type Pair = Messages<crate::transport::Read, crate::transport::Write>;

    fn with_a_message(role: Role, room: usize) -> (Pair, Peer) {
        let (conn, peer) = Peer::new(role);
        peer.hang_up_after();
        peer.take(room);
        let mut messages = Messages::new(conn, T);
        Pin::new(&mut messages).start_send(Message::binary(vec![7; MUCH])).unwrap();
        (messages, peer)
    }

    /// No copy of it is made, however large it is: the queue holds as much as ever.
    #[test]
    fn a_large_message_is_not_copied_into_the_queue() {
        let runtime = crate::paused();
        let _time = runtime.enter();
        let _alone = alone();
        for role in [Role::Client, Role::Server] {
            let (mut messages, peer) = with_a_message(role, 100);
            let count = count_allocations(|| assert!(Task::new(messages.flush()).poll().is_pending()));
            assert!(count.bytes < 1 << 18, "{role:?}: {count:?}");
            // Bit by bit, each in a task of its own.
            while peer.sent_len() < MUCH {
                peer.take(1 << 20);
                let _ = Task::new(messages.flush()).poll();
            }
            peer.take(usize::MAX);
            peer.run(messages.flush()).unwrap();
            assert!(peer.sent() == [binary(vec![7; MUCH])], "{role:?}");
        }
    }

    /// The peer takes everything, so that nothing else would end the poll: a client has to mask it all.
    #[test]
    fn no_poll_masks_more_than_a_part_of_a_large_message() {
        let runtime = crate::paused();
        let _time = runtime.enter();
        let (mut messages, peer) = with_a_message(Role::Client, usize::MAX);
        let (mut polls, mut sent) = (0, 0);
        let mut flush = Task::new(messages.flush());
        while flush.poll().is_pending() {
            assert!(flush.is_woken(), "it waits for nothing");
            assert!(peer.sent_len() - sent <= 6 << 16, "{} bytes in one poll", peer.sent_len() - sent);
            (polls, sent) = (polls + 1, peer.sent_len());
        }
        drop(flush);
        assert!(polls > 10, "{polls}");
        assert!(peer.sent() == [binary(vec![7; MUCH])]);
    }

    /// Nobody tells that the sink was given up: the stream goes on with its frame, and the Pong follows.
    #[test]
    fn who_polls_the_stream_goes_on_with_a_large_message_of_the_sink() {
        let runtime = crate::paused();
        let _time = runtime.enter();
        for role in [Role::Client, Role::Server] {
            let (mut messages, peer) = with_a_message(role, 100);
            assert!(Task::new(messages.flush()).poll().is_pending());
            peer.send(&[ping("p")]);
            let mut next = Task::new(messages.next());
            assert!(next.poll().is_pending());
            peer.take(usize::MAX);
            assert!(next.is_woken());
            while next.is_woken() {
                assert!(next.poll().is_pending());
            }
            drop(next);
            assert!(peer.sent() == [binary(vec![7; MUCH]), pong("p")], "{role:?}");
            assert!(matches!(Task::new(messages.flush()).poll(), Poll::Ready(Ok(()))), "{role:?}");
        }
    }

    /// Whoever polls last: the other one is told as well.
    #[test]
    fn both_halves_are_woken_when_a_large_message_can_go_on() {
        let runtime = crate::paused();
        let _time = runtime.enter();
        for sink_last in [true, false] {
            let (messages, peer) = with_a_message(Role::Server, 100);
            let (mut sink, mut stream) = messages.split();
            let mut next = Task::new(stream.next());
            let mut flush = Task::new(sink.flush());
            assert!(flush.poll().is_pending() && next.poll().is_pending());
            assert!(!sink_last || flush.poll().is_pending());
            peer.take(1000);
            assert!(flush.is_woken() && next.is_woken());
            assert!(next.poll().is_pending() && flush.poll().is_pending());
            peer.take(usize::MAX);
            assert!(next.is_woken() && next.poll().is_pending());
            assert!(flush.is_woken() && matches!(flush.poll(), Poll::Ready(Ok(()))));
        }
    }

    /// The wire deadline of the message goes on with whoever polls.
    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_take_a_large_message_meets_wire_in_the_stream() {
        let (mut messages, peer) = with_a_message(Role::Server, 100);
        assert!(Task::new(messages.flush()).poll().is_pending());
        let error = messages.next().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Fault(Fault::Timeout(Wait::Wire))), "{error}");
        assert!(messages.next().await.is_none());
        assert!(peer.is_shut());
        let error = messages.flush().await.unwrap_err();
        assert_eq!(error.closed(), Some(CloseCode::POLICY), "{error}");
    }

    /// What is sent later has a time of its own.
    #[tokio::test(start_paused = true)]
    async fn the_deadline_of_a_large_message_ends_with_it_when_the_stream_has_sent_the_rest() {
        let (mut messages, peer) = with_a_message(Role::Server, 100);
        assert!(Task::new(messages.flush()).poll().is_pending());
        // All of its frame, and no more.
        peer.take(binary(vec![7; MUCH]).bytes().len() - 100);
        assert!(Task::new(messages.next()).poll().is_pending());
        tokio::time::advance(2 * T.wire).await;
        Pin::new(&mut messages).start_send(Message::binary(vec![7; MUCH])).unwrap();
        assert!(Task::new(messages.flush()).poll().is_pending(), "it has only begun to wait");
        peer.take(usize::MAX);
        messages.flush().await.unwrap();
    }

    /// Others wait for its end, and go on behind it.
    #[test]
    fn nothing_is_sent_in_the_midst_of_a_large_message() {
        let runtime = crate::paused();
        let _time = runtime.enter();
        let (mut messages, peer) = with_a_message(Role::Server, 100);
        let sender = messages.get_ref().sender();
        let mut flush = Task::new(messages.flush());
        assert!(flush.poll().is_pending());
        let mut sends = [Opcode::PING, Opcode::BINARY].map(|opcode| Task::new(sender.send(opcode, b"p", T.wire)));
        assert!(sends.iter_mut().all(|send| send.poll().is_pending()));
        peer.take(usize::MAX);
        assert!(matches!(flush.poll(), Poll::Ready(Ok(()))));
        for send in &mut sends {
            assert!(send.is_woken() && matches!(send.poll(), Poll::Ready(Ok(()))));
        }
        assert!(peer.sent() == [binary(vec![7; MUCH]), ping("p"), binary("p")]);
    }
}
