//! The scripted transport does what its script says, and nothing else.

use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::time::Instant;

use ws_testkit::clock::Clock;
use ws_testkit::transport::{Call, FailAt, Fault, Op, Script, Step, Transport, fail_at_every_operation};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn reads_meet_the_steps_in_order() {
    let transport = Script::new([
        Step::Bytes(b"abc".to_vec()),
        Step::Interrupted,
        Step::WouldBlock,
        Step::Error(ErrorKind::ConnectionAborted),
        Step::Bytes(vec![]),
        Step::Bytes(b"d".to_vec()),
        Step::Eof,
    ])
    .start();
    let mut reader = transport.reader();
    let mut buf = [0; 2];
    let got: Vec<_> = (0..8).map(|_| reader.read(&mut buf).map_err(|error| error.kind())).collect();
    let errors = [ErrorKind::Interrupted, ErrorKind::WouldBlock, ErrorKind::ConnectionAborted].map(Err);
    assert_eq!(got, [&[Ok(2), Ok(1)][..], &errors, &[Ok(1), Ok(0), Ok(0)]].concat());
    assert_eq!((buf[0], transport.reads(), transport.is_exhausted()), (b'd', 8, true));
}

#[test]
fn a_read_limit_cuts_reads_and_loses_nothing() {
    let transport = Script::of_pieces(&[b"hello", b"", b"world"]).read_limit(3).start();
    let mut all = Vec::new();
    transport.reader().read_to_end(&mut all).unwrap();
    assert_eq!(all, b"helloworld");
    let sizes: Vec<_> = transport.calls().iter().map(|call| call.result.unwrap()).collect();
    assert_eq!(sizes, [3, 2, 3, 2, 0]);
}

#[test]
fn writes_are_recorded_and_taken_up_to_the_limit() {
    let transport = Script::new([]).write_limit(3).start();
    let mut writer = transport.writer();
    assert_eq!(writer.write(b"abcd").unwrap(), 3);
    assert_eq!(writer.write_vectored(&[IoSlice::new(b"d"), IoSlice::new(b""), IoSlice::new(b"efg")]).unwrap(), 3);
    assert_eq!(writer.write(b"").unwrap(), 0);
    assert_eq!(writer.write_gathered_for(&[&b"g"[..], b"h"], None).unwrap(), 2);
    writer.flush().unwrap();
    assert_eq!(transport.written(), b"abcdefgh");
    assert_eq!((transport.writes(), transport.flushes(), transport.operations()), (4, 1, 5));
    assert_eq!(transport.take_written(), b"abcdefgh");
    assert_eq!(transport.written(), b"");
}

#[test]
fn a_wait_takes_time_on_the_clock_and_no_more_than_the_patience() {
    let clock = Clock::new();
    let transport = Script::new([Step::Wait(10 * SECOND), Step::Bytes(vec![1])]).clock(&clock).start();
    let mut reader = transport.reader();
    let mut buf = [0; 8];
    for passed in [4, 8] {
        let error = reader.read_for(&mut buf, Some(4 * SECOND)).unwrap_err();
        assert_eq!((error.kind(), clock.now()), (ErrorKind::TimedOut, passed * SECOND));
    }
    // Two seconds are left, and the patience is just enough.
    assert_eq!(reader.read_for(&mut buf, Some(2 * SECOND)).unwrap(), 1);
    assert_eq!(clock.now(), 10 * SECOND);
}

#[test]
fn waits_in_a_row_share_one_patience() {
    let transport = Script::new([Step::Wait(SECOND), Step::Wait(SECOND), Step::Bytes(vec![1])]).start();
    let mut buf = [0; 8];
    let error = transport.reader().read_for(&mut buf, Some(SECOND * 3 / 2)).unwrap_err();
    assert_eq!((error.kind(), transport.clock().now()), (ErrorKind::TimedOut, SECOND * 3 / 2));
    assert_eq!(transport.reader().read_for(&mut buf, None).unwrap(), 1);
    assert_eq!(transport.clock().now(), SECOND * 2);
}

#[test]
fn a_silent_peer_costs_the_patience_or_fails_at_once() {
    let transport = Script::new([]).start();
    let mut buf = [0; 8];
    assert_eq!(transport.reader().read_for(&mut buf, Some(SECOND)).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!((transport.clock().now(), transport.ran_dry()), (SECOND, false));
    assert_eq!(transport.reader().read(&mut buf).unwrap_err().kind(), ErrorKind::Other);
    assert!(transport.ran_dry());
    assert_eq!(transport.reader().read_for(&mut buf, Some(Duration::MAX)).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(transport.clock().now(), SECOND);
    transport.push([Step::TimedOut, Step::Bytes(vec![7])]);
    assert_eq!(transport.reader().read_for(&mut buf, Some(SECOND)).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(transport.clock().now(), 2 * SECOND);
    assert_eq!(transport.reader().read(&mut buf).unwrap(), 1);
}

#[test]
fn a_peer_that_reads_no_more_blocks_writes_until_there_is_room() {
    let transport = Script::new([]).room(3).start();
    let mut writer = transport.writer();
    assert_eq!(writer.write_for(b"abcd", Some(SECOND)).unwrap(), 3);
    assert_eq!(writer.write_for(b"d", Some(SECOND)).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!((transport.clock().now(), transport.ran_dry()), (SECOND, false));
    assert_eq!(writer.write(b"d").unwrap_err().kind(), ErrorKind::Other);
    assert!(transport.ran_dry());
    transport.make_room(1);
    assert_eq!(writer.write(b"de").unwrap(), 1);
    assert_eq!(transport.written(), b"abcd");
}

#[test]
fn slow_writes_take_time_once_each() {
    let transport = Script::new([]).write_takes(3 * SECOND).start();
    let mut writer = transport.writer();
    assert_eq!(writer.write_for(b"a", Some(2 * SECOND)).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(writer.write_for(b"a", Some(2 * SECOND)).unwrap(), 1);
    assert_eq!(transport.clock().now(), 3 * SECOND);
    assert_eq!(writer.write_for(b"b", None).unwrap(), 1);
    assert_eq!((transport.clock().now(), transport.written()), (6 * SECOND, b"ab".to_vec()));
}

#[test]
fn shutdown_ends_the_directions_it_names() {
    let transport = Script::new([Step::Bytes(vec![1])]).start();
    let (mut reader, mut writer) = transport.split();
    writer.shutdown(Shutdown::Write).unwrap();
    assert_eq!((transport.read_is_shut_down(), transport.write_is_shut_down()), (false, true));
    assert_eq!(writer.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    assert_eq!(reader.read(&mut [0; 8]).unwrap(), 1);
    reader.shutdown(Shutdown::Both).unwrap();
    assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0);
    assert_eq!((transport.shutdowns(), transport.read_is_shut_down()), (2, true));
    transport.shutdown(Shutdown::Both).unwrap();
    assert_eq!(transport.shutdowns(), 3);
    assert_eq!(transport.calls()[0], Call { op: Op::Shutdown(Shutdown::Write), result: Ok(0) });
}

#[test]
fn the_operation_that_is_to_fail_fails_and_no_other() {
    for (how, kind) in [
        (Fault::Error(ErrorKind::PermissionDenied), ErrorKind::PermissionDenied),
        (Fault::TimedOut, ErrorKind::TimedOut),
        (Fault::Interrupted, ErrorKind::Interrupted),
    ] {
        for op in 0..4 {
            let transport = exchange(Some(FailAt { op, how }));
            let results: Vec<_> = transport.calls().iter().map(|call| call.result).collect();
            let mut expected = vec![Ok(2), Ok(3), Ok(0), Ok(0)];
            expected[op] = Err(kind);
            assert_eq!(results, expected, "{how:?} at {op}");
            assert!(transport.met_the_failure());
            assert_eq!(transport.written(), if op == 1 { &b""[..] } else { b"abc" });
            assert_eq!(transport.write_is_shut_down(), op != 3);
        }
    }
}

#[test]
fn a_short_operation_handles_one_byte() {
    let transport = exchange(Some(FailAt { op: 0, how: Fault::Short }));
    assert_eq!(transport.calls()[0].result, Ok(1));
    let transport = exchange(Some(FailAt { op: 1, how: Fault::Short }));
    assert_eq!((transport.calls()[1].result, transport.written()), (Ok(1), b"a".to_vec()));
    assert!(exchange(Some(FailAt { op: 2, how: Fault::Short })).met_the_failure());
}

#[test]
fn a_reset_lasts_but_a_shutdown_still_works() {
    let transport = exchange(Some(FailAt { op: 0, how: Fault::Reset }));
    let results: Vec<_> = transport.calls().iter().map(|call| call.result).collect();
    let reset = Err(ErrorKind::ConnectionReset);
    assert_eq!(results, [reset, reset, reset, Ok(0)]);
}

#[test]
fn a_fault_that_times_out_costs_the_patience() {
    let transport = Script::new([]).fail_at(FailAt { op: 0, how: Fault::TimedOut }).start();
    assert_eq!(transport.writer().flush_for(Some(SECOND)).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(transport.clock().now(), SECOND);
}

#[test]
fn a_scenario_runs_once_for_each_operation_and_once_untouched() {
    let mut runs = 0;
    let operations = fail_at_every_operation(Fault::Interrupted, |fail_at| {
        runs += 1;
        exchange(Some(fail_at))
    });
    assert_eq!((operations, runs), (Ok(4), 5));
    assert!(!exchange(None).met_the_failure());
}

#[test]
fn a_duplex_is_both_halves() {
    let transport = Script::of_pieces(&[b"in"]).start();
    let mut duplex = transport.duplex();
    duplex.write_all(b"out").unwrap();
    duplex.flush().unwrap();
    let mut all = String::new();
    duplex.read_to_string(&mut all).unwrap();
    assert_eq!((all.as_str(), transport.written().as_slice(), transport.flushes()), ("in", &b"out"[..], 1));
}

#[test]
fn the_clock_is_shared_and_stops_at_the_end_of_time() {
    #[expect(clippy::disallowed_methods, reason = "a start for the sum, not a measurement")]
    let start = Instant::now();
    let clock = Clock::new();
    let other = clock.clone();
    other.advance(SECOND);
    assert_eq!((clock.now(), clock.since(start)), (SECOND, start + SECOND));
    clock.advance(Duration::MAX);
    assert_eq!(other.now(), Duration::MAX);
}

/// One read, one write, one flush, one shutdown, whatever comes of them.
fn exchange(fail_at: Option<FailAt>) -> Transport {
    let transport = Script::of_pieces(&[b"hi"]).fail_at(fail_at).start();
    let (mut reader, mut writer) = transport.split();
    let _: io::Result<usize> = reader.read(&mut [0; 8]);
    let _: io::Result<usize> = writer.write(b"abc");
    let _: io::Result<()> = writer.flush();
    let _: io::Result<()> = writer.shutdown(Shutdown::Both);
    transport
}
