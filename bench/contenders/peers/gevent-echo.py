"""peer:gevent: a greenlet for each connection; sendall() waits for the peer, so nothing piles up."""
import signal

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer

import peer
from peer import Counters


def echo(connection, _address):
    Counters.accepted += 1
    try:
        connection.setsockopt(6, 1, 1)  # IPPROTO_TCP, TCP_NODELAY
        while data := connection.recv(peer.READ_BUFFER_BYTES):
            Counters.received += len(data)
            connection.sendall(data)
            Counters.sent += len(data)
    except OSError:  # reset by the peer
        pass
    finally:
        connection.close()
        Counters.closed += 1


def stop():
    server.stop(0)  # kills the greenlets of the pool
    ended.set()


ended = Event()
server = StreamServer(("127.0.0.1", 0), echo, backlog=peer.BACKLOG, spawn=Pool())
server.max_accept = peer.ACCEPTS_PER_WAKE
for number in (signal.SIGTERM, signal.SIGINT):
    gevent.signal_handler(number, stop)
server.start()
peer.announce(server.server_port)
ended.wait()
peer.finish()
