// What is equal between all contenders, in one place for those written in TypeScript.
// The native servers hold the same figures in native/echo_server/server.h.

/** Bytes a recv may take. */
export const READ_BUFFER_BYTES = 16 * 1024;
/** Largest accept backlog; the kernel cuts it to somaxconn. */
export const BACKLOG = 4096;
/** Connections accepted a wake of the listener. */
export const ACCEPTS_PER_WAKE = 256;
/** Ready events a wait: native/echo_server/server.h and the library's ring both hold so many. */
export const EVENTS_PER_WAIT = 256;
