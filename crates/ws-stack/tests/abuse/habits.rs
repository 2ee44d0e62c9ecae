//! What bad peers do, over and over, and what they hear at last.

use core::time::Duration;
use std::io::ErrorKind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;

use ws_testkit::live::Peer;
use ws_testkit::naive::{self, Frame};

/// Sends bytes so many times, many at once.
pub(crate) fn flood(peer: &mut Peer, bytes: &[u8], count: usize) {
    let many = bytes.repeat(BATCH);
    (0..count / BATCH).for_each(|_| peer.send(&many).unwrap());
    peer.send(&bytes.repeat(count % BATCH)).unwrap();
}

/// Sends bytes over and over until the other side has had enough.
pub(crate) fn flood_until_cut_off(peer: &mut Peer, bytes: &[u8]) {
    let many = bytes.repeat(BATCH);
    let end = (0..MOST / many.len()).find_map(|_| peer.send(&many).err()).expect("an end before so many bytes");
    // A write that runs out of time is no end: then the other side neither reads nor closes.
    assert!(matches!(end.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{end}");
}

/// Says something over and over until the connection ends, and returns what was heard.
pub(crate) fn drip_to_the_end(peer: &mut Peer, drip: &[u8]) -> Vec<u8> {
    let (mut twin, (tell, told)) = (peer.twin().unwrap(), channel());
    thread::spawn(move || tell.send(twin.rest().0));
    loop {
        match told.recv_timeout(INTERVAL) {
            Err(RecvTimeoutError::Timeout) => drop(peer.send(drip)),
            heard => return heard.unwrap(),
        }
    }
}

/// The frames until the end of the connection, which must come: in order, or because what was sent was not read.
pub(crate) fn frames_until_the_end(peer: &mut Peer) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = peer.frame() {
        frames.push(frame);
    }
    frames
}

/// The code of the one Close that is all that comes before the end.
pub(crate) fn closed_with(peer: &mut Peer) -> Option<u16> {
    let close = peer.frame().unwrap()?;
    assert_eq!(close.opcode, naive::CLOSE, "{close:?}");
    assert_eq!(peer.frame().unwrap(), None, "nothing comes after a Close");
    close.close_code()
}

/// How often a peer drips: many times within a deadline.
pub(crate) const INTERVAL: Duration = Duration::from_millis(50);

/// How many of a flood's parts go with one write.
const BATCH: usize = 64;

/// A flood of which so many bytes are taken has no end.
const MOST: usize = 16 << 30;
