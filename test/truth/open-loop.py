"""An open-loop echo client that shares nothing with the suite's load generator: it holds its
figure of CPU time per message against the suite's. Standard library only.

usage: open-loop.py PORT PID CONNECTIONS RATE SECONDS
"""
import os
import select
import socket
import sys
import time

PAYLOAD = 64


def cpu_seconds(pid):
    """User and system time of a process, from /proc/PID/stat: proc_pid_stat(5)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    port, pid, connections, rate = map(int, sys.argv[1:5])
    seconds = float(sys.argv[5])
    epoll = select.epoll()
    peers, owed = [], {}
    for index in range(connections):
        peer = socket.create_connection(("127.0.0.1", port))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setblocking(False)
        epoll.register(peer.fileno(), select.EPOLLIN)
        peers.append(peer)
        owed[peer.fileno()] = peer
    sent = received = 0
    cpu = cpu_seconds(pid)
    begin = time.monotonic()
    while True:
        now = time.monotonic() - begin
        while now < seconds and sent < now * rate:
            peers[sent % connections].send(sent.to_bytes(8, "big") * (PAYLOAD // 8))
            sent += 1
        # As fine as epoll_wait's milliseconds allow: what is due meanwhile leaves together.
        for descriptor, _ in epoll.poll(0.001):
            received += len(owed[descriptor].recv(65536))
        if now >= seconds and received >= sent * PAYLOAD:
            break
        if now >= seconds + 5:
            sys.exit(f"{sent - received // PAYLOAD} messages never came back")
    used = cpu_seconds(pid) - cpu
    print(f'{{"messages": {sent}, "cpuUsPerMessage": {used / sent * 1e6:.4f}}}')


main()
