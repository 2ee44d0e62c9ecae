#!/usr/bin/env python3
"""Has headless Chromium talk to the example `echo`, over both drivers, and use its page as a person does.

What a browser sends comes back (texts and binaries, empty, large, beyond the BMP), closing codes arrive both ways, and
pages of other origins are refused. The page is used by mouse and keyboard, and a screenshot of it is kept. Chromium is
told what to do over a pipe of its own, so that nothing but Python's standard library is needed.
"""

import argparse
import base64
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time

# Seconds. The whole run has a limit of its own, whoever hangs.
ANSWER_WITHIN = 20
RUN_WITHIN = 150


class Failed(Exception):
    """What went wrong, in a sentence."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chromium", required=True, help="the browser's command")
    parser.add_argument("--echo", required=True, help="the built example")
    parser.add_argument("--shots", type=pathlib.Path, required=True, help="a folder for the screenshots")
    args = parser.parse_args()
    args.shots.mkdir(parents=True, exist_ok=True)

    # Both end this process by an exception, so that it ends its children.
    signal.signal(signal.SIGALRM, give_up)
    signal.signal(signal.SIGTERM, give_up)
    signal.alarm(RUN_WITHIN)
    for driver in ["tokio", "blocking"]:
        try:
            with running_echo(args.echo, driver) as (echo, port), Chromium(args.chromium) as chromium:
                checks = check(chromium, echo, port, args.shots / f"{driver}.png")
        except Failed as why:
            print(f"browser, {driver}: FAILED: {why}", flush=True)
            return 1
        print(f"browser, {driver}: {checks} checks passed, the page is in {args.shots / driver}.png", flush=True)
    return 0


def give_up(number, _):
    raise Failed(f"ended by {signal.Signals(number).name}; the limit is {RUN_WITHIN} s")


# ---- what is checked -------------------------------------------------------------------------------------------------


def check(chromium, echo, port, shot):
    """Returns how many things were checked; each of them raises if it fails."""
    page = chromium.open(f"http://127.0.0.1:{port}/")
    page.wait("document.getElementById('state').textContent === 'open'")
    checks = use_the_page(page, shot)
    checks += payloads(page)
    checks += closing_codes(page)
    checks += other_origins(chromium, port)
    # The server says goodbye: last, because it ends with that.
    page.wait("state.textContent === 'open'")
    echo.send_signal(signal.SIGINT)
    page.wait(f"{LAST_LINE} === 'Code 1001, reason “server is shutting down”, clean.'")
    if echo.wait(ANSWER_WITHIN) != 0:
        raise Failed(f"echo ended with {echo.returncode}")
    return checks + 1


def use_the_page(page, shot):
    """By mouse and keyboard, as a person does."""
    text = "Grüße, 日本語, 𝄞 and 🦀"
    page.click("message")
    page.type(text)
    page.click("send")
    page.wait(f"{LAST_LINE} === {json.dumps(text)} && {LAST_KIND} === 'received'")
    page.type("sent by Enter")
    page.press_enter()
    page.wait(f"{LAST_LINE} === 'sent by Enter' && {LAST_KIND} === 'received'")
    page.click("send-binary")
    page.wait(f"{LAST_LINE}.startsWith('16 bytes: ') && {LAST_KIND} === 'received'")
    page.click("reason")
    page.type("bye")
    page.click("close")
    # The server's answer has the code that it got, and no reason.
    page.wait(f"{LAST_LINE} === 'Code 1000, no reason, clean.'")
    shot.write_bytes(page.screenshot())
    # The same button connects again.
    page.click("close")
    page.wait("state.textContent === 'open'")
    expect("lines on the page that tell of an error", page.evaluate("document.querySelectorAll('#log .bad').length"), 0)
    return 6


def payloads(page):
    """Each payload comes back as it went, in order, on one connection."""
    kinds = page.evaluate(f"({PAYLOADS})(url.href)")
    expect("the payloads that came back", kinds, [True] * 9)
    return len(kinds)


def closing_codes(page):
    """The page hears the code that it closes with; for a message beyond the limit it is the server that closes."""
    both = [(1000, ""), (1000, "done"), (3000, ""), (3001, "bye"), (4999, "é" * 61), (None, "")]
    for code, reason in both:
        arguments = "" if code is None else f"{code}, {json.dumps(reason)}"
        closed = page.evaluate(f"({CLOSING})(url.href, socket => socket.close({arguments}))")
        expect(f"closing with {arguments or 'no code'}", closed, [code or 1005, "", True])
    beyond = "socket => socket.send(new Uint8Array(1024 * 1024 + 1))"
    closed = page.evaluate(f"({CLOSING})(url.href, {beyond})")
    expect("closing because of a message that is too long", closed[::2], [1009, True])
    return len(both) + 1


def other_origins(chromium, port):
    """The same page under another name, and one without an origin, get no connection; the server's own does."""
    url = f"ws://127.0.0.1:{port}/"
    pages = [(f"http://localhost:{port}/", 1006), ("data:text/html,", 1006), (f"http://127.0.0.1:{port}/", 1000)]
    for page, code in pages:
        closed = chromium.open(page).evaluate(f"({CLOSING})('{url}', socket => socket.close(1000))")
        expect(f"how a connection from {page} ends", closed[0], code)
    return len(pages)


def expect(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what}: {found}, and {wanted} was expected")


# What stands last in the page's log, and of what kind it is.
LAST_LINE = "(log.lastElementChild?.querySelector('.body').textContent ?? '')"
LAST_KIND = "log.lastElementChild?.querySelector('.what').textContent"

# Sends payloads at once, and says of each whether it came back.
PAYLOADS = """url => new Promise((resolve, reject) => {
  const bytes = length => Uint8Array.from({ length }, (_, at) => at * 7 + (at >> 8)).buffer;
  const payloads = [
    '', 'hello', 'x'.repeat(70000), '𝄞🦀'.repeat(35000), 'a\\u0000b', bytes(0), bytes(4), bytes(300000), '',
  ];
  const same = (one, other) => typeof one === 'string' || typeof other === 'string' ? one === other
    : one.byteLength === other.byteLength
      && new Uint8Array(one).every((byte, at) => byte === new Uint8Array(other)[at]);
  const socket = new WebSocket(url), came = [];
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => payloads.forEach(payload => socket.send(payload));
  socket.onmessage = event => {
    if (came.push(event.data) === payloads.length) socket.close(1000);
  };
  socket.onclose = () => resolve(payloads.map((payload, at) => at < came.length && same(payload, came[at])));
})"""

# Opens a connection, ends it somehow, and says how: code, reason, and whether it was clean.
CLOSING = """(url, end) => new Promise(resolve => {
  const socket = new WebSocket(url);
  socket.onopen = () => end(socket);
  socket.onclose = event => resolve([event.code, event.reason, event.wasClean]);
})"""


# ---- the programs ----------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def running_echo(echo, driver):
    """The example on a port of the system's choice."""
    command = [echo, "--listen", "127.0.0.1:0", "--driver", driver]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline()
        match = re.match(r"listening on ws://127\.0\.0\.1:([0-9]+)/", said)
        if not match:
            raise Failed(f"echo said {said!r}")
        yield process, int(match[1])
    finally:
        process.kill()
        process.wait()


class Chromium:
    """A headless browser with a fresh profile, in a process group of its own that ends with the block."""

    def __init__(self, command):
        self.command = command

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        to_read, self.tell = os.pipe()
        self.told, to_write = os.pipe()
        # Chromium reads its orders from descriptor 3, and writes answers to 4.
        shell = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        command = ["sh", "-c", shell, self.command, *FLAGS, f"--user-data-dir={self.profile.name}", "about:blank"]
        if os.geteuid() == 0:
            command.insert(-1, "--no-sandbox")
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            pass_fds=(to_read, to_write),
            start_new_session=True,
        )
        os.close(to_read)
        os.close(to_write)
        self.unread, self.asked = b"", 0
        return self

    def __exit__(self, failed, *_):
        # In order if it can, so that it waits for its own children; and all of them in any case.
        with contextlib.suppress(Failed, OSError, subprocess.TimeoutExpired):
            if not failed:
                self.ask("Browser.close", {})
                self.process.wait(ANSWER_WITHIN)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.tell)
        os.close(self.told)
        self.profile.cleanup()

    def open(self, url):
        """A page in a tab of its own, loaded."""
        target = self.ask("Target.createTarget", {"url": "about:blank"})["targetId"]
        page = Page(self, self.ask("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"])
        size = {"width": 900, "height": 720, "deviceScaleFactor": 1, "mobile": False}
        page.ask("Emulation.setDeviceMetricsOverride", size)
        error = page.ask("Page.navigate", {"url": url}).get("errorText")
        if error:
            raise Failed(f"{url}: {error}")
        page.wait(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")
        return page

    def ask(self, method, params, session=None):
        """The result of a command of the Chrome DevTools Protocol; events are passed over."""
        self.asked += 1
        order = {"id": self.asked, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self.tell, json.dumps(order).encode() + b"\0")
        deadline = time.monotonic() + ANSWER_WITHIN
        while True:
            answer = self.message(deadline)
            if answer.get("id") == self.asked:
                if "error" in answer:
                    raise Failed(f"{method}: {answer['error']}")
                return answer["result"]

    def message(self, deadline):
        while b"\0" not in self.unread:
            ready, _, _ = select.select([self.told], [], [], max(0, deadline - time.monotonic()))
            more = os.read(self.told, 1 << 20) if ready else None
            if not more:
                self.log.seek(0)
                said = self.log.read().decode(errors="replace")[-2000:]
                raise Failed(f"Chromium {'has ended' if ready else 'does not answer'}:\n{said}")
            self.unread += more
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)


class Page:
    def __init__(self, chromium, session):
        self.chromium, self.session = chromium, session

    def ask(self, method, params=None):
        return self.chromium.ask(method, params or {}, self.session)

    def evaluate(self, expression):
        """The value of an expression in the page, awaited if it is a promise."""
        params = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        answer = self.ask("Runtime.evaluate", params)
        if "exceptionDetails" in answer:
            raise Failed(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition):
        """Until a condition holds, looked at before each frame that the page would draw."""
        deadline = time.monotonic() + ANSWER_WITHIN
        while not self.evaluate(f"new Promise(next => setTimeout(() => next({condition}), 10))"):
            if time.monotonic() > deadline:
                said = self.evaluate("document.body.innerText")
                raise Failed(f"it never came to {condition}; the page says {said!r}")

    def click(self, name):
        """In the middle of an element, with the mouse."""
        middle = "(box => [box.x + box.width / 2, box.y + box.height / 2])"
        x, y = self.evaluate(f"{middle}(document.getElementById('{name}').getBoundingClientRect())")
        for kind in ["mousePressed", "mouseReleased"]:
            self.ask("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1})

    def type(self, text):
        self.ask("Input.insertText", {"text": text})

    def press_enter(self):
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
        for kind in ["keyDown", "keyUp"]:
            self.ask("Input.dispatchKeyEvent", {"type": kind} | key)

    def screenshot(self):
        return base64.b64decode(self.ask("Page.captureScreenshot", {"format": "png"})["data"])


FLAGS = [
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--no-default-browser-check",
]


if __name__ == "__main__":
    sys.exit(main())
