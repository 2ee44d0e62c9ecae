# What the gates in .ci/run stand on: skipping and failing, counting, tools that are installed, the table at the end.

# ---- a gate ends -----------------------------------------------------------------------------------------------------

readonly skipped=77

# Ends the gate: its tool cannot be had.
skip() {
    echo "$1" >"$work/reason"
    exit $skipped
}

# Ends the gate: it has failed, and why.
fail() {
    echo "$1" | tee "$work/reason" >&2
    exit 1
}

# Says that the gate has looked at $1 things of the kind $2. Fewer than .ci/counts has for it are a failure: what is no
# longer looked at must not pass unseen. To record another number, write it there.
counted() {
    local count=$1 what=$2 recorded
    recorded=$(awk -v gate="$gate" -v what="$what" '$1 == gate && $3 == what { print $2 }' "$root/.ci/counts")
    [[ $count =~ ^[0-9]+$ ]] || fail "the $what could not be counted"
    [[ -n $recorded ]] || fail "no count is recorded: write the line '$gate $count $what' into .ci/counts"
    ((count >= recorded)) ||
        fail "$count $what, and $recorded are recorded: if so many are meant to be gone, write '$gate $count $what' into .ci/counts"
    ((count == recorded)) || echo "$gate: more $what than recorded: write '$gate $count $what' into .ci/counts"
    echo "$count $what" >>"$work/counted"
}

# The sum of the numbers before the word $1 in the file $2: tests that "passed", say.
sum() {
    { grep -oE "\b[0-9]+ $1\b" "$2" || true; } | awk '{ sum += $1 } END { print sum + 0 }'
}

# How many packages the lock file has.
locked() {
    grep -c '^\[\[package\]\]$' Cargo.lock
}

# How many targets of the workspace are of the kind $1: lib, bin; or of any.
targets() {
    cargo metadata --no-deps --format-version 1 | grep -oE "\"crate_types\":\[\"${1:-[a-z-]+}\"" | wc -l
}

# ---- tools -----------------------------------------------------------------------------------------------------------

have() {
    command -v "$1" >/dev/null
}

# Asked of rustup, because naming a toolchain that is missing would install it.
have_nightly() {
    have rustup && rustup toolchain list | grep '^nightly' >/dev/null
}

# Runs a command for at most so many seconds.
within() {
    local seconds=$1
    shift
    timeout --kill-after=10 "$seconds" "$@"
}

# Installs the subcommand $1 of cargo in version $2, unless it is there.
install_cargo() {
    [[ $(cargo "$1" --version 2>/dev/null) == "cargo-$1 $2" ]] && return
    CARGO_TARGET_DIR="$work/install-target" within 900 \
        cargo install --quiet --locked --version "$2" --root "$work/cargo" "cargo-$1" ||
        skip "cargo-$1 $2 cannot be installed"
    rm -rf "$work/install-target"
}

# Installs the package $2 of Python in version $3 into .work/$1: an environment of its own, for what one package needs is
# no affair of another.
install_python() {
    local venv="$work/$1"
    have python3 || skip "python3 is missing"
    [[ -x $venv/bin/pip ]] || within 120 python3 -m venv --clear "$venv" || skip "a Python venv cannot be made"
    within 300 "$venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "$2==$3" ||
        skip "$2 $3 cannot be installed"
}

# Installs the program $1 as the system's package of that name.
install_debian() {
    have "$1" && return
    have apt-get && ((EUID == 0)) || skip "$1 is missing, and only root can install it"
    { within 120 apt-get update && within 600 apt-get install -y --no-install-recommends "$1"; } \
        &>"$work/$1.log" || skip "$1 cannot be installed: see $work/$1.log"
}

# ---- steps of gates --------------------------------------------------------------------------------------------------

# Formatting as cargo fmt checks it; what it says of each file goes to a log, to be counted.
formatted() {
    cargo fmt "$@" --check -- --verbose | tee -a "$work/fmt.log" | sed -E '/^(Formatting|Spent|Using) /d'
}

# The names of the crates that are published.
published() {
    grep -L '^publish = false$' crates/*/Cargo.toml | cut -d / -f 2
}

# One line for each published crate and set of its features: "default" only stands for others.
feature_sets() {
    cargo metadata --no-deps --format-version 1 | python3 -c '
import itertools, json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["publish"] is None:
        features = sorted(package["features"].keys() - {"default"})
        for count in range(len(features) + 1):
            for some in itertools.combinations(features, count):
                print(package["name"], ",".join(some))'
}

# A check that also refuses warnings, of the crate itself and of no other.
check() {
    echo "check $*"
    within 300 cargo clippy --quiet -p "$@" -- -D warnings
}

# Tests in the interpreter, for the target $1. Files are read (the corpus), and proptest draws few cases: it takes a
# thousand times as long.
under_miri() {
    local target=$1
    shift
    echo "miri, $target: $*"
    MIRIFLAGS='-Zmiri-disable-isolation' PROPTEST_CASES=8 PROPTEST_DISABLE_FAILURE_PERSISTENCE=true \
        CARGO_TARGET_DIR="$CARGO_TARGET_DIR/miri" within 1800 cargo +nightly miri test --target "$target" "$@" |
        tee -a "$work/miri.log"
}

# Tests with the address sanitizer, for the target $1. A small quarantine of what was freed: the memory of the tests is large.
under_asan() {
    local target=$1
    shift
    ASAN_OPTIONS=quarantine_size_mb=16 WS_SEEDS=200 RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR="$CARGO_TARGET_DIR/asan" \
        CARGO_PROFILE_TEST_DEBUG=line-tables-only within 900 cargo +nightly test --all-features --target "$target" "$@" |
        tee -a "$work/asan.log"
}

# Says what a fuzz target found (its first words) and how to see it again (the last ones).
fuzz_failed() {
    grep -E -A 2 'panicked at|ERROR:' "$2" | head -n 12
    tail -n 30 "$2"
    fail "$1 found something, or did not run: see above, and $2"
}

# Fails unless the archive $1 links without any library and holds the functions $2 and so on. Memory functions are given to
# it: compilers call them of themselves, and every target has them. So is the unwinder's name, which the sysroot's core
# library mentions and panic=abort never calls.
needs_nothing() {
    local archive=$1 members given=() said name
    shift
    members=$(ar t "$archive" 2>/dev/null | grep -E '^(std|alloc)-' || true)
    [[ -z $members ]] || fail "$(basename "$archive") holds $members"
    for name in memcpy memmove memset memcmp bcmp rust_eh_personality; do
        given+=("--defsym=$name=0")
    done
    said=$(ld -shared -z defs --whole-archive "${given[@]}" "$archive" -o "$work/no_std.so" 2>&1) ||
        fail "$(basename "$archive") does not link alone: $(undefined <<<"$said")"
    for name in "$@"; do
        nm "$work/no_std.so" | grep " T $name\$" >/dev/null || fail "$(basename "$archive") does not hold $name"
    done
}

# What the linker missed, on one line.
undefined() {
    grep -o 'undefined reference.*' | sort -u | paste -sd ';' || true
}

# ---- the wrapper -----------------------------------------------------------------------------------------------------

failures=0
table=()

# Runs one gate in a shell of its own and notes what came of it. `gate` is its name, which `counted` reads.
run_gate() {
    local gate=$1 status result started=$SECONDS
    printf '\n==== %s ====\n' "$gate"
    rm -f "$work/reason" "$work/counted"
    # Not in a condition: there `set -e` would be off inside the gate.
    set +e
    (set -e; "gate_$gate"; [[ -s $work/counted ]] || fail "it has counted nothing")
    status=$?
    set -e
    case $status in
        0) result="passed: $(paste -sd , "$work/counted" | sed 's/,/, /g')" ;;
        "$skipped") result="SKIPPED: $(<"$work/reason")" ;;
        *)
            result="FAILED with $status"
            [[ ! -s $work/reason ]] || result="FAILED: $(<"$work/reason")"
            failures=$((failures + 1))
            ;;
    esac
    table+=("$(printf '%-12s %5d s  %s' "$gate" $((SECONDS - started)) "$result")")
    printf '%s\n' "---- $gate: $result"
}

print_table() {
    printf '\n==== gates ====\n'
    printf '%s\n' "${table[@]}"
}
