//! The six names of the seed's benchmark, over loopback: `tcp` is the same bytes without WebSocket.

use core::hint::black_box;
use core::time::Duration;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use ws_benches::{Kind, frame};
use ws_conn::blocking::Conn;
use ws_conn::{Opcode, Role, Timeouts};

const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(10), Duration::from_secs(10));
/// The mean size of the seed's test vectors is about this.
const SIZE: usize = 6 * 1024;

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    (near, far)
}

/// Writes the same bytes until the other side hangs up.
fn writes(mut stream: TcpStream, bytes: Vec<u8>) -> JoinHandle<()> {
    let many = bytes.repeat((256 * 1024 / bytes.len()).max(1));
    thread::spawn(move || while stream.write_all(&many).is_ok() {})
}

/// Reads until the other side hangs up.
fn reads(mut stream: TcpStream) -> JoinHandle<()> {
    let mut buffer = vec![0; 256 * 1024];
    thread::spawn(move || while stream.read(&mut buffer).is_ok_and(|len| len > 0) {})
}

fn receive(c: &mut Criterion) {
    let mut group = c.benchmark_group("Receive");
    group.throughput(Throughput::Bytes(SIZE as u64));
    let wire = frame(Kind::Binary, SIZE, Some([7, 9, 11, 13]));
    let mut buffer = vec![0; SIZE];

    let (near, far) = pair();
    let writer = writes(far, wire.clone());
    let mut conn = Conn::over(near, Role::Server);
    group.bench_function("buffer", |b| b.iter(|| conn.receive(black_box(&mut buffer), TIMEOUTS).unwrap().len));
    group.bench_function("stream", |b| {
        b.iter(|| {
            let mut reader = conn.receive_stream(TIMEOUTS).unwrap();
            while reader.read(black_box(&mut buffer)).unwrap() > 0 {}
        });
    });
    drop(conn);
    writer.join().unwrap();

    let (mut near, far) = pair();
    let writer = writes(far, vec![7; SIZE]);
    // As many bytes at a time as the connection reads.
    let mut chunk = vec![0; 64 * 1024];
    let mut have = 0;
    group.bench_function("tcp", |b| {
        b.iter(|| {
            while have < SIZE {
                have += near.read(black_box(&mut chunk)).unwrap();
            }
            have -= SIZE;
        });
    });
    drop(near);
    writer.join().unwrap();
    group.finish();
}

fn send(c: &mut Criterion) {
    let mut group = c.benchmark_group("Send");
    group.throughput(Throughput::Bytes(SIZE as u64));
    let payload = Kind::Binary.payload(SIZE);

    let (near, far) = pair();
    let reader = reads(far);
    let mut conn = Conn::over(near, Role::Server);
    group.bench_function("buffer", |b| {
        b.iter(|| conn.sender_mut().send(Opcode::BINARY, black_box(&payload), TIMEOUTS.wire).unwrap());
    });
    let sender = conn.sender();
    group.bench_function("stream", |b| {
        b.iter(|| {
            let mut writer = sender.send_stream(Opcode::BINARY, TIMEOUTS.wire).unwrap();
            writer.write_all(black_box(&payload)).unwrap();
            writer.finish().unwrap();
        });
    });
    drop(conn);
    reader.join().unwrap();

    let (mut near, far) = pair();
    let reader = reads(far);
    group.bench_function("tcp", |b| b.iter(|| near.write_all(black_box(&payload)).unwrap()));
    drop(near);
    reader.join().unwrap();
    group.finish();
}

criterion_group!(benches, receive, send);
criterion_main!(benches);
