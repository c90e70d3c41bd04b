// The states of an EngineConnection, as bits of one number: there are many connections.

export const ENDED = 1;
export const DESTROYED = 2;
export const CLOSED = 4;
export const PAUSED = 8;
/** Its engine reads no more: its `data` handler has written more than its peer takes. */
export const HELD_BACK = 16;
/** Something has arrived that a pause keeps from the handlers. */
export const WITHHELD = 32;
export const NEEDS_DRAIN = 64;
export const REPORTING = 128;
export const UNREFERENCED = 256;
export const UNWRITABLE = 512;
/** Its descriptor is closed, so its number may be another's; `close` was not called yet. */
export const ABANDONED = 1024;
/** Handlers were told that the peer has ended. */
export const PEER_ENDED = 2048;
export const OVER = DESTROYED | CLOSED;
