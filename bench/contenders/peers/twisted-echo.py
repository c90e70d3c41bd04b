"""peer:twisted: a Protocol whose transport is registered as its own producer.

Twisted pauses that producer, so the reading, while the write buffer is full.
"""
from twisted.internet import epollreactor

epollreactor.install()

from twisted.internet import interfaces, protocol, reactor  # noqa: E402
from zope.interface import implementer  # noqa: E402

import peer  # noqa: E402
from peer import Counters  # noqa: E402

connected = set()


@implementer(interfaces.IHalfCloseableProtocol)
class Echo(protocol.Protocol):
    def connectionMade(self):
        Counters.accepted += 1
        connected.add(self)
        self.transport.bufferSize = peer.READ_BUFFER_BYTES
        self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self.transport, True)

    def dataReceived(self, data):
        Counters.received += len(data)
        Counters.sent += len(data)
        self.transport.write(data)

    def readConnectionLost(self):
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def writeConnectionLost(self):
        self.transport.abortConnection()

    def connectionLost(self, reason=protocol.connectionDone):
        Counters.closed += 1
        connected.discard(self)


def stop():
    for connection in list(connected):
        transport = connection.transport
        Counters.sent -= len(transport.dataBuffer) - transport.offset + transport._tempDataLen
        transport.abortConnection()
    reactor.callLater(0, reactor.stop)


factory = protocol.Factory.forProtocol(Echo)
factory.noisy = False
port = reactor.listenTCP(0, factory, backlog=peer.BACKLOG, interface="127.0.0.1")
peer.on_end(lambda: reactor.callFromThread(stop))
peer.announce(port.getHost().port)
reactor.run(installSignalHandlers=False)
peer.finish()
