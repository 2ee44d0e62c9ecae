//! Programs that cargo builds for a run.

use serde_json::Value;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;

/// Builds a program with these options of `cargo build`; answers where it is.
///
/// # Errors
///
/// When it does not build.
pub fn built(name: &str, manifest: &Path, options: &[&str]) -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--message-format=json-render-diagnostics"]);
    let output = build.args(options).arg("--manifest-path").arg(manifest).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{name} does not build").into());
    }
    let lines = output.stdout.split(|&byte| byte == b'\n');
    let path =
        lines.filter_map(|line| serde_json::from_slice(line).ok()).find_map(|message| executable(name, &message));
    path.ok_or_else(|| format!("cargo does not say where {name} is").into())
}

/// The path of the program, if a message of cargo's tells it.
fn executable(name: &str, message: &Value) -> Option<PathBuf> {
    let named = message["reason"] == "compiler-artifact" && message["target"]["name"] == name;
    named.then(|| message["executable"].as_str().map(Into::into)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_program_is_where_cargo_says() {
        let message =
            |name: &str| json!({"reason": "compiler-artifact", "target": {"name": name}, "executable": "/t/e"});
        assert_eq!(executable("testee", &message("testee")), Some("/t/e".into()));
        assert_eq!(executable("testee", &message("echo")), None);
        assert_eq!(executable("testee", &json!({"reason": "build-finished", "success": true})), None);
    }
}
