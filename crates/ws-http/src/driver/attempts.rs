//! The addresses of a host, one after the other.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::vec;

use super::error::Error;

/// The addresses that are left to try, and why the last one failed.
pub(crate) struct Attempts {
    addresses: vec::IntoIter<SocketAddr>,
    last: io::Error,
}

impl Attempts {
    pub(crate) fn new(addresses: impl Iterator<Item = SocketAddr>) -> Self {
        let addresses: Vec<SocketAddr> = addresses.collect();
        Self { addresses: addresses.into_iter(), last: io::ErrorKind::NotFound.into() }
    }

    /// Returns the next address and its equal share of the time that is left; an error when there is no more of either.
    pub(crate) fn next(&mut self, left: Duration) -> Result<(SocketAddr, Duration), Error> {
        let untried = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        let Some(address) = self.addresses.next() else { return Err(self.give_up()) };
        match left.checked_div(untried) {
            Some(share) if !share.is_zero() => Ok((address, share)),
            _ => Err(Error::Timeout),
        }
    }

    /// Notes why the address did not answer.
    pub(crate) fn failed(&mut self, error: io::Error) {
        self.last = error;
    }

    fn give_up(&mut self) -> Error {
        match self.last.kind() {
            io::ErrorKind::TimedOut => Error::Timeout,
            kind => core::mem::replace(&mut self.last, kind.into()).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn attempts(addresses: u16) -> Attempts {
        Attempts::new((1..=addresses).map(|port| ([127, 0, 0, 1], port).into()))
    }

    #[test]
    fn each_address_gets_an_equal_share_of_what_the_others_have_left() {
        let mut attempts = attempts(3);
        assert_eq!(attempts.next(SECOND * 9).unwrap().1, SECOND * 3);
        assert_eq!(attempts.next(SECOND * 8).unwrap().1, SECOND * 4);
        assert_eq!(attempts.next(SECOND * 8).unwrap(), (([127, 0, 0, 1], 3).into(), SECOND * 8));
    }

    #[test]
    fn no_time_is_a_timeout_and_no_address_the_failure_of_the_last() {
        assert!(matches!(attempts(1).next(Duration::ZERO), Err(Error::Timeout)));
        assert!(matches!(attempts(0).next(SECOND), Err(Error::Io(error)) if error.kind() == io::ErrorKind::NotFound));
        let mut refused = attempts(0);
        refused.failed(io::Error::other("refused"));
        assert!(matches!(refused.next(SECOND), Err(Error::Io(error)) if error.to_string() == "refused"));
        let mut silent = attempts(0);
        silent.failed(io::ErrorKind::TimedOut.into());
        assert!(matches!(silent.next(SECOND), Err(Error::Timeout)));
    }
}
