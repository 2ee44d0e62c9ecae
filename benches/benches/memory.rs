//! A connection over memory: what the protocol costs without a kernel.

use core::hint::black_box;
use core::time::Duration;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::io::{Read, Write};
use ws_benches::{Buffer, Cycle, Kind, SIZES, Sink};
use ws_conn::blocking::{Conn, Sender};
use ws_conn::{Opcode, Role, Timeouts};

const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(1), Duration::from_secs(1));

fn receive(c: &mut Criterion) {
    for kind in [Kind::Binary, Kind::Ascii, Kind::Multibyte] {
        let mut group = c.benchmark_group(format!("receive, {kind:?}"));
        for size in SIZES {
            group.throughput(Throughput::Bytes(size as u64));
            let places: &[_] = if kind == Kind::Binary { &PLACES } else { &PLACES[..1] };
            for (name, offset) in places {
                let mut buffer = Buffer::new(&vec![0; size], *offset);
                let buffer = &mut *buffer;
                let mut conn = Conn::new(Cycle::new(kind, size), Sink::default(), Role::Server);
                group.bench_function(BenchmarkId::new(format!("receive{name}"), size), |b| {
                    b.iter(|| conn.receive(black_box(buffer), TIMEOUTS).unwrap().len);
                });
            }
            let mut buffer = vec![0; size];
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
        for kind in [Kind::Binary, Kind::Ascii, Kind::Multibyte] {
            let mut group = c.benchmark_group(format!("send, {role:?}, {kind:?}"));
            let conn = Conn::new(Cycle::new(Kind::Binary, 16), Sink::default(), role);
            let sender = conn.sender();
            for size in SIZES {
                group.throughput(Throughput::Bytes(size as u64));
                let places: &[_] = if kind == Kind::Binary { &PLACES } else { &PLACES[..1] };
                for (name, offset) in places {
                    let payload = Buffer::new(&kind.payload(size), *offset);
                    let payload = &*payload;
                    group.bench_function(BenchmarkId::new(format!("flush each{name}"), size), |b| {
                        b.iter(|| sender.send(kind.opcode(), black_box(payload), TIMEOUTS.wire).unwrap());
                    });
                }
                let payload = Buffer::new(&kind.payload(size), 0);
                let payload = &*payload;
                group.bench_function(BenchmarkId::new("stream", size), |b| {
                    b.iter(|| {
                        let mut writer = sender.send_stream(kind.opcode(), TIMEOUTS.wire).unwrap();
                        writer.write_all(black_box(payload)).unwrap();
                        writer.finish().unwrap();
                    });
                });
                if kind == Kind::Binary {
                    feed(&mut group, &sender, payload);
                }
            }
            group.finish();
        }
    }
}

/// Many messages, and one flush for all of them.
fn feed(group: &mut BenchmarkGroup<'_, WallTime>, sender: &Sender<Sink>, payload: &[u8]) {
    group.bench_function(BenchmarkId::new("flush each 16", payload.len()), |b| {
        let mut count = 0_u32;
        b.iter(|| {
            sender.feed(Opcode::BINARY, black_box(payload), TIMEOUTS.wire).unwrap();
            count = count.wrapping_add(1);
            if count.is_multiple_of(16) {
                sender.flush(TIMEOUTS.wire).unwrap();
            }
        });
    });
}

/// Where the caller's buffer lies: what is added to a name, and how far it is from a place that is aligned.
const PLACES: [(&str, usize); 2] = [("", 0), (", one off", 1)];

/// Shorter than usual: the rows are many.
fn config() -> Criterion {
    Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group!(name = benches; config = config(); targets = receive, send);
criterion_main!(benches);
