//! Our server: `testee_server`, as everybody can build it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Server, Style};
use crate::artifact::built;
use crate::wire::Protocol;

/// Builds `testee_server` in the project that this harness lies in; answers where it is.
///
/// # Errors
///
/// When it does not build.
pub fn build() -> crate::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    built(TESTEE, &manifest, &["--package", "ws-stack", "--example", TESTEE])
}

/// Over tokio with `message` and `feed`; the same with `receive`, into a buffer of its own; and over blocking sockets.
pub fn servers(testee: &Path) -> Vec<Server> {
    [
        ("ws-stack", Style::Tokio, "--driver tokio --workers 1"),
        ("ws-stack+receive", Style::Tokio, "--driver tokio --workers 1 --echo receive"),
        ("ws-stack+blocking", Style::Threads, "--driver blocking"),
    ]
    .map(|(name, style, options)| {
        let mut command: Vec<OsString> = vec![testee.into(), "--listen".into(), "127.0.0.1:{port}".into()];
        // The connections of the memory test wait for all others.
        command.extend(["--idle", "600"].map(Into::into));
        command.extend(options.split(' ').map(Into::into));
        Server { name: name.into(), style, protocol: Protocol::WebSocket, command }
    })
    .into()
}

const TESTEE: &str = "testee_server";
