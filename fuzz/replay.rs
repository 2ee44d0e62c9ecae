//! The corpus replayed by plain tests; included by `tests/corpus.rs` of the crates that are fuzzed.

use std::fs;
use std::path::{Path, PathBuf};

/// Runs a target over its corpus, and over each input cut short.
pub(crate) fn replay(target: &str, body: fn(&[u8])) {
    let corpus = fuzz().join("corpus").join(target);
    let inputs = files(&corpus);
    assert!(!inputs.is_empty(), "{} is empty", corpus.display());
    for path in inputs {
        let input = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        // The test harness shows the last of these lines if the body panics.
        println!("{target}/{name}");
        body(&input);
        for len in 0..input.len().min(SHORT) {
            println!("{target}/{name}, the first {len} bytes");
            body(&input[..len]);
        }
    }
}

/// Every target has a corpus and is replayed: those named here in this test program, the others in another one.
pub(crate) fn assert_complete(here: &[&str], elsewhere: &[&str]) {
    let mut replayed = [here, elsewhere].concat();
    replayed.sort_unstable();
    let targets = files(&fuzz().join("fuzz_targets"));
    let targets: Vec<_> = targets.iter().map(|path| path.file_stem().unwrap()).collect();
    assert_eq!(targets, replayed);
    let corpora = files(&fuzz().join("corpus"));
    let corpora: Vec<_> = corpora.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(corpora, replayed);
}

/// A test for each of these targets.
macro_rules! tests {
    ($targets:ident: $($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                replay::replay(stringify!($target), $targets::$target);
            }
        )*

        const REPLAYED: &[&str] = &[$(stringify!($target)),*];
    };
}
pub(crate) use tests;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Up to this many bytes of an input it is also cut short at each; by Miri, which takes its time, at none.
const SHORT: usize = if cfg!(miri) { 0 } else { 400 };
