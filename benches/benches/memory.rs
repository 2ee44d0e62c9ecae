//! A connection over memory: what the protocol costs without a kernel.

use core::hint::black_box;
use core::time::Duration;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::io::Read;
use ws_benches::{Cycle, Kind, SIZES, Sink};
use ws_conn::blocking::Conn;
use ws_conn::{Opcode, Role, Timeouts};

const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(1), Duration::from_secs(1));

fn receive(c: &mut Criterion) {
    for kind in [Kind::Binary, Kind::Ascii, Kind::Multibyte] {
        let mut group = c.benchmark_group(format!("receive, {kind:?}"));
        for size in SIZES {
            group.throughput(Throughput::Bytes(size as u64));
            let mut buffer = vec![0; size];
            let mut conn = Conn::new(Cycle::new(kind, size), Sink::default(), Role::Server);
            group.bench_function(BenchmarkId::new("receive", size), |b| {
                b.iter(|| conn.receive(black_box(&mut buffer), TIMEOUTS).unwrap().len);
            });
            let mut conn = Conn::new(Cycle::new(kind, size), Sink::default(), Role::Server);
            group.bench_function(BenchmarkId::new("message", size), |b| {
                b.iter(|| black_box(conn.message(TIMEOUTS).unwrap()).len());
            });
            let mut conn = Conn::new(Cycle::new(kind, size), Sink::default(), Role::Server);
            group.bench_function(BenchmarkId::new("stream", size), |b| {
                b.iter(|| {
                    let mut reader = conn.receive_stream(TIMEOUTS).unwrap();
                    while reader.read(black_box(&mut buffer)).unwrap() > 0 {}
                });
            });
        }
        group.finish();
    }
}

fn send(c: &mut Criterion) {
    for role in [Role::Server, Role::Client] {
        let mut group = c.benchmark_group(format!("send, {role:?}"));
        for size in SIZES {
            group.throughput(Throughput::Bytes(size as u64));
            let payload = Kind::Binary.payload(size);
            let conn = Conn::new(Cycle::new(Kind::Binary, 16), Sink::default(), role);
            let sender = conn.sender();
            group.bench_function(BenchmarkId::new("flush each", size), |b| {
                b.iter(|| sender.send(Opcode::BINARY, black_box(&payload), TIMEOUTS.wire).unwrap());
            });
            group.bench_function(BenchmarkId::new("flush each 16", size), |b| {
                let mut count = 0_u32;
                b.iter(|| {
                    sender.feed(Opcode::BINARY, black_box(&payload), TIMEOUTS.wire).unwrap();
                    count = count.wrapping_add(1);
                    if count.is_multiple_of(16) {
                        sender.flush(TIMEOUTS.wire).unwrap();
                    }
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, receive, send);
criterion_main!(benches);
