"""What every peer in Python shares: the address, the ready line, the counters, and the end."""
import json
import os
import signal
import socket

READ_BUFFER_BYTES = 16 * 1024
BACKLOG = 4096
ACCEPTS_PER_WAKE = 256


class Counters:
    received = sent = accepted = closed = 0


def listener():
    """A listening socket on a port of 127.0.0.1 that the kernel chose."""
    found = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    found.setblocking(False)
    return found


def announce(port):
    print(json.dumps({"event": "ready", "port": port, "pid": os.getpid()}), flush=True)


def finish():
    print(
        json.dumps(
            {
                "event": "counters",
                "bytesReceived": Counters.received,
                "bytesSent": Counters.sent,
                "connectionsAccepted": Counters.accepted,
                "connectionsClosed": Counters.closed,
            }
        ),
        flush=True,
    )


def on_end(stop):
    """Calls `stop` on SIGTERM and SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop())
