#!/usr/bin/env python3
"""topic.py PORT NAME [PARTITIONS]: makes a topic on a broker on loopback; one that is there stays."""

import socket
import struct
import sys

# CreateTopics (https://kafka.apache.org/protocol): key 19, version 2, the last line of versions without tagged fields.
CREATE_TOPICS, VERSION = 19, 2
TIMEOUT_MS = 30_000
TOPIC_ALREADY_EXISTS = 36


def text(value: str) -> bytes:
    return struct.pack(">h", len(value)) + value.encode()


def receive(connection: socket.socket, length: int) -> bytes:
    answer = b""
    while len(answer) < length:
        part = connection.recv(length - len(answer))
        if not part:
            sys.exit("the broker closed the connection")
        answer += part
    return answer


def create(port: int, name: str, partitions: int) -> tuple[int, str]:
    """The broker's error code and message."""
    header = struct.pack(">hhi", CREATE_TOPICS, VERSION, 1) + text("servers")
    topic = text(name) + struct.pack(">ihii", partitions, 1, 0, 0)
    body = header + struct.pack(">i", 1) + topic + struct.pack(">i?", TIMEOUT_MS, False)
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_MS / 1000) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        answer = receive(connection, *struct.unpack(">i", receive(connection, 4)))
    # correlation id, throttle time, one topic: its name, the error's code, the error's message
    place = 12
    place += 2 + struct.unpack_from(">h", answer, place)[0]
    code, length = struct.unpack_from(">hh", answer, place)
    return code, answer[place + 4 : place + 4 + max(length, 0)].decode()


code, message = create(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1)
if code not in (0, TOPIC_ALREADY_EXISTS):
    sys.exit(f"topic {sys.argv[2]} cannot be made: error {code} {message}")
