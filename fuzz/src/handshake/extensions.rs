use ws_http::{ExtensionList, Extensions, Malformed, Upgrade, UpgradeResponse, Version, is_token, tokens};

/// The grammar of Sec-WebSocket-Extensions: names, parameters and values are tokens; several lines are one list; what was
/// read can be written and means the same; a server can answer with any of it, and a list without parameters is a list of
/// tokens.
///
/// The input: the values of as many header lines as there are lines.
pub fn extensions(input: &[u8]) {
    let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let (read, end) = read(&lines);
    let joined = lines.join(&b", "[..]);
    assert_eq!(self::read(&[&joined]), (read.clone(), end), "lines may be split and combined");

    let mut list = ExtensionList::default();
    for (name, params) in &read {
        assert!(is_token(name.as_bytes()));
        assert!(params.iter().all(|(name, value)| {
            is_token(name.as_bytes()) && value.as_ref().is_none_or(|value| is_token(value.as_bytes()))
        }));
        list.push(name, params.iter().map(|(name, value)| (name.as_str(), value.as_deref()))).expect("it is tokens");
    }
    assert_eq!(list.is_empty(), read.is_empty());
    assert_eq!(self::read(&[list.as_str().as_bytes()]), (read.clone(), Ok(())), "it can be written");
    assert_answer(&lines, &read, end);
    for line in &lines {
        assert_tokens(line);
    }
}

type Owned = Vec<(String, Vec<(String, Option<String>)>)>;

/// What stands before the first error, and whether there is one.
fn read(lines: &[&[u8]]) -> (Owned, Result<(), Malformed>) {
    let mut owned = Vec::new();
    let mut extensions = Extensions::parse(lines.iter().copied());
    for extension in &mut extensions {
        let Ok(extension) = extension else {
            assert!(extensions.next().is_none(), "an error is the end");
            return (owned, Err(Malformed));
        };
        let params = extension.params().map(|(name, value)| (name.into(), value.map(Into::into)));
        owned.push((extension.name().into(), params.collect()));
    }
    (owned, Ok(()))
}

fn assert_answer(lines: &[&[u8]], read: &Owned, end: Result<(), Malformed>) {
    let fixed: [(&str, &[u8]); 5] = [
        ("Host", b"a"),
        ("Connection", b"Upgrade"),
        ("Upgrade", b"websocket"),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let offers = lines.iter().map(|line| ("Sec-WebSocket-Extensions", *line));
    let fields: Vec<_> = fixed.into_iter().chain(offers).collect();
    let upgrade = Upgrade::check("GET", Version::HTTP_11, &fields);
    assert_eq!(upgrade.is_ok(), end.is_ok(), "a malformed offer refuses the handshake");
    let Ok(upgrade) = upgrade else { return };
    assert!(upgrade.extensions().map(|extension| extension.name()).eq(read.iter().map(|(name, _)| name)));
    for (name, _) in read {
        let mut chosen = ExtensionList::default();
        chosen.push(name, []).expect("a token");
        assert!(UpgradeResponse::new(&upgrade).set_extensions(&upgrade, &chosen).is_ok());
        chosen.push(name, []).expect("a token");
        assert!(UpgradeResponse::new(&upgrade).set_extensions(&upgrade, &chosen).is_err(), "none comes twice");
    }
}

fn assert_tokens(line: &[u8]) {
    let list: Result<Vec<_>, _> = tokens(line).collect();
    let (read, end) = read(&[line]);
    let plain = end.is_ok() && read.iter().all(|(_, params)| params.is_empty());
    assert_eq!(list.is_ok(), plain);
    if let Ok(list) = list {
        assert!(list.iter().eq(read.iter().map(|(name, _)| name)));
    }
}
