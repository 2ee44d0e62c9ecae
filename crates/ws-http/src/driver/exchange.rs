//! The server's decisions: whether a request came in time, whether it becomes a WebSocket, and which answer says so.

use core::time::Duration;

use super::error::Error;
use super::policy::Policy;
use crate::head::RequestHead;
use crate::invalid::Invalid;
use crate::rejection::Rejection;
use crate::response::response;
use crate::server::{Upgrade, choose_protocol};
use crate::switching::Switching;

/// What reading a request comes to, with so much time left for its answer.
pub(crate) fn in_time<T>(read: Result<T, Error>, left: Duration) -> Result<T, Error> {
    match read {
        // A head whose last byte comes with the deadline leaves no time to answer it.
        Ok(_) if left.is_zero() => Err(Rejection::Timeout.into()),
        Err(Error::Timeout) => Err(Rejection::Timeout.into()),
        read => read,
    }
}

/// Returns the 101 and the subprotocol in it.
pub(crate) fn decide(
    head: &RequestHead,
    policy: &Policy,
    answer: impl FnOnce(&Upgrade<'_, RequestHead>, &mut Switching<'_, '_, RequestHead>) -> Result<(), Error>,
) -> Result<(Vec<u8>, Option<String>), Error> {
    let upgrade = head.upgrade()?;
    if let Some(hosts) = &policy.hosts {
        upgrade.check_host(hosts)?;
    }
    upgrade.check_origin(&policy.origin)?;
    let protocol = choose_protocol(&policy.protocols, upgrade.protocols());
    let mut switching = Switching::new(&upgrade);
    if let Some(protocol) = protocol {
        switching.protocol(protocol)?;
    }
    for (name, value) in &policy.headers {
        switching.header(name, value)?;
    }
    answer(&upgrade, &mut switching)?;
    Ok((switching.to_bytes(), protocol.map(String::from)))
}

/// Returns the answer that tells the client of this error, if it is one to be told, to a request of which the head is
/// known or not.
pub(crate) fn refusal(error: &Error, head: Option<&RequestHead>) -> Option<Vec<u8>> {
    match error {
        Error::Rejected(rejection) if head.is_some_and(is_head) => Some(rejection.response_to_head()),
        Error::Rejected(rejection) => Some(rejection.response()),
        _ => None,
    }
}

/// Returns the page that answers the request.
pub(crate) fn page(head: &RequestHead, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Result<Vec<u8>, Invalid> {
    response(status, headers, body, is_head(head))
}

fn is_head(head: &RequestHead) -> bool {
    head.method() == "HEAD"
}
