#!/usr/bin/env python3
"""Fails if source files import each other in a circle; names each circle and what ties it; prints how many files it has read.

A file stands above the files that it imports, so whoever reads it needs only what lies below. What counts as an import is a
`use` declaration, or a path in the code, that begins with `crate`, `super`, `self` or a module of the file. A name that a
module hands on (`pub use`) is followed to the file that defines it. Tests inside a file do not count. A module and its
submodules are parts of one idea (`inbound.rs` and `inbound/head.rs`), so ties between the two do not count either.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The root of each crate, from which its modules are found.
ROOTS = ["crates/*/src/lib.rs", "crates/*/examples/*.rs", "benches/src/lib.rs", "benches/*/src/lib.rs", "benches/*/src/main.rs",
         "benches/*/src/bin/*.rs", "fuzz/src/lib.rs", "fuzz/*/src/main.rs"]
ITEM = re.compile(r"^(?:pub(?:\([^)]*\))? )?(?:const |async |unsafe )*"
                  r"(?:struct|enum|union|trait|fn|type|const|static|macro_rules!|mod) (?:mut )?(\w+)", re.M)
MODULE = re.compile(r"^([ \t]*(?:#\[[^\]]*\]\s*)*)(?:pub(?:\([^)]*\))? )?mod (\w+);", re.M)
USE = re.compile(r"^[ \t]*(pub(?:\([^)]*\))? )?use ([^;]+);", re.M)
PATH = re.compile(r"(?<![\w:])(?:crate|super|self)(?:::\w+)+")


class Module:
    """A file of a crate: what it defines, what it hands on, and what it names of others."""

    def __init__(self, file, parent, text):
        self.file, self.parent, self.children = file, parent, {}
        self.items = set(ITEM.findall(text))
        uses = [(bool(use[0]), path) for use in USE.findall(text) for path in tree(re.sub(r"\s+", " ", use[1]))]
        self.handed_on = {name: path for public, (path, name) in uses if public}
        self.names = [path for _, (path, _) in uses] + [path.split("::") for path in PATH.findall(USE.sub("", text))]

    def ancestors(self):
        module = self
        while module:
            yield module
            module = module.parent


def main():
    modules, circles = [], []
    for pattern in ROOTS:
        for file in sorted(ROOT.glob(pattern)):
            crate = read(file, file.parent, None)
            modules += crate
            circles += tied(crate)
    for circle, ties in circles:
        print(f"circle of {len(circle)} files: {', '.join(sorted(str(module.file.relative_to(ROOT)) for module in circle))}")
        for user, used, names in ties:
            print(f"    {user.file.relative_to(ROOT)} -> {used.file.relative_to(ROOT)}: {', '.join(sorted(names))}")
    print(f"circles: {len({module.file for module in modules})} files, {len(circles)} circles")
    sys.exit(bool(circles))


def read(file, folder, parent):
    """The module in a file and all modules beneath it. `folder` is where its submodules lie."""
    text = plain(file.read_text(encoding="utf-8"))
    module = Module(file, parent, text)
    found = [module]
    for attributes, name in MODULE.findall(text):
        if "test" in attributes or "doctest" in attributes:
            continue
        path = re.search(r'path = "([^"]+)"', attributes)
        candidates = [file.parent / path[1]] if path else [folder / f"{name}.rs", folder / name / "mod.rs"]
        child = next((candidate for candidate in candidates if candidate.is_file()), None)
        if child:
            beneath = read(child, child.parent if child.name == "mod.rs" else child.parent / child.stem, module)
            module.children[name] = beneath[0]
            found += beneath
    return found


def plain(text):
    """The code alone: no comments, no strings but those of attributes, and no tests."""
    text = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r'(?<!path = )b?"(?:[^"\\]|\\.)*"', '""', text)
    tests = re.search(r"^#\[cfg\(test\)\]\s*mod \w+ \{", text, re.M)
    return text[: tests.start()] if tests else text


def tree(use):
    """Each path of a `use` declaration, with the name that it gets here."""
    use = use.strip()
    head, brace, rest = use.partition("{")
    if not brace:
        path, _, alias = use.partition(" as ")
        path = path.split("::")
        return [(path[:-1] if path[-1] == "self" else path, alias or path[-1])]
    inner, depth, part, parts = rest[: rest.rindex("}")], 0, "", []
    for char in inner + ",":
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    return [found for part in parts if part.strip() for found in tree(head + part.strip())]


def resolve(module, path, seen=()):
    """The module that defines what a path names, and the name; `None` for what is not of this crate."""
    here, rest = module, list(path)
    if rest[0] == "crate":
        here, rest = list(module.ancestors())[-1], rest[1:]
    elif rest[0] in ("self", "super"):
        while rest and rest[0] in ("self", "super"):
            here = here.parent if rest[0] == "super" else here
            rest = rest[1:]
            if not here:
                return None
    elif rest[0] not in here.children:
        return None
    while rest and rest[0] in here.children:
        here, rest = here.children[rest[0]], rest[1:]
    if not rest or rest[0] in here.items:
        return here, rest[0] if rest else "*"
    onward = here.handed_on.get(rest[0])
    if onward and (here, rest[0]) not in seen:
        return resolve(here, onward + rest[1:], (*seen, (here, rest[0]))) or (here, rest[0])
    return here, rest[0]


def tied(modules):
    """The circles among these modules, each with what ties it."""
    edges = {}
    for module in modules:
        edges[module] = {}
        for path in module.names:
            found = resolve(module, path)
            if found and module not in found[0].ancestors() and found[0] not in module.ancestors():
                edges[module].setdefault(found[0], set()).add(found[1])
    reached = {module: reachable(edges, module) for module in modules}
    circles, done = [], set()
    for module in modules:
        if module in reached[module] and module not in done:
            circle = {other for other in reached[module] if module in reached[other]}
            done |= circle
            circles.append((circle, [(a, b, names) for a in circle for b, names in edges[a].items() if b in circle]))
    return circles


def reachable(edges, start):
    found, todo = set(), [start]
    while todo:
        for other in edges[todo.pop()]:
            if other not in found:
                found.add(other)
                todo.append(other)
    return found


if __name__ == "__main__":
    main()
