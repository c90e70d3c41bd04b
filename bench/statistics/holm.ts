// Holm's correction: p values of several tests made together, raised so that the chance of even one
// false alarm among them stays at the level. Holm, "A Simple Sequentially Rejective Multiple Test
// Procedure", Scandinavian Journal of Statistics 6 (1979); R's p.adjust(method = "holm").

/**
 * The adjusted p values, each in its test's place; compare them with the level itself. They keep
 * the order of the raw ones and are at most 1.
 * @throws {RangeError} on a p value outside [0, 1].
 */
export function holm(pValues: readonly number[]): number[] {
  const bad = pValues.find((pValue) => !(pValue >= 0 && pValue <= 1));
  if (bad !== undefined) throw new RangeError(`p value ${bad} is not in [0, 1]`);
  const ascending = [...pValues.entries()].sort(([, left], [, right]) => left - right);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, [index, pValue]] of ascending.entries()) {
    // None may fall below one before it: a test is rejected only after all with smaller p.
    largest = Math.min(1, Math.max(largest, pValue * (pValues.length - rank)));
    adjusted[index] = largest;
  }
  return adjusted;
}
