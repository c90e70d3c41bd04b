// The layout of the rings that TypeScript shares with a native engine. native/proactor/rings.h has
// the same numbers.

/** Four int32 per entry; the second is a kind and, above it, a life. */
export const STRIDE = 4;
export const KIND_BITS = 4;
export const KINDS = 1 << KIND_BITS;

export const HEAD_SUBMISSIONS = 0;
export const HEAD_OUTBOUND = 1;
export const HEAD_WISH = 2;
export const HEAD_FLUSHES = 3;
export const HEAD_COMPLETIONS = 4;
export const HEAD_LENGTH = 5;

export const ACCEPTED = 1;
export const DATA = 2;
export const END = 3;
export const QUEUED = 4;
export const CLOSED = 5;
export const IDLE = 6;

export const WRITE_OUTBOUND = 1;
export const WRITE_INBOUND = 2;
