#!/usr/bin/env python3
"""What became of the mutants: how many of each crate the tests catch, and whether those they do not are argued.

    mutants.py FOLDER

FOLDER has the output of cargo-mutants, a folder CRATE.PASS for each pass: a mutant is caught if one pass catches it. Fails
below what must hold of a crate, and if docs/mutants.md does not have just the survivors. There they are list items: the mutant
as cargo-mutants calls it, without the place in the file, and how often if more than once:

    - `ws-frame/src/header.rs: replace | with ^ in Header::encode` × 5
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CRATES = ["ws-frame", "ws-conn", "ws-http"]
AT_LEAST = 95.0


def main():
    folder = pathlib.Path(sys.argv[1])
    argued = collections.Counter()
    for name, times in re.findall(r"^\s*- `([^`]+)`(?: × (\d+))?", (ROOT / "docs/mutants.md").read_text(), re.MULTILINE):
        argued[name] += int(times or 1)
    failed = False
    for crate in CRATES:
        passes = sorted(folder.glob(f"{crate}.*/mutants.out"))
        hung = set().union(*(outcomes(one, "timeout") for one in passes))
        caught = hung.union(*(outcomes(one, "caught") for one in passes))
        survivors = set().union(*(outcomes(one, "missed") for one in passes)) - caught
        names = collections.Counter(placeless(mutant) for mutant in survivors)
        for name, times in sorted((names - argued).items()):
            print(f"{times} survives, and docs/mutants.md does not say why: {name}")
            failed = True
        for name in sorted(name for name in argued if name.startswith(f"{crate}/") and argued[name] > names[name]):
            print(f"{argued[name] - names[name]} is caught by now or not tried, and docs/mutants.md has it: {name}")
            failed = True
        tried = len(caught | survivors)
        share = 100 * len(caught) / tried if tried else 0
        failed |= share < AT_LEAST
        print(f"mutants, {crate}: {len(caught)} of {tried} caught, {len(hung)} of them hung, {share:.1f} percent")
    if failed:
        print(f"mutants: at least {AT_LEAST} percent must be caught, and each of the others argued")
    return int(failed)


def outcomes(folder, name):
    """The mutants of one outcome; those that do not compile are none."""
    return set((folder / f"{name}.txt").read_text().splitlines())


def placeless(mutant):
    """The mutant without the place in the file, which every edit above it would change."""
    return re.sub(r"^crates/(\S+?\.rs):\d+:\d+:", r"\1:", mutant)


if __name__ == "__main__":
    sys.exit(main())
