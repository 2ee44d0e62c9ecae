//! ws-stack beside other WebSocket libraries, measured on the machine of whoever asks: what the programs `peers` and `scale`
//! have in common. README.md says how to run them and what their rows mean.
#![forbid(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("the harness reads /proc, waits with epoll and pins to cores: it needs Linux");

pub mod artifact;
pub mod chart;
pub mod crowd;
pub mod crowds;
pub mod library;
pub mod load;
pub mod machine;
pub mod memory;
mod proc_text;
pub mod process;
pub mod progress;
pub mod report;
pub mod rounds;
pub mod scenario;
pub mod servers;
pub mod spread;
pub mod stats;
pub mod syscalls;
pub mod table;
pub mod wire;

/// What may go wrong in a program that reports and gives up.
pub type Result<T, E = Box<dyn core::error::Error>> = core::result::Result<T, E>;
