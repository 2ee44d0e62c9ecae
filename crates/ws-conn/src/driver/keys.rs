use crate::outbound::Keys;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use core::cell::RefCell;

/// Masking keys from a cryptographic generator of the thread, seeded by the operating system.
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source of entropy"
/// (RFC 6455, section 5.3)
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ThreadKeys;

impl Keys for ThreadKeys {
    fn key(&mut self) -> Option<[u8; 4]> {
        let key = GENERATOR.try_with(|generator| {
            let mut generator = generator.borrow_mut();
            if generator.is_none() {
                let mut seed = [0; 32];
                getrandom::fill(&mut seed).ok()?;
                *generator = Some(ChaCha12Rng::from_seed(seed));
            }
            generator.as_mut().map(|generator| generator.next_u32().to_ne_bytes())
        });
        // A thread that ends has no generator any more.
        key.ok().flatten()
    }
}

std::thread_local! {
    static GENERATOR: RefCell<Option<ChaCha12Rng>> = const { RefCell::new(None) };
}
