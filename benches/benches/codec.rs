//! The codec alone: headers, masking, UTF-8.

use core::hint::black_box;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ws_benches::{Buffer, Kind, SIZES, frame};
use ws_frame::{Header, Mask, Role, Utf8};

fn header(c: &mut Criterion) {
    let mut group = c.benchmark_group("header");
    for size in [16, 1024, 1024 * 1024] {
        let wire = frame(Kind::Binary, size, Some([1, 2, 3, 4]));
        group.bench_function(BenchmarkId::new("parse and check", size), |b| {
            b.iter(|| {
                let (header, size) = Header::parse(black_box(&wire)).unwrap();
                header.check(size, Role::Client).unwrap();
                header
            });
        });
        let (header, _) = Header::parse(&wire).unwrap();
        group.bench_function(BenchmarkId::new("encode", size), |b| {
            let mut out = [0; Header::MAX];
            b.iter(|| black_box(&header).encode(black_box(&mut out)).len());
        });
    }
    group.finish();
}

fn mask(c: &mut Criterion) {
    for (name, offset) in [("mask, aligned", 0), ("mask, one off", 1)] {
        let mut group = c.benchmark_group(name);
        for size in SIZES {
            let from = Kind::Binary.payload(size);
            let mut buffer = Buffer::new(&from, offset);
            let payload = &mut *buffer;
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::new("in place", size), |b| {
                b.iter(|| Mask::new([1, 2, 3, 4]).apply(black_box(payload)));
            });
            group.bench_function(BenchmarkId::new("copy", size), |b| {
                b.iter(|| Mask::new([1, 2, 3, 4]).copy(black_box(&from), black_box(payload)));
            });
        }
        group.finish();
    }
}

fn utf8(c: &mut Criterion) {
    for kind in [Kind::Ascii, Kind::Multibyte] {
        let mut group = c.benchmark_group(format!("utf8, {kind:?}"));
        for size in SIZES {
            let text = kind.payload(size);
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_function(BenchmarkId::from_parameter(size), |b| {
                b.iter(|| {
                    let mut utf8 = Utf8::new();
                    utf8.push(black_box(&text)).and_then(|()| utf8.finish()).unwrap();
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, header, mask, utf8);
criterion_main!(benches);
