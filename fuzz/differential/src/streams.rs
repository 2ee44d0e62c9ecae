//! The streams: those of the fuzz corpus, generated conversations with faults in them, and mutations of both.

use std::path::Path;
use std::{fs, io};
use ws_conn::Role;
use ws_testkit::chunks::Lcg;
use ws_testkit::naive::{self, Frame};
use ws_testkit::raw;

/// The wires of the corpus of `inbound_server` or `inbound_client`, without the bytes that steer those targets.
pub fn corpus(role: Role) -> io::Result<Vec<Vec<u8>>> {
    let name = if role == Role::Server { "inbound_server" } else { "inbound_client" };
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(name);
    let mut paths = fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(|path| Ok(wire(&fs::read(path)?).to_vec())).collect()
}

/// What is accepted, the limit, the ways and the sizes, both counted; then the wire.
fn wire(input: &[u8]) -> &[u8] {
    let counted = |input: &[u8]| 1 + usize::from(input.first().copied().unwrap_or_default());
    let rest = input.get(2..).unwrap_or_default();
    let rest = rest.get(counted(rest)..).unwrap_or_default();
    rest.get(counted(rest)..).unwrap_or_default()
}

/// A Close with every code that has a meaning, and with many that have none.
pub fn closes(role: Role) -> impl Iterator<Item = Vec<u8>> {
    (0..=5100).chain((5101..=u16::MAX).step_by(997)).map(move |code| dressed(role, naive::close(code, "")).bytes())
}

/// Any number of streams, the same ones for the same seed.
pub struct Streams {
    role: Role,
    dice: Lcg,
    corpus: Vec<Vec<u8>>,
}

impl Streams {
    pub fn new(role: Role, seed: u64, corpus: Vec<Vec<u8>>) -> Self {
        Self { role, dice: Lcg::new(seed), corpus }
    }

    pub fn next(&mut self) -> Vec<u8> {
        let mut stream = match self.dice.below(4) {
            0 => self.pick(&self.corpus.clone()),
            _ => self.conversation(),
        };
        if self.dice.below(3) == 0 {
            for _ in 0..=self.dice.below(3) {
                self.mutate(&mut stream);
            }
        }
        stream
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.dice.below(of.len())].clone()
    }

    /// Frames as an honest peer sends them, but for one in twenty.
    fn conversation(&mut self) -> Vec<u8> {
        let mut wire = Vec::new();
        for _ in 0..=self.dice.below(6) {
            let frames = match self.dice.below(8) {
                0..=2 => self.fragments(),
                3 => vec![naive::ping(self.dice.bytes(4))],
                4 => vec![naive::pong(self.dice.bytes(125))],
                5 if self.dice.below(2) == 0 => vec![self.close()],
                _ => vec![self.message()],
            };
            for frame in frames {
                let frame = dressed(self.role, frame);
                wire.extend(if self.dice.below(20) == 0 { self.fault(frame) } else { frame.bytes() });
            }
        }
        wire
    }

    fn message(&mut self) -> Frame {
        let len = self.pick(&[0, 1, 5, 30, 125, 126, 127, 1000, 65_535, 65_536]);
        match self.dice.below(2) {
            0 => naive::binary(self.dice.bytes(len)),
            _ => naive::text(&"aé€😀".chars().cycle().take(len / 3).collect::<String>()),
        }
    }

    /// A message in fragments, cut anywhere, with control frames between them.
    fn fragments(&mut self) -> Vec<Frame> {
        let whole = self.message();
        let mut frames = Vec::new();
        let mut opcode = whole.opcode;
        let mut rest = &whole.payload[..];
        while self.dice.below(3) > 0 {
            let (some, after) = rest.split_at(self.dice.below(1 + rest.len()));
            frames.push(Frame::new(opcode, some).not_final());
            (opcode, rest) = (naive::CONTINUATION, after);
            if self.dice.below(3) == 0 {
                frames.push(naive::ping("between"));
            }
        }
        frames.push(Frame::new(opcode, rest));
        frames
    }

    fn close(&mut self) -> Frame {
        let code = self.pick(&[1000, 1001, 1003, 1007, 1011, 3000, 4999, 999, 1004, 1005, 1006, 1015, 2999, 5000]);
        let reason = self.pick(&["", "bye", "tschüß"]);
        match self.dice.below(8) {
            0 => naive::close_empty(),
            1 => Frame::new(naive::CLOSE, [3]),
            2 => Frame::new(naive::CLOSE, [3, 232, 0xe2, 0x82]),
            _ => naive::close(code, reason),
        }
    }

    /// A frame that is wrong in one way; some ways make it another frame that is right.
    fn fault(&mut self, frame: Frame) -> Vec<u8> {
        let opcode = self.dice.below(16) as u8;
        match self.dice.below(12) {
            0 => frame.rsv(1 + self.dice.below(7) as u8).bytes(),
            1 => frame.opcode(opcode).bytes(),
            2 => Frame { mask: frame.mask.is_none().then_some([1, 2, 3, 4]), ..frame }.bytes(),
            3 => Frame { fin: !frame.fin, ..frame }.bytes(),
            4 => raw::with_16_bit_length(&frame).unwrap_or_default(),
            5 => raw::with_64_bit_length(&frame),
            6 => raw::with_top_bit_length(&frame),
            7 => raw::announced(&frame, u64::from(self.dice.number()) << self.dice.below(31)),
            8 => Frame { payload: self.dice.bytes(126), ..frame }.bytes(),
            9 => Frame { payload: [&frame.payload[..], &[0xc3]].concat(), ..frame }.bytes(),
            10 => Frame { payload: [&[0xff], &frame.payload[..]].concat(), ..frame }.bytes(),
            _ => Vec::new(),
        }
    }

    fn mutate(&mut self, stream: &mut Vec<u8>) {
        let (from, to) = (self.dice.below(stream.len() + 1), self.dice.below(stream.len() + 1));
        let range = from.min(to)..from.max(to).min(from.min(to) + 20);
        match self.dice.below(5) {
            0 => stream.truncate(from),
            1 => drop(stream.drain(range)),
            2 => stream.extend_from_within(range),
            3 => stream.insert(from, self.dice.number() as u8),
            _ => {
                if let Some(byte) = stream.get_mut(from) {
                    *byte ^= 1 << self.dice.below(8);
                }
            }
        }
    }
}

/// As the peer of this role sends it.
fn dressed(role: Role, frame: Frame) -> Frame {
    if role == Role::Server { frame.masked([0x5a, 0x01, 0xfe, 0x33]) } else { frame }
}
