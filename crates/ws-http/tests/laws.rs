//! Laws that hold for every input.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use ws_http::{
    ExtensionList, Extensions, Fields, HeadError, HeadReader, Key, Limits, Origin, OriginPolicy, RequestHead,
    ResponseHead, Uri, is_key, tokens,
};

const REQUEST: &[u8] = b"GET /chat?x HTTP/1.1\r\nHost: a\r\nX: one\r\nX:\r\nX: \t two \t\r\n\r\n\x81\x00\r\n\r\n";
const HEAD_LEN: usize = REQUEST.len() - 6;
const TOKEN: &str = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,8}";

/// How a head comes out of these reads: the outcome, and how many bytes were taken.
fn read(mut reader: HeadReader, reads: impl Iterator<Item = Vec<u8>>) -> (String, usize) {
    let mut taken = 0;
    for bytes in reads {
        match reader.push(&bytes) {
            Ok(None) => taken += bytes.len(),
            Ok(Some(len)) => return (format!("{:?}", RequestHead::parse(reader)), taken + len),
            Err(error) => return (format!("{error:?}"), 0),
        }
    }
    ("incomplete".into(), taken)
}

#[test]
fn a_head_cut_anywhere_is_the_same_head() {
    let reader = || HeadReader::request(Limits::default());
    let (whole, taken) = read(reader(), [REQUEST.to_vec()].into_iter());
    assert!(whole.starts_with("Ok("), "{whole}");
    assert_eq!(taken, HEAD_LEN);
    for first in 0..=REQUEST.len() {
        for second in first..=REQUEST.len() {
            let parts = [&REQUEST[..first], &REQUEST[first..second], &REQUEST[second..]].map(<[u8]>::to_vec);
            assert_eq!(read(reader(), parts.into_iter()), (whole.clone(), HEAD_LEN), "{first} {second}");
        }
    }
    assert_eq!(read(reader(), REQUEST.iter().map(|byte| vec![*byte])), (whole, HEAD_LEN));
}

#[test]
fn a_head_is_refused_at_the_byte_that_shows_it() {
    let request = || HeadReader::request(Limits::default());
    let response = || HeadReader::response(Limits::default());
    for (reader, good, bad) in [
        (request(), &b""[..], b' '),
        (request(), b"", b'\r'),
        (request(), b"", b'\x16'),
        (request(), b"GET", b'/'),
        (request(), &[b'X'; 32], b'X'),
        (request(), b"GET / HTTP/1.1", b'\n'),
        (request(), b"GET / HTTP/1.1\r", b'\r'),
        (request(), b"GET / HTTP/1.1\r\n", b' '),
        (request(), b"GET / HTTP/1.1\r\n", b'\n'),
        (request(), b"GET / HTTP/1.1\r\n", b':'),
        (request(), b"GET / HTTP/1.1\r\nX", b' '),
        (request(), b"GET / HTTP/1.1\r\nX", b'\r'),
        (request(), b"GET / HTTP/1.1\r\nX: a", b'\0'),
        (request(), b"GET / HTTP/1.1\r\nX: a", b'\x7f'),
        (request(), b"GET / HTTP/1.1\r\nX: a", b'\n'),
        (request(), b"GET / HTTP/1.1\r\nX: a\r", b'b'),
        (request(), b"GET / HTTP/1.1\r\nX: a\r\n\r", b'\r'),
        (response(), b"", b'S'),
        (response(), b"HTT", b'\r'),
    ] {
        let mut reader = reader;
        assert_eq!(reader.push(good), Ok(None), "{good:?}");
        assert_eq!(reader.push(&[bad]), Err(HeadError::Malformed), "{good:?} {bad}");
        assert_eq!(reader.push(b"\r\n\r\n"), Err(HeadError::Malformed), "{good:?} {bad}");
    }
}

#[test]
fn limits_hold_to_the_byte_and_to_the_line() {
    for bytes in 0..=HEAD_LEN + 1 {
        let (outcome, _) = read(HeadReader::request(Limits { bytes, fields: 4 }), [REQUEST.to_vec()].into_iter());
        assert_eq!(outcome == "TooLong", bytes < HEAD_LEN, "{bytes}: {outcome}");
    }
    for fields in 0..=5 {
        let (outcome, _) = read(HeadReader::request(Limits { bytes: 8192, fields }), [REQUEST.to_vec()].into_iter());
        assert_eq!(outcome == "TooManyFields", fields < 4, "{fields}: {outcome}");
    }
}

#[test]
fn a_head_gives_its_parts() {
    let mut reader = HeadReader::request(Limits::default());
    reader.push(REQUEST).unwrap();
    let head = RequestHead::parse(reader).unwrap();
    assert_eq!((head.method(), head.target(), head.path(), head.query()), ("GET", "/chat?x", "/chat", Some("x")));
    let fields: Vec<_> = head.headers().collect();
    assert_eq!(fields, [("Host", &b"a"[..]), ("X", b"one"), ("X", b""), ("X", b"two")]);
    assert_eq!(head.header("x"), Some(&b"one"[..]));
    assert_eq!(head.header("y"), None);
    assert!(!format!("{head:?}").contains("one"), "values may be secrets");
}

#[test]
fn a_value_outlives_the_name_it_was_asked_by() {
    let mut reader = HeadReader::request(Limits::default());
    reader.push(REQUEST).unwrap();
    let head = RequestHead::parse(reader).unwrap();
    let first = |name: String| head.header(&name);
    assert_eq!(first("HOST".to_lowercase()), Some(&b"a"[..]));
    let all = |name: String| head.all(&name).collect::<Vec<_>>();
    assert_eq!(all("X".to_lowercase()), [&b"one"[..], b"", b"two"]);
}

/// "Ergo, the following are equivalent" -- RFC 6455, section 9.1
#[test]
fn section_9_1_extensions_split_over_lines_are_one_list() {
    let named = |lines: &[&'static [u8]]| -> Vec<(String, usize)> {
        let list = Extensions::parse(lines.iter().copied()).map(Result::unwrap);
        list.map(|extension| (extension.name().to_string(), extension.params().count())).collect()
    };
    let split = named(&[b"foo", b"", b"bar; baz=2"]);
    assert_eq!(split, [("foo".to_string(), 0), ("bar".to_string(), 1)]);
    assert_eq!(named(&[b"foo, bar; baz=2"]), split);
}

proptest! {
    #[test]
    fn any_bytes_cut_anywhere_come_to_the_same(
        bytes in vec(prop_oneof![3 => any::<u8>(), 2 => Just(b'\r'), 2 => Just(b'\n'), 8 => b' '..b'~'], 0..120),
        prefix in prop_oneof![Just(""), Just("GET / HTTP/1.1\r\n"), Just("GET / HTTP/1.1\r\nHost: a\r\n")],
        chunk in 1usize..9,
        limit in 0usize..150,
    ) {
        let all = [prefix.as_bytes(), &bytes, b"\r\n\r\n"].concat();
        let reader = || HeadReader::request(Limits { bytes: limit, fields: 3 });
        let whole = read(reader(), [all.clone()].into_iter());
        prop_assert_eq!(read(reader(), all.chunks(chunk).map(<[u8]>::to_vec)), whole);
    }

    #[test]
    fn no_bytes_make_a_head_panic(bytes in vec(any::<u8>(), 0..200), start in 0usize..4) {
        let start = ["", "HTTP/1.1 101 x\r\n", "GET ", "GET / HTTP/1.1\r\nX: "][start];
        let all = [start.as_bytes(), &bytes, b"\r\n\r\n"].concat();
        let mut request = HeadReader::request(Limits::default());
        if request.push(&all).is_ok() && let Ok(head) = RequestHead::parse(request) {
            let _ = head.upgrade().map(|upgrade| upgrade.check_origin(&OriginPolicy::SameOrigin));
        }
        let mut response = HeadReader::response(Limits::default());
        if response.push(&all).is_ok() {
            let _ = ResponseHead::parse(response);
        }
    }

    #[test]
    fn extensions_parse_as_written(
        model in vec((TOKEN, vec((TOKEN, option::of(TOKEN)), 0..4)), 0..5)
    ) {
        let mut list = ExtensionList::default();
        for (name, params) in &model {
            list.push(name, params.iter().map(|(name, value)| (name.as_str(), value.as_deref()))).unwrap();
        }
        prop_assert_eq!(owned(list.as_str().as_bytes()), Some(model));
    }

    #[test]
    fn quotes_escapes_and_whitespace_change_nothing(
        name in TOKEN, param in TOKEN, value in TOKEN, escape in any::<u8>(), space in "[ \t]{0,3}"
    ) {
        let quoted: String = value
            .chars()
            .enumerate()
            .map(|(at, char)| if escape >> at & 1 == 1 { format!("\\{char}") } else { char.to_string() })
            .collect();
        let line = format!("{space},{space}{name}{space};{space}{param}{space}={space}\"{quoted}\"{space},");
        prop_assert_eq!(owned(line.as_bytes()), Some(vec![(name, vec![(param, Some(value))])]));
    }

    #[test]
    fn lists_parse_as_written(model in vec(TOKEN, 0..8), separator in "[ \t]{0,2},[ \t,]{0,3}") {
        let line = model.join(&separator);
        let parsed: Result<Vec<_>, _> = tokens(line.as_bytes()).collect();
        prop_assert_eq!(parsed.unwrap(), model);
    }

    #[test]
    fn any_nonce_is_a_key(nonce in any::<[u8; 16]>()) {
        prop_assert!(is_key(Key::from_nonce(nonce).as_bytes()));
    }

    #[test]
    fn origins_and_uris_parse_as_written(text in "(http|https|ws|wss|app)://[a-zA-Z0-9.:@/?#\\[\\]-]{0,12}") {
        if let Ok(origin) = text.parse::<Origin>() {
            prop_assert_eq!(origin.to_string().parse(), Ok(origin.clone()));
            prop_assert_eq!(text.to_ascii_uppercase().parse(), Ok(origin));
        }
        if let Ok(uri) = text.parse::<Uri>() {
            prop_assert_eq!(uri.to_string().parse(), Ok(uri));
        }
    }
}

type Owned = Vec<(String, Vec<(String, Option<String>)>)>;

fn owned(line: &[u8]) -> Option<Owned> {
    Extensions::parse([line].into_iter())
        .map(|extension| {
            let extension = extension.ok()?;
            let params = extension.params().map(|(name, value)| (name.into(), value.map(Into::into)));
            Some((extension.name().into(), params.collect()))
        })
        .collect()
}
