use crate::outbound::Keys;
use chacha20::ChaCha12Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use core::cell::RefCell;
use forkguard::Guard;

/// Masking keys from a cryptographic generator of the thread, seeded by the operating system.
///
/// "The masking key needs to be unpredictable; thus, the masking key MUST be derived from a strong source of entropy"
/// (RFC 6455, section 5.3)
///
/// A fork copies the generator. The child seeds its copy anew before it takes a key.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ThreadKeys;

impl Keys for ThreadKeys {
    fn key(&mut self) -> Option<[u8; 4]> {
        let key = GENERATOR.try_with(|generator| {
            let mut generator = generator.borrow_mut();
            if generator.as_mut().is_none_or(|(_, guard)| guard.detected_fork()) {
                *generator = seeded();
            }
            generator.as_mut().map(|(rng, _)| rng.next_u32().to_ne_bytes())
        });
        // A thread that ends has no generator any more.
        key.ok().flatten()
    }
}

/// Returns a generator with a seed from the operating system, and a guard that notices when the process has forked since.
#[cold]
fn seeded() -> Option<(ChaCha12Rng, Guard)> {
    let guard = Guard::try_new().ok()?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).ok()?;
    Some((ChaCha12Rng::from_seed(seed), guard))
}

std::thread_local! {
    static GENERATOR: RefCell<Option<(ChaCha12Rng, Guard)>> = const { RefCell::new(None) };
}
