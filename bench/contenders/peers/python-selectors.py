"""peer:python-selectors: the selectors module, as CPython documents it, with back-pressure.

A connection that has unsent bytes is watched for writing and not for reading.
"""
import selectors
import socket

import peer
from peer import Counters

loop = selectors.DefaultSelector()
unsent = {}
running = True


def accept(listener):
    for _ in range(peer.ACCEPTS_PER_WAKE):
        try:
            connection, _ = listener.accept()
        except OSError:  # none is waiting, or no descriptor is left
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        Counters.accepted += 1
        unsent[connection] = b""
        loop.register(connection, selectors.EVENT_READ, serve)


def serve(connection):
    try:
        data = unsent[connection] or receive(connection)
        if not data:
            return close(connection)
        sent = send(connection, data)
    except BlockingIOError:
        return
    except OSError:  # reset by the peer
        return close(connection)
    if sent == len(data) and not unsent[connection]:
        return
    unsent[connection] = data[sent:]
    wanted = selectors.EVENT_WRITE if unsent[connection] else selectors.EVENT_READ
    loop.modify(connection, wanted, serve)


def receive(connection):
    data = connection.recv(peer.READ_BUFFER_BYTES)
    Counters.received += len(data)
    return data


def send(connection, data):
    try:
        sent = connection.send(data)
    except BlockingIOError:
        return 0
    Counters.sent += sent
    return sent


def close(connection):
    loop.unregister(connection)
    connection.close()
    del unsent[connection]
    Counters.closed += 1


def stop():
    global running
    running = False
    wake.send(b"x")


# A wait goes on after a signal (PEP 475), so the signal writes to a socket that the loop watches.
woken, wake = socket.socketpair()
peer.on_end(stop)
loop.register(woken, selectors.EVENT_READ, lambda _: None)
server = peer.listener()
loop.register(server, selectors.EVENT_READ, accept)
peer.announce(server.getsockname()[1])
while running:
    for key, _ in loop.select():
        key.data(key.fileobj)
for connection in list(unsent):
    close(connection)
peer.finish()
