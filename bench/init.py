#!/usr/bin/env python3
"""How long a function takes from its start until it asks Lambda for its first event: init.py PROGRAM [TIMES]

The program is started as Lambda does it, against a Runtime API of our own, with clients of Kafka and of a bucket to make; nothing is
connected before the first event. Prints the best, the median and the worst, in ms, the processor's time in it, which other work on
the machine does not lengthen, and memory (resident) at that moment.
"""

import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "function", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "EXAMPLE",
    "LOG_URL": "kafka://127.0.0.1:1", "OBJECTS_URL": "s3://example-clickstream", "SITES": "shop:k3y", "LOG_ID": "l",
}


def start(program):
    """ms until the first question, ms of a processor until then, and KB resident."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment = {**ENVIRONMENT, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{listener.getsockname()[1]}"}
        began = time.perf_counter()
        with subprocess.Popen([program], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as function:
            try:
                listener.settimeout(30)
                connection, _ = listener.accept()
                with connection:
                    asked = connection.recv(4096)
                    took = (time.perf_counter() - began) * 1_000
                    if b"/runtime/invocation/next" not in asked:
                        sys.exit(f"{program} asked for something else: {asked[:200]}")
                    with open(f"/proc/{function.pid}/status", encoding="ascii") as status:
                        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
                    threads = pathlib.Path(f"/proc/{function.pid}/task").glob("*/schedstat")
                    busy = sum(int(thread.read_text(encoding="ascii").split()[0]) for thread in threads) / 1e6
            finally:
                function.kill()
    return took, busy, resident


def main():
    if len(sys.argv) < 2 or not os.access(sys.argv[1], os.X_OK):
        sys.exit(__doc__)
    runs = [start(sys.argv[1]) for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 20)]
    times, busy, resident = zip(*runs)
    print(f"{os.path.basename(sys.argv[1])}: start to first question {min(times):.1f} ms at best, {statistics.median(times):.1f} median, "
          f"{max(times):.1f} at worst; {statistics.median(busy):.1f} ms of a processor; {statistics.median(resident) / 1_024:.1f} MiB resident; {len(runs)} starts")


if __name__ == "__main__":
    main()
