//! Tasks that share a connection, polled in random order and only when they were woken, with calls that are dropped:
//! everybody comes to an end, and the wire holds what was sent.

use crate::T;
use crate::transport::{Peer, Task, Write};
use core::cell::RefCell;
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::Poll;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tokio::io::AsyncWriteExt;
use ws_conn::tokio::Sender;
use ws_conn::{CloseCode, Opcode, Role};
use ws_testkit::chunks::Lcg;
use ws_testkit::naive::{self, Frame, PING, PONG, close, continuation, ping};

#[test]
fn tasks_with_calls_that_are_dropped_at_random_all_come_to_an_end() {
    let runtime = crate::paused();
    let _time = runtime.enter();
    for seed in 0..60 {
        for role in [Role::Server, Role::Client] {
            conversation(seed, role);
        }
    }
}

/// What a task tried to send: its payload, and whether the call resolved.
type Log = Rc<RefCell<Vec<(Vec<u8>, bool)>>>;

fn conversation(seed: u64, role: Role) {
    let mut lcg = Lcg::new(seed);
    let (pace, longest) = [(1, 40), (3, 200), (16, 1500), (64, 5000), (1000, 80_000)][lcg.below(5)];
    let (mut conn, peer) = Peer::paced(role, pace, lcg.below(2) == 0);
    let heard: Vec<Frame> = (0..6).flat_map(|number| spoken(number, lcg.below(longest))).collect();
    peer.send(&heard);

    let sender = conn.sender();
    let received: Log = Log::default();
    let receiver = {
        let received = Rc::clone(&received);
        let mut lcg = Lcg::new(seed + 1000);
        async move {
            loop {
                let polls = 1 + lcg.below(9);
                let Some(message) = limited(polls, async { conn.message(T).await.map(|m| m.to_vec()) }).await else {
                    continue;
                };
                match message {
                    Ok(message) => received.borrow_mut().push((message, true)),
                    Err(error) => {
                        assert_eq!(error.closed(), Some(CloseCode::NORMAL), "{error}");
                        return;
                    }
                }
            }
        }
    };
    let logs: Vec<Log> = (0..4).map(|_| Log::default()).collect();
    let senders = logs.iter().enumerate().map(|(number, log)| {
        let lcg = Lcg::new(seed * 10 + number as u64);
        Box::pin(speak(number, longest, sender.clone(), Rc::clone(log), lcg)) as Pin<Box<dyn Future<Output = ()>>>
    });
    let mut tasks: Vec<Option<Task<_>>> = senders.chain([Box::pin(receiver) as _]).map(Task::new).map(Some).collect();
    let mut closed = false;
    while tasks.iter().any(Option::is_some) {
        if !closed && tasks[..4].iter().all(Option::is_none) {
            closed = true;
            peer.send(&[close(1000, "")]);
            peer.hang_up();
        }
        let mut woken: Vec<usize> = (0..5).filter(|&at| tasks[at].as_ref().is_some_and(Task::is_woken)).collect();
        if woken.is_empty() || lcg.below(3) == 0 {
            peer.tick();
            woken = (0..5).filter(|&at| tasks[at].as_ref().is_some_and(Task::is_woken)).collect();
            let waiting: Vec<usize> = (0..5).filter(|&at| tasks[at].is_some()).collect();
            assert!(!woken.is_empty(), "seed {seed}, {role:?}: tasks {waiting:?} wait for ever");
        }
        let at = woken[lcg.below(woken.len())];
        if tasks[at].as_mut().is_some_and(|task| task.poll().is_ready()) {
            tasks[at] = None;
        }
    }

    let expected = whole(&heard).into_iter().map(|payload| (payload, true)).collect::<Vec<_>>();
    assert!(*received.borrow() == expected, "seed {seed}, {role:?}: something else was received");
    let frames = peer.sent();
    let sent = whole(&frames);
    for (number, log) in logs.iter().enumerate() {
        let mine = |payload: &&Vec<u8>| payload.starts_with(&[b'0' + number as u8]);
        assert_in_order(&log.borrow(), &sent.iter().filter(mine).collect::<Vec<_>>(), (seed, role));
    }
    let mut pings = heard.iter().filter(|frame| frame.opcode == PING).map(|frame| &frame.payload);
    let mut pongs = frames.iter().filter(|frame| frame.opcode == PONG).map(|frame| &frame.payload);
    let mut rest = pings.clone();
    assert!(pongs.clone().all(|pong| rest.any(|ping| ping == pong)), "seed {seed}: Pongs do not answer Pings");
    assert_eq!(pings.next_back(), pongs.next_back());
}

fn spoken(number: u8, len: usize) -> [Frame; 4] {
    let first = naive::binary(vec![number; len]).not_final();
    [first, ping([number, 1]), continuation(vec![number; 10]), ping([number, 2])]
}

/// Sends messages in every way, one after the other, and drops some of the calls.
async fn speak(number: usize, longest: usize, sender: Sender<Write>, log: Log, mut lcg: Lcg) {
    for count in 0..8 {
        let mut payload = format!("{number}:{count}:").into_bytes();
        payload.resize(payload.len() + lcg.below(longest), b'.');
        let polls = if lcg.below(2) == 0 { usize::MAX } else { lcg.below(8) };
        log.borrow_mut().push((payload.clone(), false));
        let resolved = match lcg.below(4) {
            0 => limited(polls, sender.send(Opcode::TEXT, &payload, T.wire)).await,
            1 => {
                let fed = limited(polls, sender.feed(Opcode::TEXT, &payload, T.wire)).await;
                limited(lcg.below(4), sender.flush(T.wire)).await.transpose().unwrap();
                fed
            }
            2 => {
                limited(polls, sender.send(Opcode::PING, b"?", T.wire)).await.transpose().unwrap();
                None
            }
            _ => match limited(polls, sender.send_stream(Opcode::TEXT, T.wire)).await {
                None => None,
                Some(writer) => {
                    let mut writer = writer.unwrap();
                    for fragment in payload.chunks(payload.len() / 3) {
                        writer.write_all(fragment).await.unwrap();
                    }
                    limited(lcg.below(4), writer.flush()).await.transpose().unwrap();
                    Some(writer.finish().await)
                }
            },
        };
        if let Some(resolved) = resolved {
            resolved.unwrap();
            log.borrow_mut().last_mut().unwrap().1 = true;
        }
    }
}

/// Polls a future so many times, whenever the task is polled, and drops it.
pub(crate) async fn limited<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        let polled = future.as_mut().poll(cx).map(Some);
        // The last poll is not waited for.
        if left == 0 && polled.is_pending() { Poll::Ready(None) } else { polled }
    })
    .await
}

/// The payloads of the data messages.
fn whole(frames: &[Frame]) -> Vec<Vec<u8>> {
    let mut messages = vec![Vec::new()];
    for frame in frames.iter().filter(|frame| !frame.is_control()) {
        messages.last_mut().unwrap().extend_from_slice(&frame.payload);
        if frame.fin {
            messages.push(Vec::new());
        }
    }
    assert_eq!(messages.pop(), Some(Vec::new()), "a message is not finished");
    messages
}

/// What resolved is there once; what was dropped may be.
fn assert_in_order(log: &[(Vec<u8>, bool)], sent: &[&Vec<u8>], of: (u64, Role)) {
    let by_payload: BTreeMap<&Vec<u8>, usize> =
        log.iter().enumerate().map(|(at, (payload, _))| (payload, at)).collect();
    let places: Vec<usize> = sent.iter().map(|payload| by_payload[payload]).collect();
    assert!(places.is_sorted_by(|a, b| a < b), "{of:?}: not in order, or twice: {places:?}");
    let places = BTreeSet::from_iter(places);
    let missing = log.iter().enumerate().find(|(at, (_, resolved))| *resolved && !places.contains(at));
    assert_eq!(missing.map(|(at, _)| at), None, "{of:?}: a message that was sent is missing");
}
