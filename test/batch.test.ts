// The events of one wait, while handlers change registrations: no event reaches a registration that
// it is not for.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  EVENT_READ,
  EVENT_WRITE,
  type NativeSelector,
  PollSelector,
  Reactor,
  send,
} from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";
import { Descriptors, waitFor } from "./conformance/socket-pair.ts";

const BOTH = EVENT_READ | EVENT_WRITE;

describe.each(selectorClasses)("a batch on %s", (_name, make) => {
  let fds: Descriptors;
  let selector: NativeSelector<string>;

  beforeEach(() => {
    fds = new Descriptors();
    selector = make<string>();
  });
  afterEach(() => {
    selector.close();
    fds.closeAll();
  });

  /** Readable and writable, and registered for both. */
  function readyForBoth(): number {
    const [fd, peer] = fds.pair();
    send(peer, new Uint8Array(1));
    waitFor(fd, EVENT_READ);
    selector.register(fd, BOTH, "first");
    expect(selector.poll(0)).toBe(1);
    expect(selector.readyEvents(0)).toBe(BOTH);
    return fd;
  }

  it.each([EVENT_READ, EVENT_WRITE, BOTH])(
    "tells what is asked for after modify to %i",
    (wanted) => {
      const key = selector.modify(readyForBoth(), wanted, "second");
      expect(selector.readyKey(0)).toBe(key);
      expect(selector.readyEvents(0)).toBe(wanted);
      expect(selector.select(0)).toEqual([{ key, events: wanted }]);
    },
  );

  it("has no event before the first, whatever fd 0 is registered for", () => {
    using polling = new PollSelector();
    polling.register(0, EVENT_READ);
    polling.poll(0);
    for (const i of [-1, -2]) {
      expect(polling.readyKey(i)).toBeUndefined();
      expect([polling.readyEvents(i), polling.readyFlags(i)]).toEqual([0, 0]);
    }
  });

  it("does not tell again what a first modify has dropped", () => {
    const fd = readyForBoth();
    selector.modify(fd, EVENT_READ);
    selector.modify(fd, EVENT_WRITE);
    expect(selector.readyEvents(0)).toBe(0);
    expect(selector.select(0)).toMatchObject([{ events: EVENT_WRITE }]);
  });

  it("has nothing for what was unregistered, registered again, or closed and opened again", () => {
    const fd = readyForBoth();
    selector.unregister(fd);
    expect(selector.readyKey(0)).toBeUndefined();
    selector.register(fd, BOTH, "second");
    expect(selector.readyKey(0)).toBeUndefined();
    expect(selector.poll(0)).toBe(1);
    selector.unregister(fd);
    fds.close(fd);
    fds.pairReusing(fd);
    selector.register(fd, BOTH, "third");
    expect(selector.readyKey(0)).toBeUndefined();
    expect(selector.readyKey(1)).toBeUndefined();
  });

  it("does not call write on a handler that has modified that away in its read", () => {
    const fd = readyForBoth();
    selector.unregister(fd);
    const reactor = new Reactor(selector);
    const calls: string[] = [];
    reactor.registerHandler(fd, BOTH, {
      onReadable: () => {
        calls.push("read");
        reactor.modify(fd, EVENT_READ);
      },
      onWritable: () => calls.push("write"),
    });
    reactor.handleEvents(0);
    expect(calls).toEqual(["read"]);
  });

  it("does not call a handler for what another one of the batch has modified away", () => {
    const both = [fds.pair(), fds.pair()].map(([fd, peer]) => {
      send(peer, new Uint8Array(1));
      waitFor(fd, EVENT_READ);
      return fd;
    });
    const reactor = new Reactor(selector);
    const calls: string[] = [];
    for (const [i, fd] of both.entries()) {
      reactor.registerHandler(fd, EVENT_READ, {
        onReadable: () => {
          calls.push("read");
          reactor.modify(both[1 - i] as number, EVENT_WRITE);
        },
        onWritable: () => calls.push("write"),
      });
    }
    expect(reactor.handleEvents(0)).toBe(2);
    expect(calls).toEqual(["read"]);
  });
});
