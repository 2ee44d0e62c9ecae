//! The text of files in `/proc`.

/// A line of `/proc` such as `VmRSS:      1234 kB`, in bytes.
pub(crate) fn kib(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(value.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}
