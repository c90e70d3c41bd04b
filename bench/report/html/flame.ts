// A flame graph: each function of a stack as wide as its share of the samples, on top of the one
// that called it. Every box is an element of its own, which the keyboard reaches and whose words a
// screen reader has. Brendan Gregg, "The Flame Graph" (Communications of the ACM, 2016).

import type { CpuProfile } from "../../model/cpu-profile.ts";
import { plainLine } from "../format.ts";
import { element, folding, join, type Markup, paragraph, text } from "../markup.ts";
import { profileLead, shareSentence, shareTable, shareText } from "../profile-words.ts";
import { code, tableRegion } from "./table.ts";

/** A smaller share would be a box of no width; its samples stay in the one below it. */
const smallestShare = 0.004;
const rowRem = 1.25;

interface FlameBox {
  readonly name: string;
  readonly depth: number;
  /** Of all samples: where it begins, and how many it has. */
  readonly from: number;
  readonly samples: number;
}

interface CallNode {
  samples: number;
  readonly children: Map<string, CallNode>;
}

/** In document order: a box, then those on top of it. */
export function boxesOf({ frames, stacks, samples }: CpuProfile): FlameBox[] {
  const root: CallNode = { samples: 0, children: new Map() };
  for (const [number = 0, ...stack] of stacks) {
    let at = root;
    at.samples += number;
    for (const index of stack) {
      const name = plainLine(frames[index] ?? "[unknown]");
      const next = at.children.get(name) ?? { samples: 0, children: new Map() };
      at.children.set(name, next);
      next.samples += number;
      at = next;
    }
  }
  const boxes: FlameBox[] = [];
  const add = (name: string, node: CallNode, { depth, from }: Pick<FlameBox, "depth" | "from">) => {
    if (node.samples < smallestShare * samples) return;
    boxes.push({ name, depth, from, samples: node.samples });
    let left = from;
    for (const [below, child] of [...node.children].sort(([a], [b]) => (a < b ? -1 : 1))) {
      add(below, child, { depth: depth + 1, from: left });
      left += child.samples;
    }
  };
  add("all", root, { depth: 0, from: 0 });
  return boxes;
}

/** The shares of all contenders, and a folded graph of each. */
export function profilesPart(profiles: readonly CpuProfile[]): Markup {
  const missing = profiles.filter(({ reason }) => reason !== null);
  return element(
    "div",
    { class: "profiles" },
    element("h3", {}, text("Where CPU time goes")),
    paragraph("lead", text(profileLead(profiles))),
    tableRegion(shareTable(profiles), { caption: "Share of CPU time", byContender: true }),
    ...missing.map(({ contender, reason }) =>
      paragraph("missing", code(contender), text(`: no profile: ${reason ?? ""}`)),
    ),
    ...profiles.filter(({ reason }) => reason === null).map(flameOf),
  );
}

function flameOf(profile: CpuProfile): Markup {
  const { contender, samples } = profile;
  const boxes = boxesOf(profile);
  const rows = 1 + Math.max(0, ...boxes.map(({ depth }) => depth));
  return folding(
    join([text("Flame graph of "), code(contender)]),
    { class: "folded", "data-contender": contender },
    paragraph("missing", text(`${shareSentence(profile)}.`)),
    element(
      "div",
      {
        class: "flame",
        role: "tree",
        "aria-label": `Flame graph of ${contender}`,
        "data-samples": samples,
        style: `height:${(rows * rowRem).toFixed(2)}rem`,
      },
      join(boxes.map((box, index) => boxElement(box, { samples, first: index === 0 }))),
    ),
    paragraph(
      "flame-key missing",
      ...kinds.map(([kind, words]) => element("span", { class: kind }, text(words))),
      text("Arrow keys move, Enter enlarges, Escape shows all."),
    ),
  );
}

const kinds = [
  ["kernel", "kernel"],
  ["native", "native code"],
  ["compiled", "compiled JavaScript"],
] as const;

function boxElement(
  { name, depth, from, samples: own }: FlameBox,
  { samples, first }: { readonly samples: number; readonly first: boolean },
): Markup {
  const kind = name.endsWith("_[k]") ? "kernel" : name.endsWith("_[j]") ? "compiled" : "native";
  const shown = name.replace(/_\[[kj]\]$/, "");
  const percent = (part: number) => `${((100 * part) / samples).toFixed(3)}%`;
  const words = `${shown}: ${shareText((100 * own) / samples)}`;
  return element(
    "div",
    {
      role: "treeitem",
      class: kind,
      tabindex: first ? "0" : "-1",
      "aria-level": depth + 1,
      "aria-label": words,
      "data-tip": words,
      "data-from": from,
      "data-count": own,
      style: `left:${percent(from)};width:${percent(own)};bottom:${(depth * rowRem).toFixed(2)}rem`,
    },
    text(shown),
  );
}

export const flameStyle = `
.profiles{margin-top:1.5rem}
.flame{position:relative;margin:.5rem 0;overflow:hidden}
.flame [role=treeitem]{position:absolute;height:1.2rem;overflow:hidden;white-space:nowrap;
  text-overflow:ellipsis;font-size:.75rem;line-height:1.1rem;padding:0 .15rem;
  border:1px solid var(--surface);border-bottom:2px solid;color:var(--ink);cursor:pointer}
.flame [role=treeitem]:focus-visible{outline-offset:-2px}
.flame .kernel,.flame-key .kernel{background:var(--warn-back);border-bottom-color:var(--warn)}
.flame .native,.flame-key .native{background:var(--good-back);border-bottom-color:var(--good)}
.flame .compiled,.flame-key .compiled{background:var(--line);border-bottom-color:var(--ink)}
.flame-key{display:flex;flex-wrap:wrap;gap:.25rem .75rem}
.flame-key span{padding:0 .4rem;color:var(--ink);border-bottom:2px solid}`;
