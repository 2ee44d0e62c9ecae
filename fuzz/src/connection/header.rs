use ws_frame::{Header, Opcode, Role, Violation};
use ws_testkit::naive::{self, Frame};
use ws_testkit::raw;

/// The laws of the header. The input is the wire.
///
/// Reading it agrees with the naive reader, writing it with the naive writer; what is refused is refused for the same
/// rule from the first byte that shows it on; and what is accepted is what the rules written out in `verdict` accept.
pub fn header(wire: &[u8]) {
    let Some((header, size)) = Header::parse(wire) else {
        assert!(wire.len() < Header::MAX, "the longest header is there");
        assert_eq!(naive::read(wire), None);
        return check_starts(wire, wire.len(), None);
    };
    let head = &wire[..size];
    for len in 0..size {
        assert_eq!(Header::parse(&wire[..len]), None, "it ends before {size} bytes");
    }
    assert_eq!(Header::parse(head), Some((header, size)), "what follows is ignored");

    // The payload is made up where it is not long, so that the naive reader has a frame.
    let payload = &wire[size..];
    let minimal = size == header.encoded_len();
    if header.len <= MADE_UP {
        let mut whole = wire.to_vec();
        whole.resize(size + header.len as usize, 0xee);
        let (frame, taken) = naive::read(&whole).expect("it is all there");
        assert_eq!((frame.fin, frame.rsv, frame.opcode, frame.mask), parts(&header));
        assert_eq!((frame.payload.len() as u64, taken), (header.len, whole.len()));
        assert_eq!(naive::read_all(&whole).is_ok(), minimal, "the shortest form of a length");
    }
    assert_eq!(naive::read(wire).is_some(), header.len <= payload.len() as u64);

    // The naive frame as written has the shortest length, whatever was read.
    let (fin, rsv, opcode, mask) = parts(&header);
    let frame = Frame { fin, rsv, opcode, mask, payload: Vec::new() };
    let mut room = [0xee; Header::MAX];
    let encoded = header.encode(&mut room);
    assert_eq!(encoded, raw::announced(&frame, header.len));
    assert_eq!(encoded.len(), header.encoded_len());
    assert!(encoded.len() <= size);
    assert_eq!(encoded == head, minimal);
    assert_eq!(Header::parse(encoded), Some((header, encoded.len())));

    for from in [Role::Client, Role::Server] {
        assert_eq!(header.check(size, from), verdict(&header, size, from), "{header:?} of {size} bytes");
    }
    check_starts(wire, size, Some(header));
}

/// A header fails for the same rule however much of it is there, and never before what shows it.
fn check_starts(wire: &[u8], size: usize, header: Option<Header>) {
    for from in [Role::Client, Role::Server] {
        let starts: Vec<_> = (0..=size).map(|len| Header::check_start(&wire[..len], from)).collect();
        let first = starts.iter().find(|start| start.is_err());
        assert!(starts.iter().skip_while(|start| start.is_ok()).all(|start| Some(start) == first));
        assert_eq!(Header::check_start(wire, from), starts[size], "what follows is ignored");
        if let Some(header) = header {
            assert_eq!(header.check(size, from), starts[size]);
        }
    }
}

fn parts(header: &Header) -> (bool, u8, u8, Option<[u8; 4]>) {
    (header.fin, header.rsv, header.opcode.bits(), header.mask)
}

/// The rules of RFC 6455, sections 5.1, 5.2 and 5.5, one by one and in the order of the wire.
fn verdict(header: &Header, size: usize, from: Role) -> Result<(), Violation> {
    let control = header.opcode >= Opcode::CLOSE;
    let extended = size - if header.mask.is_some() { 4 } else { 0 } > 2;
    match (from, header.mask) {
        _ if control && !header.fin => Err(Violation::ControlFragmented),
        (Role::Client, None) => Err(Violation::MaskMissing),
        (Role::Server, Some(_)) => Err(Violation::MaskUnexpected),
        _ if control && extended => Err(Violation::ControlTooLong),
        _ if header.len >= 1 << 63 => Err(Violation::LengthSign),
        _ if extended && header.len < 126 || size >= 10 && header.len < 1 << 16 => Err(Violation::LengthNotMinimal),
        _ => Ok(()),
    }
}

/// The naive reader looks at each byte. Longer lengths are compared as they are announced.
const MADE_UP: u64 = 300;
