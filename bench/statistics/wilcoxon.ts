// The exact Wilcoxon signed-rank test: could differences lie this far to one side of zero by chance
// alone? Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1 (1945), who
// drops zeros before ranking. As R's exactRankTests::wilcox.exact and SciPy's
// wilcoxon(mode="exact").

export type Alternative = "two-sided" | "greater" | "less";

interface SignedRankOptions {
  /** What the differences would be if chance did not make them; default: "two-sided". */
  readonly alternative?: Alternative;
}

interface SignedRank {
  /** The sum of the ranks of the positive differences: R's V. */
  readonly statistic: number;
  readonly pValue: number;
  /** How many differences are not zero. */
  readonly n: number;
}

/** Beyond this the exact distribution takes longer than it is worth. */
export const largestSample = 500;

/**
 * Exact at every size, with ties too: ranks that are shared are halves, so twice the ranks are
 * integers, and the distribution of their sum under random signs is counted, not approximated.
 * @returns p = 1 if no difference is left.
 * @throws {RangeError} on a difference that is not finite, and on more than 500 of them.
 */
export function signedRank(
  differences: readonly number[],
  options: SignedRankOptions = {},
): SignedRank {
  const { alternative = "two-sided" } = options;
  if (differences.length > largestSample) {
    throw new RangeError(`${differences.length} differences; at most ${largestSample} are exact`);
  }
  const ranks = rank(differences.filter((difference) => difference !== 0));
  const positive = ranks
    .filter(({ difference }) => difference > 0)
    .reduce((sum, { doubledRank }) => sum + doubledRank, 0);
  const distribution = signedSums(ranks.map(({ doubledRank }) => doubledRank));
  const atMost = total(distribution.subarray(0, positive + 1));
  const atLeast = total(distribution.subarray(positive));
  const pValues = {
    greater: atLeast,
    less: atMost,
    "two-sided": 2 * Math.min(atLeast, atMost),
  };
  return {
    statistic: positive / 2,
    pValue: Math.min(1, pValues[alternative]),
    n: ranks.length,
  };
}

interface Ranked {
  readonly difference: number;
  readonly doubledRank: number;
}

/** Ranks by size, 1 for the smallest; equal sizes share the mean of their ranks. */
function rank(differences: readonly number[]): Ranked[] {
  const bad = differences.find((difference) => !Number.isFinite(difference));
  if (bad !== undefined) throw new RangeError(`${bad} among the differences`);
  const sizes = differences.map(Math.abs).sort((left, right) => left - right);
  // First and last rank of a size, added: twice their mean.
  const doubled = new Map<number, number>();
  for (const [index, size] of sizes.entries()) {
    if (!doubled.has(size)) doubled.set(size, index + 1 + sizes.lastIndexOf(size) + 1);
  }
  return differences.map((difference) => ({
    difference,
    doubledRank: doubled.get(Math.abs(difference)) ?? Number.NaN,
  }));
}

/** The probability of each sum of the ranks whose coin shows heads; index: the sum. */
export function signedSums(ranks: readonly number[]): Float64Array {
  const most = ranks.reduce((sum, next) => sum + next, 0);
  const probability = new Float64Array(most + 1);
  probability[0] = 1;
  let reach = 0;
  for (const rank of ranks) {
    reach += rank;
    // From the top, so that a rank is not counted twice.
    for (let sum = reach; sum >= 0; sum--) {
      const without = probability[sum] ?? 0;
      const withIt = sum >= rank ? (probability[sum - rank] ?? 0) : 0;
      probability[sum] = (without + withIt) / 2;
    }
  }
  return probability;
}

function total(probabilities: Float64Array): number {
  return probabilities.reduce((sum, probability) => sum + probability, 0);
}
