//! Uses the frame codec and the state machine where there is neither std nor an allocator. Nobody runs this; that it
//! links is the point.
#![no_std]

use core::panic::PanicInfo;

pub mod frames;
pub mod machine;

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
