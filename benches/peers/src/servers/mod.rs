//! The servers: ours, the peers', raw ones, and any that the command line names.

mod accept;
mod ours;
mod peers;
mod raw;

pub use ours::{build, servers as ours};

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::env;
use std::ffi::OsString;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::Instant;

use crate::process::{Child, launcher};
use crate::wire::{PATIENCE, Protocol};

/// An echo server that can be started.
#[derive(Clone, Debug)]
pub struct Server {
    /// What it is called in the tables.
    pub name: String,
    /// What it is compared with.
    pub style: Style,
    /// What it speaks.
    pub protocol: Protocol,
    /// Its command line. Where a word holds `{port}`, the port goes there.
    command: Vec<OsString>,
}

/// How a server waits for its connections. A raw echo of each style shows what the style allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A task for each connection, on tokio with one thread.
    Tokio,
    /// A thread for each connection, on blocking sockets.
    Threads,
}

impl Style {
    /// The name of the raw echo of this style.
    pub const fn raw(self) -> &'static str {
        match self {
            Self::Tokio => "raw-tokio",
            Self::Threads => "raw-threads",
        }
    }
}

/// A server that runs, until this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Its process.
    pub child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// A server that this program is itself, when it is called as [`serve_if_asked`] says.
    fn own(name: &str, style: Style, protocol: Protocol) -> io::Result<Self> {
        let command = vec![env::current_exe()?.into(), SERVE.into(), name.into(), "{port}".into()];
        Ok(Self { name: name.into(), style, protocol, command })
    }

    /// A server of whoever asks, as the command line names it: `name=command {port}`.
    ///
    /// # Errors
    ///
    /// When it names no server, no command, or no place for the port.
    pub fn extra(text: &str) -> Result<Self, String> {
        let (name, command) = text.split_once('=').ok_or("not name=command")?;
        if name.trim().is_empty() || !command.contains(PORT) {
            return Err(format!("the name is missing, or the command has no {PORT}"));
        }
        let command: Vec<OsString> = command.split_whitespace().map(Into::into).collect();
        let name = name.trim().into();
        Ok(Self { name, style: Style::Tokio, protocol: Protocol::WebSocket, command })
    }

    /// Starts it on a free port, under a tracer if one is given, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it does not.
    pub fn start(&self, tracer: &[OsString], core: Option<usize>) -> io::Result<Running> {
        let address = free_address()?;
        let port = address.port().to_string();
        let own = self.command.iter().map(|word| match word.to_str() {
            Some(text) => text.replace(PORT, &port).into(),
            None => word.clone(),
        });
        let mut command = tracer.to_vec();
        if !tracer.is_empty() {
            // A tracer that is killed would let it go.
            command.push(env::current_exe()?.into());
            command.extend(launcher(None, None).map(Into::into));
        }
        command.extend(own);
        let mut child = Child::start(&command, core)?;
        let started = Instant::now();
        // It gets a connection for nothing, which also pays for what a server needs once.
        while TcpStream::connect_timeout(&address, PATIENCE).is_err() {
            if let Some(status) = child.ended()? {
                return Err(io::Error::other(format!("has not started: {status}")));
            }
            if started.elapsed() > PATIENCE {
                return Err(io::Error::other(format!("does not listen on {address}")));
            }
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(SETTLE);
        Ok(Running { child, address })
    }
}

/// All servers but extra ones: the raw ones first, ours, and the peers.
///
/// # Errors
///
/// When this program does not know where it lies.
pub fn all(testee: &Path) -> io::Result<Vec<Server>> {
    let mut servers = Vec::new();
    for (name, style, _) in raw::SERVERS {
        servers.push(Server::own(name, style, Protocol::Raw)?);
    }
    servers.extend(ours(testee));
    for (name, style, _) in peers::SERVERS {
        servers.push(Server::own(name, style, Protocol::WebSocket)?);
    }
    Ok(servers)
}

/// Becomes the server that [`Server::start`] put on the command line of this program; answers only when it is none, or ends.
pub fn serve_if_asked() -> Option<io::Error> {
    let args = env::args_os().map(OsString::into_string).collect::<Result<Vec<_>, _>>().ok()?;
    let [_, serve, name, port] = &args[..] else { return None };
    if serve != SERVE {
        return None;
    }
    let known = raw::SERVERS.iter().chain(&peers::SERVERS).find(|(known, ..)| known == name);
    let (Some((_, _, serve)), Ok(port)) = (known, port.parse()) else {
        return Some(io::ErrorKind::InvalidInput.into());
    };
    // Only this machine may connect.
    serve((Ipv4Addr::LOCALHOST, port).into()).err()
}

type Serve = fn(SocketAddr) -> io::Result<()>;

/// A port that nobody listens on. Another process might take it before the server does; the server says so then.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The first argument of this program as a server.
const SERVE: &str = "serve";

const PORT: &str = "{port}";

/// The time a server is given to be done with what it does at its start.
const SETTLE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extra_server_is_a_name_and_a_command_with_a_port() {
        let server = Server::extra("go=./echo --listen 127.0.0.1:{port}").unwrap();
        assert_eq!(server.name, "go");
        assert_eq!(server.command, ["./echo", "--listen", "127.0.0.1:{port}"]);
        for wrong in ["echo {port}", "=echo {port}", "go=", "go=echo 9001"] {
            assert!(Server::extra(wrong).is_err(), "{wrong}");
        }
    }
}
