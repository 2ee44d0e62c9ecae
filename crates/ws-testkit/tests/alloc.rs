//! Allocations are counted, on the thread that makes them and on no other.
#![cfg(feature = "count-allocations")]

use core::hint::black_box;
use std::sync::mpsc;
use std::thread;

use ws_testkit::alloc::{Count, count_allocations};

#[test]
fn code_that_allocates_nothing_counts_zero() {
    let mut buf = [0_u8; 64];
    assert_eq!(count_allocations(|| black_box(&mut buf).fill(1)), Count::default());
}

#[test]
fn allocations_their_bytes_and_their_peak_are_counted() {
    let mut kept = Vec::new();
    let count = count_allocations(|| {
        drop(black_box(vec![1_u8; 100]));
        kept = black_box(vec![1_u8; 30]);
    });
    assert_eq!(count, Count { calls: 2, bytes: 130, max_live: 100, kept: 30 });
    let count = count_allocations(|| drop(black_box(kept)));
    assert_eq!(count, Count { calls: 0, bytes: 0, max_live: 0, kept: -30 });
}

#[test]
fn a_vec_that_grows_counts_each_time() {
    let mut vec: Vec<u8> = Vec::with_capacity(8);
    let count = count_allocations(|| black_box(&mut vec).extend_from_slice(&[0; 9]));
    assert_eq!((count.calls, count.kept), (1, 8));
}

#[test]
fn other_threads_are_not_counted() {
    let (go, wait) = mpsc::channel::<()>();
    let (done, finished) = mpsc::channel::<()>();
    let other = thread::spawn(move || {
        wait.recv().unwrap();
        black_box(vec![0_u8; 10_000]);
        done.send(()).unwrap();
    });
    let count = count_allocations(|| {
        go.send(()).unwrap();
        finished.recv().unwrap();
    });
    other.join().unwrap();
    assert!(count.bytes < 10_000, "{count:?}");
}
