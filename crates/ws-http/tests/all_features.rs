//! Without a feature its tests are not compiled. This one is, and says so.

#[test]
fn no_test_is_left_out_for_want_of_a_feature() {
    if !cfg!(all(feature = "blocking", feature = "tokio", feature = "http")) {
        panic!("tests are left out: run `cargo test -p ws-http --all-features`");
    }
}
