//! What it costs to drop the send of a large frame in its midst: no more than its length.

use crate::link::Link;
use crate::plan::Plan;
use crate::tokio_end::{Reading, Writing};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::fs;
use std::time::Instant;
use tokio::runtime::Builder;
use ws_conn::tokio::Conn;
use ws_conn::{Opcode, Role};

/// Fails if a frame four times as long takes more than twice four times the time.
pub(crate) fn run(plan: &Plan) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_time().build().map_err(|error| error.to_string())?;
    let _entered = runtime.enter();
    let time = |len: usize| (0..3).map(|_| drop_in_midst(plan, len)).min().unwrap_or_default();
    check(time(LEN), time(4 * LEN))
}

/// Whether the times for a length, and for four times that, can be those of work that grows with the length.
pub(crate) fn check(one: Duration, four: Duration) -> Result<(), String> {
    match four > 8 * one.max(LEAST) {
        true => Err(format!(
            "to drop the send of a large frame in its midst takes {one:?}, of one four times as large {four:?}"
        )),
        false => Ok(()),
    }
}

fn drop_in_midst(plan: &Plan, len: usize) -> Duration {
    let mut manners = plan.manners.clone();
    for manners in &mut manners {
        (manners.yields, manners.interrupts, manners.panics) = (0, 0, None);
        manners.room = manners.room.min(70_000);
    }
    let link = Link::new(manners, [2 * LEN, 0]);
    let (read, write) = link.halves(0);
    let conn = Conn::new(Box::new(read) as Reading, Box::new(write) as Writing, Role::Client);
    let _peer = link.halves(1);
    let payload = vec![0; len];
    let sender = conn.sender();
    let begun = Clock::now();
    {
        let mut send = pin!(sender.send(Opcode::BINARY, &payload, Duration::from_secs(60)));
        let polled = send.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending), "there is no room for all of it");
    }
    begun.elapsed()
}

/// The time that this thread has worked, where the system tells it: others do not count then.
enum Clock {
    Thread(Duration),
    Wall(Instant),
}

impl Clock {
    fn now() -> Self {
        worked().map_or_else(|| Self::Wall(Instant::now()), Self::Thread)
    }

    fn elapsed(&self) -> Duration {
        match self {
            Self::Thread(then) => worked().unwrap_or_default().saturating_sub(*then),
            Self::Wall(then) => then.elapsed(),
        }
    }
}

fn worked() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(stat.split(' ').next()?.parse().ok()?))
}

const LEN: usize = 4 << 20;
/// The payload, the queue with a copy of it, and another one while it grows; what else there is.
pub(crate) const MOST_MEMORY: usize = 4 * LEN * 4;
/// Times that are shorter say nothing: some systems count them by ticks.
const LEAST: Duration = Duration::from_millis(10);
