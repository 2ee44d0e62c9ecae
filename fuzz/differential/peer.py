"""The sans-I/O core of `websockets`, asked line by line: the role ("S" or "C") and the stream in hex. The answer is the
code of the Close that is sent ("-": none), then each message as its opcode and its payload in hex."""

import logging
import sys

from websockets.frames import CloseCode, Opcode
from websockets.protocol import CLIENT, SERVER, Protocol

LIMIT = int(sys.argv[1])


def receive(side, data):
    protocol = Protocol(side, max_size=LIMIT)
    protocol.receive_data(data)
    messages, opcode, payload = [], None, b""
    for frame in protocol.events_received():
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            opcode, payload = frame.opcode, b""
        elif frame.opcode is not Opcode.CONT:
            continue
        payload += frame.data
        if frame.fin:
            # Text is decoded by those who use the core: as its own connections do.
            if opcode is Opcode.TEXT and not is_utf8(payload):
                return CloseCode.INVALID_DATA, messages
            messages.append((opcode, payload))
    return protocol.close_sent.code if protocol.close_sent else None, messages


def is_utf8(payload):
    try:
        bytes(payload).decode()
    except UnicodeDecodeError:
        return False
    return True


logging.disable()
for line in sys.stdin:
    role, stream = line.rstrip("\n").split(" ")
    told, messages = receive(SERVER if role == "S" else CLIENT, bytes.fromhex(stream))
    said = [f"{opcode:d}:{payload.hex()}" for opcode, payload in messages]
    print(f"{told:d}" if told else "-", *said, flush=True)
