//! Counts what each library allocates for a message. `peers --scenario library` builds and starts it.
//!
//! It is a program of its own because its allocator counts, which takes time that is not to be measured elsewhere.

use std::env;
use std::process::ExitCode;
use ws_peers::library::{allocation_table, allocations, chosen};

fn main() -> ExitCode {
    let names: Vec<_> = env::args().skip(1).collect();
    let measure = |body: &mut dyn FnMut()| {
        let info = allocation_counter::measure(body);
        (info.count_total, info.bytes_total)
    };
    match allocations(&chosen(&names), measure) {
        Ok(tables) => {
            for table in tables {
                println!("#### {}\n\n{}", table.task, allocation_table(&table));
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
