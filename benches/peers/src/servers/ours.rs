//! Our server: `testee_server`, as everybody can build it.

use serde_json::Value;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Server, Style};
use crate::wire::Protocol;

/// Builds `testee_server` in the project that this harness lies in; answers where it is.
///
/// # Errors
///
/// When it does not build.
pub fn build() -> crate::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--package", "ws-stack", "--example", TESTEE]);
    build.arg("--message-format=json-render-diagnostics").arg("--manifest-path").arg(manifest);
    let output = build.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{TESTEE} does not build").into());
    }
    let lines = output.stdout.split(|&byte| byte == b'\n');
    let path = lines.filter_map(|line| serde_json::from_slice(line).ok()).find_map(|message| executable(&message));
    path.ok_or_else(|| format!("cargo does not say where {TESTEE} is").into())
}

/// The path of the testee, if a message of cargo's tells it.
fn executable(message: &Value) -> Option<PathBuf> {
    let ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == TESTEE;
    ours.then(|| message["executable"].as_str().map(Into::into)).flatten()
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_testee_is_where_cargo_says() {
        let message =
            |name: &str| json!({"reason": "compiler-artifact", "target": {"name": name}, "executable": "/t/e"});
        assert_eq!(executable(&message(TESTEE)), Some("/t/e".into()));
        assert_eq!(executable(&message("echo")), None);
        assert_eq!(executable(&json!({"reason": "build-finished", "success": true})), None);
    }
}
