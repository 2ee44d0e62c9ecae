//! The server's decisions: whether a request came in time, and which answer it gets.

use core::time::Duration;

use super::error::Error;
use crate::head::RequestHead;
use crate::invalid::Invalid;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::response::response;
use crate::upgrade::Upgrade;
use crate::upgrade_response::UpgradeResponse;

/// What reading a request comes to, with so much time left for its answer.
pub(crate) fn in_time<T>(read: Result<T, Error>, left: Duration) -> Result<T, Error> {
    match read {
        // A head whose last byte comes with the deadline leaves no time to answer it.
        Ok(_) if left.is_zero() => Err(Rejection::Timeout.into()),
        Err(Error::Timeout) => Err(Rejection::Timeout.into()),
        read => read,
    }
}

/// Returns the response that the policy gives this request, with what `more` adds to it.
pub(crate) fn decide(
    head: &RequestHead,
    policy: &Policy,
    more: impl FnOnce(&Upgrade<'_, RequestHead>, &mut UpgradeResponse) -> Result<(), Error>,
) -> Result<UpgradeResponse, Error> {
    let upgrade = head.upgrade()?;
    let mut response = policy.decide(&upgrade)?;
    more(&upgrade, &mut response)?;
    Ok(response)
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
