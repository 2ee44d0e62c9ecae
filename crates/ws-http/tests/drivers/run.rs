//! What the table asks of a driver, and what it learns.

use core::fmt::Debug;
use core::time::Duration;

use ws_conn::Timeouts;
use ws_http::{Error, Policy, RequestHead, Upgrade, UpgradeResponse};
use ws_testkit::transport::{Script, Transport};

/// The deadline of every handshake in the table.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);
pub(crate) const TIMEOUTS: Timeouts = Timeouts::new(TIMEOUT, TIMEOUT);

/// The default, with this deadline.
pub(crate) fn policy() -> Policy {
    Policy::default().timeout(TIMEOUT)
}

/// A handshake that has ended, one way or the other.
#[derive(Debug)]
pub(crate) struct Run<T> {
    pub(crate) result: Result<T, Error>,
    pub(crate) transport: Transport,
    /// How long it took.
    pub(crate) took: Duration,
}

impl<T: Debug> Run<T> {
    /// Time is up to the millisecond: that is what tokio's timers measure.
    pub(crate) fn assert_took(&self, time: Duration) {
        let late = self.took.checked_sub(time).unwrap_or_else(|| panic!("{self:?} before {time:?}"));
        assert!(late <= Duration::from_millis(3), "{self:?} after {time:?}");
    }
}

/// What a server has accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) protocol: Option<String>,
}

/// What a client asks for besides the URI.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ask {
    Protocol(&'static str),
    Origin(&'static str),
    Header(&'static str, &'static str),
    Cookie(&'static str, &'static str),
}

/// A caller's part in the response.
pub(crate) type Answer = fn(&Upgrade<'_, RequestHead>, &mut UpgradeResponse) -> Result<(), Error>;

/// A driver, run over scripts to the end. No call waits for time to pass.
pub(crate) trait Driver {
    fn accept(script: Script, policy: &Policy) -> Run<Accepted>;

    /// Accepts, and receives a first message, which is a text.
    fn accept_and_receive(script: Script, policy: &Policy) -> Run<String>;

    /// Reads a request and answers with a page.
    fn respond(script: Script, policy: &Policy, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Run<()>;

    /// Reads a request and answers it with a part of the caller's own. Returns the subprotocol.
    fn upgrade_with(script: Script, policy: &Policy, answer: Answer) -> Run<Option<String>>;

    /// Opens over the script, with `TIMEOUT` for the handshake.
    fn open_over(script: Script, uri: &str, asks: &[Ask]) -> Run<()>;

    /// Opens over TCP.
    fn open(uri: &str, asks: &[Ask]) -> Result<(), Error>;
}

/// Makes the `Connect` of a driver.
macro_rules! connect {
    ($connect:ident, $uri:expr, $asks:expr) => {
        $asks.iter().fold($connect::to($uri)?.handshake_timeout($crate::run::TIMEOUT), |connect, ask| match *ask {
            $crate::run::Ask::Protocol(name) => connect.subprotocol(name),
            $crate::run::Ask::Origin(origin) => connect.origin(origin),
            $crate::run::Ask::Header(name, value) => connect.header(name, value),
            $crate::run::Ask::Cookie(name, value) => connect.cookie(name, value),
        })
    };
}
pub(crate) use connect;

/// Makes a test of each of these functions for each driver.
macro_rules! over_both_drivers {
    ($($name:ident)+) => {
        #[cfg(feature = "blocking")]
        mod over_blocking {
            $(#[test] fn $name() { super::$name::<$crate::blocking::Blocking>(); })+
        }

        #[cfg(feature = "tokio")]
        mod over_tokio {
            $(#[test] fn $name() { super::$name::<$crate::tokio::Tokio>(); })+
        }
    };
}
pub(crate) use over_both_drivers;
