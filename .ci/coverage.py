#!/usr/bin/env python3
"""Which lines of ws-frame, ws-conn and ws-http no test runs, by what `.ci/run coverage` has measured.

    coverage.py --llvm FOLDER --profiles FOLDER --log FILE

Prints the lines that were not run and a figure for each crate, and fails if one is below what must hold. Tests that stand in
a source file are not counted, nor is what this machine does not compile.
"""

import argparse
import collections
import itertools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CRATES = ["ws-frame", "ws-conn", "ws-http"]
AT_LEAST = 95.0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--llvm", type=pathlib.Path, required=True, help="where llvm-profdata and llvm-cov are")
    parser.add_argument("--profiles", type=pathlib.Path, required=True, help="what the tests have written")
    parser.add_argument("--log", type=pathlib.Path, required=True, help="what cargo test has said: it names the programs")
    args = parser.parse_args()

    counts = measure(args.llvm, args.profiles, programs(args.log.read_text(errors="replace")))
    low = False
    for crate in CRATES:
        lines = run = 0
        for file, of_file in sorted(counts.items()):
            if file.is_relative_to(ROOT / "crates" / crate / "src"):
                lines += len(of_file)
                run += sum(count > 0 for count in of_file.values())
                show(file, [line for line, count in sorted(of_file.items()) if count == 0])
        share = 100 * run / lines
        low |= share < AT_LEAST
        print(f"coverage, {crate}: {run} of {lines} lines, {share:.2f} percent")
    if low:
        print(f"coverage: at least {AT_LEAST} percent must be run")
    return int(low)


def programs(log):
    """The test programs, and the examples that tests start."""
    tests = [pathlib.Path(path) for path in re.findall(r"^\s+Running .* \((\S+)\)$", log, re.MULTILINE)]
    examples = {test.parent.parent / "examples" for test in tests}
    return tests + [path for folder in examples for path in folder.glob("testee_*") if re.fullmatch(r"\w+", path.name)]


def measure(llvm, profiles, objects):
    """How often each line was run, by file."""
    merged = profiles / "merged.profdata"
    raw = [str(path) for path in profiles.glob("*.profraw")]
    # A program that is killed while it writes leaves a profile that cannot be read.
    subprocess.run([llvm / "llvm-profdata", "merge", "--failure-mode=all", "-o", merged, *raw], check=True)
    counts = collections.defaultdict(dict)
    for program in objects:
        # One at a time: of a function that several programs hold, llvm-cov believes the first, though it may be unused there.
        command = [llvm / "llvm-cov", "export", "--format=lcov", f"--instr-profile={merged}", program]
        report = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        add(report, counts)
    return counts


def add(report, counts):
    file, end = None, 0
    for record in report.splitlines():
        kind, _, value = record.partition(":")
        if kind == "SF":
            file = pathlib.Path(value)
            end = tests_of(file) if file.is_relative_to(ROOT / "crates") else 0
        elif kind == "DA":
            line, count = map(int, value.split(",")[:2])
            if line < end:
                counts[file][line] = max(count, counts[file].get(line, 0))


def tests_of(file):
    """The line at which a file's own tests begin."""
    if file.name == "proofs.rs":
        return 0
    lines = file.read_text(encoding="utf-8").splitlines()
    return next((at for at, line in enumerate(lines, 1) if line == "#[cfg(test)]"), len(lines) + 1)


def show(file, lines):
    for _, group in itertools.groupby(enumerate(lines), lambda pair: pair[1] - pair[0]):
        numbers = [line for _, line in group]
        text = file.read_text(encoding="utf-8").splitlines()[numbers[0] - 1].strip()
        span = f"{numbers[0]}-{numbers[-1]}" if numbers[1:] else f"{numbers[0]}"
        print(f"{file.relative_to(ROOT)}:{span}: {text}")


if __name__ == "__main__":
    sys.exit(main())
