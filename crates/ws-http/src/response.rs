//! An ordinary HTTP answer, for what is not a WebSocket.

use crate::invalid::{Invalid, check_header};
use crate::names;

/// Writes a whole HTTP/1.1 response: delimited by its length, and the last on its connection (`Connection: close`).
///
/// `head_only` leaves the body out, for a request with the method HEAD.
///
/// # Errors
///
/// [`Invalid::Status`], [`Invalid::HeaderName`], [`Invalid::HeaderValue`], or [`Invalid::HandshakeHeader`] for
/// Connection, Content-Length and Transfer-Encoding, which are written here.
pub fn response(status: u16, headers: &[(&str, &str)], body: &[u8], head_only: bool) -> Result<Vec<u8>, Invalid> {
    if !matches!(status, 200..=203 | 206..=303 | 305..=599) {
        return Err(Invalid::Status);
    }
    for (name, value) in headers {
        check_header(name, value)?;
        let own = [names::CONNECTION, names::CONTENT_LENGTH, names::TRANSFER_ENCODING];
        if own.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            return Err(Invalid::HandshakeHeader);
        }
    }
    Ok(write_response(status, headers.iter().copied(), body, head_only))
}

/// Writes the head of a response of checked fields.
pub(crate) fn write_head<'h>(status: u16, fields: impl Iterator<Item = (&'h str, &'h str)>) -> Vec<u8> {
    let mut head = status_line(status);
    for (name, value) in fields {
        push_field(&mut head, name, value);
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Writes a whole response of checked parts. A Connection header is merged with `close`.
pub(crate) fn write_response<'h>(
    status: u16,
    headers: impl Iterator<Item = (&'h str, &'h str)>,
    body: &[u8],
    head_only: bool,
) -> Vec<u8> {
    let mut connection = String::from("close");
    let mut head = status_line(status);
    push_field(&mut head, names::CONTENT_LENGTH, &body.len().to_string());
    for (name, value) in headers {
        if name == names::CONNECTION {
            connection.push_str(", ");
            connection.push_str(value);
        } else {
            push_field(&mut head, name, value);
        }
    }
    push_field(&mut head, names::CONNECTION, &connection);
    head.push_str("\r\n");
    let mut out = head.into_bytes();
    if !head_only {
        out.extend_from_slice(body);
    }
    out
}

fn status_line(status: u16) -> String {
    format!("HTTP/1.1 {status} {}\r\n", phrase(status))
}

/// Appends one field line.
pub(crate) fn push_field(head: &mut String, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        head.push_str(part);
    }
}

/// Returns the reason phrase of RFC 9110 section 15 for the codes in use here; any other may go without.
const fn phrase(status: u16) -> &'static str {
    match status {
        101 => "Switching Protocols",
        200 => "OK",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        421 => "Misdirected Request",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}
