#!/usr/bin/env python3
"""Runs the conformance suite (kosoku, the Autobahn cases) against the two testees and reads its report strictly.

Server role: the suite connects to `testee_server`. Client role: `testee_client` connects to the suite. Both without
permessage-deflate, so groups 12 and 13 are left out. A case passes as OK or INFORMATIONAL, in its behaviour and in its
closing; NON-STRICT, which the suite itself lets pass, fails here. Needs nothing but Python's standard library.
"""

import argparse
import collections
import json
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import threading

# Groups 1 to 10, and how the cases in them must end.
LEFT_OUT = ["-x", "12.*", "-x", "13.*"]
EXPECTED = {"OK": 298, "INFORMATIONAL": 3}

# Seconds. The suite itself never gives up on a peer that falls silent.
READY_WITHIN = 20
SUITE_WITHIN = 240
CLIENT_ENDS_WITHIN = 20


class Failed(Exception):
    """What went wrong, in a sentence."""


class Running:
    """A child process whose standard output and error are one stream of lines, ended when the block is left."""

    def __init__(self, command):
        self.name = pathlib.Path(command[0]).name
        self.said = []
        self.lines = queue.Queue()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _listen(self):
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            self.lines.put(line)
        self.lines.put(None)

    def wait_for(self, pattern):
        """The match of the first line that has one."""
        while True:
            try:
                line = self.lines.get(timeout=READY_WITHIN)
            except queue.Empty:
                raise Failed(f"{self.name} did not say /{pattern}/ within {READY_WITHIN} s{self.last_words()}")
            if line is None:
                raise Failed(f"{self.name} ended before it said /{pattern}/{self.last_words()}")
            if match := re.search(pattern, line):
                return match

    def ended(self, within):
        """The exit code."""
        try:
            return self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} had not ended after {within} s{self.last_words()}")

    def last_words(self):
        return "".join(f"\n    {self.name}: {line}" for line in self.said[-10:])


def run_server_role(kosoku, testee, driver, report):
    """The suite connects to the server; its report is in `report` afterwards."""
    with Running([testee, "--listen", "127.0.0.1:0", "--driver", driver]) as server:
        address = server.wait_for(r"listening on (?:ws://)?(\S+:[1-9][0-9]*)")[1]
        command = [kosoku, "-m", "fuzzingclient", address, "-p", "2", "-o", str(report), *LEFT_OUT]
        with Running(command) as suite:
            check_suite(suite)
        if server.process.poll() is not None:
            raise Failed(f"{server.name} ended with {server.process.returncode} during the run{server.last_words()}")


def run_client_role(kosoku, testee, driver, report):
    """The client connects to the suite, case after case; the suite's report is in `report` afterwards."""
    command = [kosoku, "-m", "fuzzingserver", "127.0.0.1:0", "-o", str(report), *LEFT_OUT]
    with Running(command) as suite:
        port = suite.wait_for(r"listening on ws://\S+:([1-9][0-9]*)")[1]
        url = f"ws://127.0.0.1:{port}"
        with Running([testee, "autobahn", url, "--agent", f"ws-stack-{driver}", "--driver", driver]) as client:
            check_suite(suite)
            code = client.ended(CLIENT_ENDS_WITHIN)
            if code != 0:
                raise Failed(f"{client.name} ended with {code}{client.last_words()}")


def check_suite(suite):
    # 0: all passed; 1: some did not, which the report tells in detail.
    code = suite.ended(SUITE_WITHIN)
    if code not in (0, 1):
        raise Failed(f"kosoku ended with {code}{suite.last_words()}")


def judge(report):
    """The counts of a report and the cases that did not pass, read strictly."""
    try:
        agents = json.loads((report / "index.json").read_text())
    except FileNotFoundError:
        raise Failed("kosoku wrote no index.json")
    if len(agents) != 1:
        raise Failed(f"one agent was expected, the report has {sorted(agents)}")
    (cases,) = agents.values()
    counts = collections.Counter(case["behavior"] for case in cases.values())
    bad = [
        f"{name}: {case['behavior']}, closing {case['behaviorClose']}, {report / case['reportfile']}"
        for name, case in cases.items()
        if case["behavior"] not in EXPECTED or case["behaviorClose"] not in EXPECTED
    ]
    return counts, bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kosoku", required=True, help="the suite's command")
    parser.add_argument("--server", required=True, help="the built testee_server")
    parser.add_argument("--client", required=True, help="the built testee_client")
    parser.add_argument("--driver", action="append", help="a driver to test; may be given again (default: both)")
    parser.add_argument("--report", type=pathlib.Path, required=True, help="a folder for the reports, emptied first")
    args = parser.parse_args()

    failed = False
    for driver in args.driver or ["tokio", "blocking"]:
        for role, run, testee in [
            ("server", run_server_role, args.server),
            ("client", run_client_role, args.client),
        ]:
            report = args.report / f"{driver}-{role}"
            shutil.rmtree(report, ignore_errors=True)
            try:
                run(args.kosoku, testee, driver, report)
                counts, bad = judge(report)
            except Failed as why:
                print(f"conformance, {driver}, {role} role: FAILED: {why}", flush=True)
                failed = True
                continue
            said = ", ".join(f"{count} {behavior}" for behavior, count in counts.most_common())
            good = not bad and counts == EXPECTED
            verdict = "passed" if good else "FAILED: 298 OK, 3 INFORMATIONAL were expected"
            print(f"conformance, {driver}, {role} role: {said}: {verdict}", flush=True)
            for line in bad:
                print(f"    {line}", flush=True)
            failed |= not good
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
