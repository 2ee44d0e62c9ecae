//! Wakes that wait until this thread has released the lock of a connection.
//!
//! A transport may wake its waker while it is polled, which happens under the lock. Whoever is woken may run code that
//! calls the connection, and would wait for the lock of its own thread for ever.

use super::hub::Hub;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// This thread calls a transport: whom that wakes is taken note of until it [leaves](leave).
#[inline]
pub(crate) fn enter() {
    STATE.with(|state| state.set(state.get().wrapping_add(DEEPER)));
}

/// The transport has returned, or panicked.
#[inline]
pub(crate) fn leave() {
    STATE.with(|state| state.set(state.get().wrapping_sub(DEEPER)));
}

/// Takes note of a hub that is to be woken when the lock is released. `false` if it can be woken now.
pub(crate) fn defer(hub: &Arc<Hub>) -> bool {
    if STATE.with(Cell::get) < DEEPER {
        return false;
    }
    // A thread that ends has no store any more.
    let noted = HUBS.try_with(|hubs| {
        let mut hubs = hubs.borrow_mut();
        if !hubs.iter().any(|known| Arc::ptr_eq(known, hub)) {
            hubs.push(Arc::clone(hub));
        }
    });
    STATE.with(|state| state.set(state.get() | u32::from(noted.is_ok())));
    noted.is_ok()
}

/// Wakes those that were taken note of. To be called by who has just released a lock under which a transport was called.
#[inline]
pub(crate) fn wake() {
    if STATE.with(Cell::get) == SOME {
        wake_all();
    }
}

#[cold]
fn wake_all() {
    STATE.with(|state| state.set(0));
    // One after the other: those that are woken may call transports.
    while let Some(hub) = HUBS.try_with(|hubs| hubs.borrow_mut().pop()).ok().flatten() {
        hub.wake_all();
    }
}

/// Whether there are hubs to be woken.
const SOME: u32 = 1;
/// What the state grows by with each transport that is being called within another.
const DEEPER: u32 = 2;

#[cfg(not(ws_loom))]
std::thread_local! {
    static STATE: Cell<u32> = const { Cell::new(0) };
    static HUBS: RefCell<Vec<Arc<Hub>>> = const { RefCell::new(Vec::new()) };
}

#[cfg(ws_loom)]
loom::thread_local! {
    static STATE: Cell<u32> = Cell::new(0);
    static HUBS: RefCell<Vec<Arc<Hub>>> = RefCell::new(Vec::new());
}
