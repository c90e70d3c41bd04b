// What a server does at most per call: equal between the contenders, and named in the row of each
// contender that cannot do the same. The native servers hold the same figures in
// native/echo_server/server.h.

/** Bytes that a recv may take. */
export const READ_BUFFER_BYTES = 16 * 1024;
/** Largest accept backlog; the kernel cuts it to somaxconn. */
export const BACKLOG = 4096;
/** Connections accepted per wake of the listener. */
export const ACCEPTS_PER_WAKE = 256;
/** Ready events per wait: the native servers and the library's ring both hold this many. */
export const EVENTS_PER_WAIT = 256;

/** The settings by their names in the report; a figure, or words if there is none. */
export interface ServerSettings {
  readonly readBufferBytes: number;
  readonly acceptsPerWake: number | string;
  readonly eventsPerWait: number | string;
  readonly backlog: number;
}

/** The settings of every contender whose row has no others. */
export const commonSettings: ServerSettings = {
  readBufferBytes: READ_BUFFER_BYTES,
  acceptsPerWake: ACCEPTS_PER_WAKE,
  eventsPerWait: EVENTS_PER_WAIT,
  backlog: BACKLOG,
};

/** Asks every connection in turn. */
export const withoutWaits = { eventsPerWait: "does not wait" };

/** A thread or process per connection blocks in recv. */
export const blocking = { eventsPerWait: "blocks in recv" };

/** What Node 20, 22 and 24 do and do not let a program set: libuv's own figures. */
export const nodeSettings = { readBufferBytes: 65_536, acceptsPerWake: 1, eventsPerWait: 1024 };
