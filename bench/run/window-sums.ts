// Sums over windows, and divisions of what may be missing.

import type { Window } from "../model/events.ts";

type Numbers<T> = { [F in keyof T]-?: NonNullable<T[F]> extends number ? F : never }[keyof T];

/** Null as soon as one window does not have it. */
export function total(windows: readonly Window[], field: Numbers<Window>): number | null {
  let sum = 0;
  for (const window of windows) {
    const value = window[field];
    if (value === null || value === undefined) return null;
    sum += value;
  }
  return sum;
}

export function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

export function secondsOf(windows: readonly Window[]): number {
  return (total(windows, "durationNs") ?? 0) / 1e9;
}

/** Null if either is missing, or the divisor is 0. */
export function divide(
  dividend: number | null | undefined,
  divisor: number | null | undefined,
): number | null {
  if (dividend === null || dividend === undefined || !divisor) return null;
  return dividend / divisor;
}
