// The confidence in a cell's figures: a grade by declared rules, and the conditions of the better
// grades that it missed.

import * as s from "./schema.ts";

export const grades = ["high", "medium", "low"] as const;
export type Grade = (typeof grades)[number];

const doubts = {
  /** Fewer blocks than the grade needs: the unit that intervals are made of. */
  "few-blocks": s.record({ blocks: s.amount }),
  /** Half the 95 % interval of the ratio, or of the figure if there is no ratio, as a share. */
  wide: s.record({ halfWidth: s.number }),
  /** Blocks with too few undisturbed windows, whose disturbed windows were used as well. */
  disturbed: s.record({ blocks: s.amount, of: s.amount }),
};

const doubtSchema = s.variants("code", doubts);
export type Doubt = s.Infer<typeof doubtSchema>;
export type DoubtOf<C extends Doubt["code"]> = Extract<Doubt, { readonly code: C }>;

export const confidenceSchema = s.record({
  grade: s.oneOf(...grades),
  /** What kept the figures from the grade `high`, the most serious first; empty for `high`. */
  doubts: s.list(doubtSchema),
});
export type CellConfidence = s.Infer<typeof confidenceSchema>;

interface ConfidenceRule {
  readonly blocks: number;
  readonly halfWidth: number;
  readonly disturbedShare: number;
}

/** The rules: a grade needs all three; `low` needs nothing. */
const confidenceRules: Readonly<Record<"high" | "medium", ConfidenceRule>> = {
  high: { blocks: 4, halfWidth: 0.05, disturbedShare: 0.25 },
  medium: { blocks: 3, halfWidth: 0.15, disturbedShare: 1 },
};

export interface Evidence {
  readonly blocks: number;
  readonly disturbedBlocks: number;
  /** Half the 95 % interval as a share of the figure; null without an interval. */
  readonly halfWidth: number | null;
}

/** The grade of what was measured. */
export function confidenceOf(evidence: Evidence): CellConfidence {
  const meets = ({ blocks, halfWidth, disturbedShare }: ConfidenceRule) =>
    evidence.blocks >= blocks &&
    evidence.halfWidth !== null &&
    evidence.halfWidth <= halfWidth &&
    evidence.disturbedBlocks <= disturbedShare * evidence.blocks;
  if (meets(confidenceRules.high)) return { grade: "high", doubts: [] };
  return { grade: meets(confidenceRules.medium) ? "medium" : "low", doubts: doubtsOf(evidence) };
}

function doubtsOf({ blocks, disturbedBlocks, halfWidth }: Evidence): Doubt[] {
  const { high } = confidenceRules;
  const found: Doubt[] = [];
  if (halfWidth !== null && halfWidth > high.halfWidth) found.push({ code: "wide", halfWidth });
  if (disturbedBlocks > high.disturbedShare * blocks) {
    found.push({ code: "disturbed", blocks: disturbedBlocks, of: blocks });
  }
  if (blocks < high.blocks || halfWidth === null) found.push({ code: "few-blocks", blocks });
  return found;
}
