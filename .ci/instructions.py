#!/usr/bin/env python3
"""Counts the instructions of a message, case by case, and fails where they are more than 2 percent over what .ci/counts has.

    instructions.py PROGRAM          every case of benches/instructions
    instructions.py PROGRAM --write  prints the lines that .ci/counts is to have

A case runs twice under callgrind, with two numbers of messages. The difference is what the messages cost, without the start of
the program. Only instructions of user space count, so that they are the same on a busy machine; another compiler gives others.
"""

import re
import subprocess
import sys
from pathlib import Path

COUNTS = Path(__file__).resolve().parent / "counts"
FEW, MANY = 4_000, 12_000
# What a case may take over what is recorded.
TOLERANCE = 0.02


def main():
    program = sys.argv[1]
    lines = [line.split() for line in COUNTS.read_text(encoding="utf-8").splitlines()]
    known = {line[2]: float(line[1]) for line in lines if line[0] == "instructions"}
    cases = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    worse = 0
    for case in cases:
        each = (count(program, case, MANY) - count(program, case, FEW)) / (MANY - FEW)
        if "--write" in sys.argv:
            print(f"instructions {each:.1f} {case}", flush=True)
            continue
        if case not in known:
            print(f"{case}: {each:.1f} instructions, and nothing is recorded")
            worse += 1
            continue
        change = each / known[case] - 1
        verdict = "MORE than recorded" if change > TOLERANCE else "fewer: record it" if change < -TOLERANCE else ""
        worse += change > TOLERANCE
        print(f"{case}: {each:.1f} instructions, {change:+.1%} {verdict}".rstrip(), flush=True)
    if "--write" not in sys.argv:
        print(f"instructions: {len(cases)} cases, {worse} worse")
    sys.exit(bool(worse))


def count(program, case, messages):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, case, str(messages)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return int(re.search(r"Collected : (\d+)", said)[1])


if __name__ == "__main__":
    main()
