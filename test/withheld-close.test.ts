// A connection that has closed while a pause keeps that from its handlers: its number may be
// another connection's by then, so nothing that the program asks of it may reach that number.

import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { deliver, onClosed, onEnd, onQueued } from "../src/connection-symbols.ts";
import { EngineConnection } from "../src/engine-connection.ts";
import type { Connection } from "../src/index.ts";
import { SUBMIT_REPORT, type Submitter } from "../src/submissions.ts";
import { engines } from "./connections/engines.ts";
import { socketTo, start } from "./connections/pairs.ts";

const SLOT = 1_000_000;

/** An engine that records what is submitted. */
function recordingEngine() {
  const submit = vi.fn();
  const engine: { -readonly [K in keyof Submitter]: Submitter[K] } = {
    flushes: 0,
    delivering: null,
    submit,
    queued: () => null,
    serves: () => true,
    write: (_slot, bytes) => bytes.length,
    detach: () => [],
    later: queueMicrotask,
    raise() {},
    ref() {},
    unref() {},
  };
  return { engine, submit };
}

const common = { highWaterMark: 1, lowWaterMark: 0, allowHalfOpen: false, closed: null };

/** A connection of a recording engine, closed behind a pause. */
function closedBehindAPause() {
  const { engine, submit } = recordingEngine();
  const close = vi.fn();
  const role = { engine, handlers: { data() {}, close }, ...common };
  const connection = new EngineConnection(role, SLOT);
  connection.end();
  connection.pause();
  connection[deliver](Buffer.from("kept"));
  connection[onEnd]();
  connection[onClosed](0, false);
  submit.mockClear();
  return { connection, submit, close };
}

describe("once its descriptor is closed", () => {
  it("a connection asks nothing of its number any more", () => {
    const { connection, submit, close } = closedBehindAPause();
    connection.resume();
    connection.pause();
    connection.setTimeout(1000);
    connection.setNoDelay(true);
    expect(connection.remoteAddress).toBe(null);
    expect(() => connection.detach()).toThrow(/closed/);
    expect(submit).not.toHaveBeenCalled();
    expect(close).not.toHaveBeenCalled();
  });

  it("destroy() ends it", async () => {
    const { connection, submit, close } = closedBehindAPause();
    connection.destroy();
    await Promise.resolve();
    expect(submit).not.toHaveBeenCalled();
    expect(close.mock.calls).toEqual([[connection, null]]);
  });
});

describe.each(engines)("over %s", (_name, way) => {
  it("a server that destroys its connections ends it, too", async () => {
    const close = vi.fn();
    const got: Connection[] = [];
    const handlers = {
      data(connection: Connection) {
        got.push(connection);
        connection.pause();
        connection.end();
      },
      close,
    };
    const server = start(handlers, { ...way, allowHalfOpen: true });
    const peer = await socketTo(server, { allowHalfOpen: true });
    peer.end("its last bytes");
    peer.resume();
    await once(peer, "close");
    expect(got.length).toBe(1);
    await server.close({ connections: "destroy" });
    expect(close.mock.calls).toEqual([[got[0], null]]);
  });
});

it("a report from before the last write does not call `drain`", () => {
  const { engine, submit } = recordingEngine();
  const drain = vi.fn();
  const role = { engine, handlers: { data() {}, drain }, ...common };
  const connection = new EngineConnection(role, SLOT);
  expect(connection.write("more than the mark")).toBe(false);
  expect(submit).toHaveBeenCalledWith(SLOT, SUBMIT_REPORT, 0, 0);
  submit.mockClear();
  connection[onQueued](0);
  expect(drain).not.toHaveBeenCalled();
  expect(submit).toHaveBeenCalledWith(SLOT, SUBMIT_REPORT, 0, 0);
  engine.flushes++;
  connection[onQueued](0);
  expect(drain).toHaveBeenCalledOnce();
  // Where nothing is submitted, the engine knows: one call of a forced flush is no turn.
  expect(connection.write("more than the mark")).toBe(false);
  engine.queued = () => 0;
  connection[onQueued](7);
  expect(drain).toHaveBeenCalledTimes(2);
  expect(connection.bufferedBytes).toBe(0);
});
