#!/usr/bin/env python3
"""probe.py PROTOCOL PORT [PID SECONDS]: asks a server on loopback for an answer that only a working one gives.

With PID and SECONDS it asks until the answer comes. Exit codes: 0 answered, 1 no answer, 2 the process ended first.
"""

import http.client
import socket
import struct
import sys
import time

# Seconds that one request may take, and between two.
PATIENCE = 5
PAUSE = 0.05


def exchange(port: int, request: bytes, length: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request)
        answer = b""
        while len(answer) < length and (part := connection.recv(65536)):
            answer += part
    return answer


def kafka(port: int) -> bool:
    """Metadata v5 without topics (https://kafka.apache.org/protocol): a broker is registered and a controller elected."""
    client = b"probe"
    body = struct.pack(">hhih", 3, 5, 1, len(client)) + client + struct.pack(">i?", 0, False)
    answer = exchange(port, struct.pack(">i", len(body)) + body, 16)
    if len(answer) < 16:
        return False
    correlation, _throttled, brokers = struct.unpack_from(">iii", answer, 4)
    return correlation == 1 and brokers > 0


def cassandra(port: int) -> bool:
    """OPTIONS of CQL's native protocol v4 is answered by SUPPORTED (opcode 6)."""
    answer = exchange(port, b"\x04\x00\x00\x01\x05\x00\x00\x00\x00", 9)
    return len(answer) >= 9 and answer[0] == 0x84 and answer[4] == 0x06


def zookeeper(port: int) -> bool:
    return exchange(port, b"ruok", 4) == b"imok"


def minio(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/minio/health/ready")
    return connection.getresponse().status == 200


def lives(pid: str) -> bool:
    try:
        return open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def main() -> int:
    protocol, port, *wait = sys.argv[1:]
    ask = {"kafka": kafka, "cassandra": cassandra, "zookeeper": zookeeper, "minio": minio}[protocol]
    pid, seconds = wait or ("", "0")
    deadline = time.monotonic() + float(seconds)
    while True:
        try:
            if ask(int(port)):
                return 0
        except (OSError, http.client.HTTPException):
            pass
        if pid and not lives(pid):
            return 2
        if time.monotonic() >= deadline:
            return 1
        time.sleep(PAUSE)


sys.exit(main())
