#!/usr/bin/env python3
"""Fails if a test, a scenario or a file that the documentation names does not exist; prints how many it names.

What the documentation may say, outside of its code blocks:

    `ws-conn/tests/alloc.rs::send_does_not_allocate`          a test; files are named from crates/ or the root
    `::receive_does_not_allocate`                             another one, in the file that the row or paragraph named last
    `ws-conn/tests/scenarios/table/closes.rs::"gone at once"` a scenario of the table, by its name as it is written there
    `.ci/run::gate_loom`                                      a function of a script
    `ws-conn/src/shared.rs`                                   a file or a folder
    [anything](docs/memory.md)                                the same, from the page's own folder

Each rule of docs/rfc6455.md that concerns a client, a server or both names a test.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ["*.md", "docs/**/*.md", "crates/*/README.md", "benches/*.md", "fuzz/*.md"]
PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?")
FILE = re.compile(r"[\w.-]+(/[\w.-]+)+\.(rs|md|py|toml)")


def main():
    pages = sorted({page for pattern in PAGES for page in ROOT.glob(pattern) if not page.is_symlink()})
    named, files, errors = [], [], []
    for page in pages:
        lines = prose(page.read_text(encoding="utf-8"))
        last = None
        for number, line in lines:
            place = f"{page.relative_to(ROOT)}:{number}"
            if "``" in line or line.startswith("|") and line.count("`") % 2:
                errors.append(f"{place}: the backticks do not pair")
            tests = 0
            if not line or line.startswith("|"):
                last = None
            for span in re.findall(r"`([^`]+)`", line):
                path, separator, name = span.partition("::")
                if separator and name and (not path or FILE.fullmatch(path) or path == ".ci/run"):
                    tests += 1
                    last = resolve(path, page) if path else last
                    named.append((last, name))
                    if not last or not last.is_file() or not defines(last, name):
                        errors.append(f"{place}: there is no {span}")
                elif is_path(span, page):
                    files.append(span)
                    if not resolve(span, page):
                        errors.append(f"{place}: there is no file {span}")
            for target in re.findall(r"\]\(([^)\s]+)\)", line):
                target, _, heading = target.partition("#")
                if ":" in target:
                    continue
                files.append(target)
                file = page.parent / target if target else page
                if not file.exists():
                    errors.append(f"{place}: there is no file {target}")
                elif heading and file.suffix == ".md" and heading not in headings(file):
                    errors.append(f"{place}: {target} has no heading {heading}")
            if page.name == "rfc6455.md" and not tests and re.search(r"\| (client|server|both) \|", line):
                errors.append(f"{place}: a rule without a test")
    for error in errors:
        print(error)
    print(f"named: {len(set(named))} tests in {len(named)} places, {len(files)} files and folders, {len(pages)} pages")
    sys.exit(bool(errors) or not named)


def headings(page):
    """The names by which links find the headings of a page."""
    titles = re.findall(r"^#+ (.*)", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def prose(text):
    """The lines outside of code blocks, with their numbers."""
    code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            code = not code
        elif not code:
            yield number, line


def is_path(span, page):
    """Whether a span of code means a file: it ends like one, or begins with a folder that there is."""
    first, slash, _ = span.partition("/")
    placeholder = re.search(r"\b[A-Z]{4,}\b", span)
    return bool(FILE.fullmatch(span) or slash and PATH.fullmatch(span) and resolve(first, page)) and not placeholder


def resolve(path, page):
    """From the root, from crates/, or from the folder of a crate's own page."""
    bases = [ROOT, ROOT / "crates", page.parent]
    return next((base / path for base in bases if (base / path).exists()), None)


def defines(file, name):
    text = file.read_text(encoding="utf-8")
    if name.startswith('"'):
        return name in text
    if file.suffix != ".rs":
        return re.search(rf"^(def )?{name}\(", text, re.MULTILINE) is not None
    return name in tests_of(text)


def tests_of(text):
    """The test functions of a file that are not ignored, and those that macros make."""
    attributes = []
    for line in map(str.strip, text.splitlines()):
        function = re.match(r"(?:pub )?(?:async )?fn (\w+)", line)
        if line.startswith("#["):
            attributes.append(line)
        elif not line.startswith("//"):
            is_test = any(re.match(r"#\[(tokio::)?test\b", attribute) for attribute in attributes)
            if function and is_test and not any(line.startswith("#[ignore") for line in attributes):
                yield function[1]
            attributes = []
    for body in re.findall(r"\b(?:over_both_drivers|replay::tests)!\s*[({]([^)}]*)[)}]", text):
        yield from re.findall(r"\w+", body)


main()
