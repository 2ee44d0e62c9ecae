//! Futures that are counted, dropped, moved, and caught when they panic.

use crate::link::Planned;
use crate::plan::Fate;
use crate::table::{Meter, Table, lock};
use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::sync::atomic::Ordering;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::task::Wake;
use tokio::task::yield_now;
use tokio::time::timeout;

/// Runs a future of its own as its fate wants it. `None` if it was dropped, or has panicked with the transport.
pub(crate) async fn fated<T: Send + 'static>(
    table: &Arc<Table>,
    fate: Fate,
    future: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let mut future: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(future);
    let Fate::Moved(polls) = fate else { return limited(table, fate, future).await };
    if let Some(done) = polled(polls, metered(&table.meter, future.as_mut())).await {
        return done;
    }
    table.meter.moved.fetch_add(1, Ordering::Relaxed);
    let table = Arc::clone(table);
    let rest = tokio::spawn(async move { metered(&table.meter, future).await });
    rest.await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}

/// Runs a future, and drops it when its time has come.
pub(crate) async fn limited<F: Future>(table: &Table, fate: Fate, future: F) -> Option<F::Output> {
    let meter = &table.meter;
    let future = metered(meter, future);
    let done = match fate {
        Fate::Kept => return future.await,
        Fate::Polls(polls) | Fate::Moved(polls) => polled(polls, future).await,
        Fate::Time(micros) => timeout(Duration::from_micros(micros), future).await.ok(),
        Fate::Select(turns) => tokio::select! {
            biased;
            done = future => Some(done),
            () = yield_for(turns) => None,
        },
    };
    if done.is_none() {
        meter.dropped.fetch_add(1, Ordering::Relaxed);
    }
    done.flatten()
}

/// Polls a future so many times at most.
async fn polled<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            // The last poll is not waited for.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

async fn yield_for(turns: usize) {
    for _ in 0..turns {
        yield_now().await;
    }
}

/// Counts the polls of a future and the wake-ups it gets. `None` if the transport has panicked.
async fn metered<F: Future>(meter: &Meter, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let alarm = Arc::new(Alarm::default());
    let waker = Waker::from(Arc::clone(&alarm));
    let done = poll_fn(|cx| {
        meter.polls.fetch_add(1, Ordering::Relaxed);
        lock(&alarm.0).0 = Some(cx.waker().clone());
        let poll = || future.as_mut().poll(&mut Context::from_waker(&waker));
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(poll) => poll.map(Some),
            Err(panic) if panic.is::<Planned>() => {
                meter.panics.fetch_add(1, Ordering::Relaxed);
                Poll::Ready(None)
            }
            Err(panic) => resume_unwind(panic),
        }
    });
    let done = done.await;
    meter.wakes.fetch_add(lock(&alarm.0).1, Ordering::Relaxed);
    done
}

/// The waker of one future: another one for each call, and for each task that a call is moved to.
#[derive(Default)]
struct Alarm(Mutex<(Option<Waker>, u64)>);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let waker = {
            let mut alarm = lock(&self.0);
            alarm.1 += 1;
            alarm.0.clone()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}
