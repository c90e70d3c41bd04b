// Jain's fairness index: how evenly a server treats its connections. Jain, Chiu and Hawe, "A
// Quantitative Measure of Fairness and Discrimination", DEC-TR-301 (1984). Enters: what each
// connection got, such as messages echoed. Leaves: one number for the metric fairnessJain.

/**
 * (Σx)² / (n·Σx²): 1 where all got the same, 1/n where one got everything, k/n where k of n shared
 * it evenly.
 * @returns null where there was nothing to share: no connections, or all got zero.
 * @throws {RangeError} on a share that is negative or not finite.
 */
export function jainFairness(shares: readonly number[]): number | null {
  const largest = shares.reduce((most, share) => {
    if (!(share >= 0 && share < Number.POSITIVE_INFINITY)) throw new RangeError(`share ${share}`);
    return Math.max(most, share);
  }, 0);
  if (largest === 0) return null;
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    // The index has no unit; scaled, no square overflows.
    sum += share / largest;
    squares += (share / largest) ** 2;
  }
  return (sum * sum) / (shares.length * squares);
}
