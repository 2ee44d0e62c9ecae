//! How connections are spread over processes, where one process may not have that many descriptors.

use core::ops::Range;
use std::fs;

use crate::machine::raise_descriptors;
use crate::memory::RESERVED;

/// The numbers of the connections that each process has, on either side; in one process if that may have them all.
///
/// The limit of descriptors is raised for it as far as it may be.
///
/// # Errors
///
/// When it takes more than [`MOST`] processes, or, if their number is given, when those would not do. The text says how to
/// raise the limit.
pub fn spread(conns: usize, processes: Option<usize>) -> Result<Vec<Range<usize>>, String> {
    let allowed = raise_descriptors(needed(conns, processes.unwrap_or(1)));
    Ok(shares(conns, enough(conns, processes, allowed)?))
}

/// How many processes it takes, if each may have so many descriptors.
fn enough(conns: usize, processes: Option<usize>, allowed: u64) -> Result<usize, String> {
    let least = (1..=MOST).find(|&processes| needed(conns, processes) <= allowed);
    let wanted = match (processes, least) {
        (Some(processes), _) if needed(conns, processes) <= allowed => return Ok(processes),
        (None, Some(least)) => return Ok(least),
        (processes, _) => processes.unwrap_or(MOST),
    };
    let needed = needed(conns, wanted);
    let room = allowed.saturating_sub(RESERVED);
    let instead = match (least, room * (room / PIPES).min(MOST as u64)) {
        (Some(least), _) => format!("`--processes {least}` works"),
        (None, 0) => "no number of connections works".into(),
        (None, most) => format!("`--conns {most}` works"),
    };
    let most_at_all = fs::read_to_string("/proc/sys/fs/nr_open");
    Err(format!(
        "{conns} connections in {wanted} processes of each side need {needed} descriptors in each of them, and this user may \
         have {allowed}.\nTo raise the limit, as administrator: `ulimit -Hn {needed}` in the shell that starts this program, \
         `LimitNOFILE=` of its service, `--ulimit nofile=` of its container, or a line in /etc/security/limits.conf; beyond \
         /proc/sys/fs/nr_open (here {}) that first.\nUnder the present limit {instead}.",
        most_at_all.as_ref().map_or("unknown", |text| text.trim())
    ))
}

/// The descriptors of a process that has its share of the connections, or of this one, which talks to all of them.
fn needed(conns: usize, processes: usize) -> u64 {
    let share = conns.div_ceil(processes.max(1)) as u64;
    share.max(processes as u64 * PIPES) + RESERVED
}

/// Parts that differ by one at most.
fn shares(conns: usize, processes: usize) -> Vec<Range<usize>> {
    (0..processes).map(|at| conns * at / processes..conns * (at + 1) / processes).collect()
}

/// The most processes of each side. With more of them than that, it is the processes that would be measured.
pub const MOST: usize = 64;

/// To a process of the load generator and from it.
const PIPES: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_has_all_connections_if_it_may() {
        assert_eq!(enough(100_000, None, 100_000 + RESERVED), Ok(1));
        assert_eq!(enough(100_000, None, u64::MAX), Ok(1));
        assert_eq!(enough(100_000, Some(3), u64::MAX), Ok(3));
    }

    #[test]
    fn as_many_processes_share_them_as_the_limit_makes_necessary() {
        assert_eq!(enough(100_000, None, 20_000), Ok(6));
        assert_eq!(enough(100_000, Some(8), 20_000), Ok(8));
        let limit = 1000 + RESERVED;
        assert_eq!(enough(64_000, None, limit), Ok(64));
        assert!(enough(64_001, None, limit).unwrap_err().ends_with("`--conns 64000` works."));
        assert!(enough(2001, Some(2), limit).unwrap_err().ends_with("`--processes 3` works."));
        assert!(enough(1, None, RESERVED).unwrap_err().ends_with("no number of connections works."));
        // The pipes to all processes are descriptors as well.
        assert_eq!(enough(100, Some(4), RESERVED + 30), Ok(4));
        assert!(enough(100, Some(16), RESERVED + 30).is_err());
        assert!(enough(1000, None, RESERVED + 30).unwrap_err().ends_with("`--conns 450` works."));
        assert_eq!(enough(450, None, RESERVED + 30), Ok(15));
    }

    #[test]
    fn shares_are_even_and_leave_nobody_out() {
        assert_eq!(shares(10, 3), [0..3, 3..6, 6..10]);
        let shares = shares(100_000, 6);
        assert!(shares.iter().all(|share| [16_666, 16_667].contains(&share.len())));
        assert!(shares.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!((shares[0].start, shares[5].end), (0, 100_000));
    }
}
