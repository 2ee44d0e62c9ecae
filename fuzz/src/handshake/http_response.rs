//! The client's side of the opening handshake, given any bytes.

use super::reading::{head, limits, lines, read};
use crate::input::Input;
use ws_http::{ExtensionList, Fields, HeadReader, Key, Limits, Refused, Request, ResponseHead, Uri, Version};

/// A response head comes to the same in any pieces, is what stands there, can be written again, and is taken for an answer
/// to a request only if it answers that request and names nothing that was not offered.
///
/// The input: limits (255: the default), the sizes of pieces (counted), the bytes of the wire. The request is that of the
/// example in RFC 6455, section 1.3, with an offer of permessage-deflate.
pub fn http_response(input: &[u8]) {
    let mut input = Input::new(input);
    let limits = limits(&mut input);
    let sizes = input.counted();
    let bytes = input.rest();
    let Ok(Some((reader, taken))) = read(&HeadReader::response(limits), limits, bytes, sizes) else { return };
    let Ok(response) = ResponseHead::parse(reader) else { return };

    let (first, fields) = lines(&bytes[..taken]);
    let status = response.status();
    // A reason phrase in bytes that are no UTF-8 leaves the line out.
    assert!(first.is_empty() || first.starts_with(&format!("HTTP/1.1 {status}")), "{first:?}");
    assert!((100..=999).contains(&status));
    assert_eq!(response.is_interim(), status < 200 && status != 101);
    assert!(response.headers().eq(fields.iter().copied()));

    let again = head(&format!("HTTP/1.1 {status} "), response.headers());
    let mut reader = HeadReader::response(Limits { bytes: 1 << 20, fields: 1 << 12 });
    assert_eq!(reader.push(&again), Ok(Some(again.len())));
    let again = ResponseHead::parse(reader).expect("what was accepted can be written");
    assert!(again.status() == status && again.headers().eq(response.headers()));

    check(&response);
}

fn check(response: &ResponseHead) {
    let uri: Uri = "ws://server.example.com/chat".parse().expect("a URI");
    let mut offers = ExtensionList::default();
    offers.push("permessage-deflate", [("client_max_window_bits", None)]).expect("tokens");
    let request = Request::new(&uri)
        .protocol("chat")
        .and_then(|request| request.protocol("superchat"))
        .expect("tokens that differ")
        .extensions(offers);
    let key = Key::from_nonce(*b"the sample nonce");

    let accept = response.header("sec-websocket-accept") == Some(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    match request.check(&key, Version::HTTP_11, response.status(), response) {
        Ok(agreed) => {
            assert!(response.status() == 101 && accept);
            assert!(response.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case(b"websocket")));
            assert_eq!(response.all("transfer-encoding").count(), 0);
            assert!(matches!(agreed.protocol(), None | Some("chat" | "superchat")));
            assert_eq!(agreed.protocol().map(str::as_bytes), response.header("sec-websocket-protocol"));
            let extensions: Vec<_> = agreed.extensions().map(|extension| extension.name()).collect();
            assert!(matches!(extensions[..], [] | ["permessage-deflate"]), "{extensions:?}");
        }
        Err(Refused::Status(status)) => assert!(status == response.status() && status != 101),
        Err(Refused::Accept) => {
            assert!(!accept || response.all("sec-websocket-accept").count() > 1);
        }
        Err(_) => assert!(response.status() == 101 && accept),
    }
}
