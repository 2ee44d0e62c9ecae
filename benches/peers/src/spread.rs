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
    let share = conns.div_ceil(processes.unwrap_or(1).max(1));
    let allowed = raise_descriptors(share as u64 + RESERVED);
    Ok(shares(conns, enough(conns, processes, allowed)?))
}

/// How many processes it takes, if each may have so many descriptors.
fn enough(conns: usize, processes: Option<usize>, allowed: u64) -> Result<usize, String> {
    let room = usize::try_from(allowed.saturating_sub(RESERVED)).unwrap_or(usize::MAX);
    let least = if room == 0 { usize::MAX } else { conns.div_ceil(room).max(1) };
    let wanted = match processes {
        Some(processes) if processes >= least => return Ok(processes),
        None if least <= MOST => return Ok(least),
        Some(processes) => processes,
        None => MOST,
    };
    let needed = conns.div_ceil(wanted) as u64 + RESERVED;
    let instead = match least {
        ..=MOST => format!("`--processes {least}` works"),
        _ => format!("`--conns {}` works", room.saturating_mul(MOST)),
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

/// Parts that differ by one at most.
fn shares(conns: usize, processes: usize) -> Vec<Range<usize>> {
    (0..processes).map(|at| conns * at / processes..conns * (at + 1) / processes).collect()
}

/// The most processes of each side. With more of them than that, it is the processes that would be measured.
pub const MOST: usize = 64;

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
        assert!(enough(1, None, RESERVED).is_err());
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
