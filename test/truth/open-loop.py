"""An open-loop echo client that shares nothing with the suite's load generator, so that a fault of
the one does not repeat in the other. Messages arrive as the suite's do: a Poisson process, each on
a random connection. Standard library only.

usage: open-loop.py PORT PID CONNECTIONS RATE SECONDS TICK_US WARM_UP

The load runs for WARM_UP seconds before it is measured, for servers that compile while they run.
With TICK_US 0 the client spins and sends each message when it is due. Otherwise messages are due at
multiples of the tick, and the client sleeps in between.
"""
import json
import math
import random
import select
import socket
import sys
import time

PAYLOAD = bytes(range(64))
GREETING = b"greeting"


def cpu_clock(pid):
    """The CPU time of a whole process in seconds: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


def connect(port, connections, epoll):
    """Every connection has echoed once, so that accepting is over."""
    peers = {}
    for _ in range(connections):
        peer = socket.create_connection(("127.0.0.1", port))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.sendall(GREETING)
        assert peer.recv(len(GREETING), socket.MSG_WAITALL) == GREETING
        peer.setblocking(False)
        epoll.register(peer.fileno(), select.EPOLLIN)
        peers[peer.fileno()] = peer
    return peers


def main():
    port, pid, connections, rate = map(int, sys.argv[1:5])
    seconds, tick, warm_up = float(sys.argv[5]), int(sys.argv[6]) / 1e6, float(sys.argv[7])
    epoll, arrivals, clock = select.epoll(), random.Random(1), time.monotonic
    peers = connect(port, connections, epoll)
    targets = list(peers.values())

    def load(seconds):
        """Returns the CPU time of the server, and the delay of each message's sender, seconds."""
        delays, received = [], 0
        cpu, begin = cpu_clock(pid), clock()
        exact = due = arrivals.expovariate(rate)

        def send_due():
            nonlocal exact, due
            while due <= min(clock() - begin, seconds):
                delays.append(clock() - begin - due)
                targets[int(arrivals.random() * connections)].send(PAYLOAD)
                exact += arrivals.expovariate(rate)
                due = math.ceil(exact / tick) * tick if tick else exact

        while clock() - begin < seconds or received < len(delays) * len(PAYLOAD):
            send_due()
            for descriptor, _ in epoll.poll(0):
                received += len(peers[descriptor].recv(65536))
                send_due()
            if clock() - begin > seconds + 5:
                sys.exit(f"{len(delays) - received // len(PAYLOAD)} messages never came back")
            if tick and due < seconds:
                time.sleep(max(0, due - (clock() - begin)))
        return cpu_clock(pid) - cpu, delays

    load(warm_up)
    used, delays = load(seconds)
    delays.sort()
    delay_us = delays[len(delays) * 99 // 100] * 1e6
    told = {"messages": len(delays), "cpuUsPerMessage": used / len(delays) * 1e6}
    print(json.dumps({**told, "senderDelayUsP99": delay_us}))


main()
