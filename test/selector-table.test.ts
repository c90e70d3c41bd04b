// The addon's table of selectors: places that are used again, and descriptors that several watch.

import { describe, expect, it } from "vitest";
import { close, EPIPE, EVENT_READ, pipe, write } from "../src/index.ts";
import { selectorClasses } from "./conformance/backends.ts";

describe.each(selectorClasses)("selectors over %s", (_name, make) => {
  it("take the place of closed ones, whose wakers then do nothing", () => {
    const stays = make();
    const wakers = Array.from({ length: 3000 }, () => {
      using selector = make();
      return selector.waker();
    });
    using last = make();
    const [reader, writer] = pipe();
    last.register(reader, EVENT_READ);
    for (const waker of wakers) waker.wake();
    expect(last.select(5)).toEqual([]);
    write(writer, new Uint8Array(1));
    expect(last.select(1000)).toHaveLength(1);
    expect(stays.closed).toBe(false);
    stays.close();
    close(reader);
    close(writer);
  });

  it.each([1, 2, 3])("let go of a descriptor that %i of them watch when it is closed", (count) => {
    for (let round = 0; round < 3; round++) {
      const [reader, writer] = pipe();
      const selectors = Array.from({ length: count }, make);
      for (const selector of selectors) {
        selector.register(reader, EVENT_READ);
        expect(selector.poll(0)).toBe(0);
      }
      // One is gone, and one watches it no more: neither may hide the others.
      if (count === 3) selectors[0]?.close();
      if (count > 1) selectors.at(-1)?.unregister(reader);
      expect(close(reader)).toBe(0);
      expect(write(writer, new Uint8Array(1))).toBe(-EPIPE);
      for (const selector of selectors) selector.close();
      close(writer);
    }
  });
});
