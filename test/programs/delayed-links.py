"""Network links with a delay and losses, for kernels without sch_netem.

usage: delayed-links.py DELAY_US LOSS SEED HOST_SIDE:NETWORK_SIDE ...

Each pair becomes two TAP devices. Frames that the host sends pass after the delay, except for the
share LOSS of them, which is dropped; frames to the host pass at once. Prints "ready"; the devices
vanish at the end of standard input. Source: Documentation/networking/tuntap.rst
"""

import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
LARGEST_FRAME = 65536
SPIN_NS = 200_000  # a sleep may end this much late


def tap(name):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    request = struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI)
    fcntl.ioctl(device, TUNSETIFF, request)
    return device


def pass_on(device, frame):
    try:
        os.write(device, frame)
    except OSError:
        pass  # a device that is down loses frames, as a cable without its other end does


def frames(device):
    while True:
        try:
            yield os.read(device, LARGEST_FRAME)
        except OSError:
            return


def main(delay_us, loss, seed, *pairs):
    delay_ns, loss, chance = int(delay_us) * 1000, float(loss), random.Random(int(seed))
    outward, inward = {}, {}
    for pair in pairs:
        host, network = (tap(name) for name in pair.split(":"))
        outward[host], inward[network] = network, host
    print("ready", flush=True)
    under_way = collections.deque()  # all have the same delay: the first one is due first
    while True:
        wait = under_way[0][0] - time.monotonic_ns() - SPIN_NS if under_way else None
        timeout = None if wait is None else max(0, wait) / 1e9
        readable, _, _ = select.select([0, *outward, *inward], [], [], timeout)
        if 0 in readable:
            return
        for device in readable:
            for frame in frames(device):
                if device in inward:
                    pass_on(inward[device], frame)
                elif chance.random() >= loss:
                    due = time.monotonic_ns() + delay_ns
                    under_way.append((due, outward[device], frame))
        while under_way and under_way[0][0] <= time.monotonic_ns():
            _, network, frame = under_way.popleft()
            pass_on(network, frame)


main(*sys.argv[1:])
