"""peer:asyncio and peer:uvloop: one protocol on the event loop that the argument names.

The transport pauses itself: while its write buffer is above the mark, nothing is read.
"""
import asyncio
import signal
import sys

import peer
from peer import Counters

open_transports = set()


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        Counters.accepted += 1
        self.transport = transport
        transport.set_write_buffer_limits(high=peer.READ_BUFFER_BYTES)
        open_transports.add(transport)

    def data_received(self, data):
        Counters.received += len(data)
        Counters.sent += len(data)
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()

    def connection_lost(self, error):
        # Bytes that the transport had kept were not sent.
        open_transports.discard(self.transport)
        Counters.closed += 1


async def main():
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=peer.BACKLOG)
    peer.announce(server.sockets[0].getsockname()[1])
    await ended.wait()
    server.close()
    for transport in list(open_transports):
        Counters.sent -= transport.get_write_buffer_size()
        transport.abort()
    while open_transports:
        await asyncio.sleep(0)
    peer.finish()


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.install()
asyncio.run(main())
