// The verdict in a sentence or two, from the scale that matters most, and the machine in one.
// Enters: Results. Leaves: to html/ and markdown.ts. Only intervals that exclude 1 make a ranking.

import type { Cell, Results } from "../model/results.ts";
import { count, enumerate, plainLine, ratio, significant } from "./format.ts";
import { figure, type Group, groupCells } from "./groups.ts";
import { isRanked, isTied, verdict } from "./verdict.ts";

/** The payload that the headline is about where several were measured. */
export const usualPayloadBytes = 64;

/** The groups with the one of most connections first, of the usual payload; the others in order. */
export function headlineFirst(groups: readonly Group[]): Group[] {
  const [first, ...others] = groups;
  if (first === undefined) return [];
  const best = others.reduce((best, group) => (matters(group, best) ? group : best), first);
  return [best, ...groups.filter((group) => group !== best)];
}

function matters(group: Group, than: Group): boolean {
  const key = ({ measured, others }: Group) => {
    const cell = measured[0] ?? others[0];
    if (cell === undefined) return [0, 0, 0];
    const usual = cell.payloadBytes === usualPayloadBytes ? 1 : 0;
    return [measured.length > 0 ? 1 : 0, cell.connections, usual];
  };
  const [left, right] = [key(group), key(than)];
  const differing = left.findIndex((value, index) => value !== right[index]);
  // Of variants the last is the one that the workload is about, after its baseline.
  return differing < 0 || (left[differing] ?? 0) > (right[differing] ?? 0);
}

/** The group that the report opens with: of echo-rate, or of whatever was measured. */
export function headlineGroup(results: Results): Group | undefined {
  const groups = groupCells(results);
  const echo = groups.filter(({ workload }) => workload === "echo-rate");
  return headlineFirst(echo.length > 0 ? echo : groups)[0];
}

/** The verdict on the headline's scale; what cannot be said is said so. */
export function headline(results: Results): string {
  const group = headlineGroup(results);
  if (group === undefined) return "Nothing was measured.";
  if (!isCompared(group, results)) return verdict(group, results.reference).join(" ");
  const base = group.measured.find((cell) => cell.contender === results.reference);
  const cost = base === undefined ? undefined : figure(base, "serverCpuPerMessage")?.median;
  if (cost === undefined) {
    return `There is no CPU figure of the reference ${results.reference}: nothing is ranked.`;
  }
  const rivals = group.measured.filter((cell) => cell !== base && isRanked(cell));
  const below = rivals.filter((cell) => ratioOf(cell) < 1);
  const above = rivals.filter((cell) => ratioOf(cell) >= 1);
  const tied = group.measured.filter((cell) => cell !== base && isTied(cell));
  const parts = [ties(tied), cheaper(below), dearer(above)].filter((part) => part !== "");
  if (parts.length === 0 && group.measured.length > 1) parts.push("no other is ranked");
  const others = parts.length === 0 ? "" : `; ${parts.join("; ")}`;
  return `${results.reference} spends ${significant(cost)} µs of server CPU on a message${others}.`;
}

/** Not where it is about another figure, and the reference takes no part. */
function isCompared({ metric, measured, others }: Group, { reference }: Results): boolean {
  if (metric === "serverCpuPerMessage") return true;
  return [...measured, ...others].some(({ contender }) => contender === reference);
}

/** Such as "AMD EPYC, 2 cores, virtual machine; linux 6.18.44; Node 20.20.2". */
export function machineSentence({ environment }: Results): string {
  const word = (name: string) => {
    const value = environment[name];
    return typeof value === "string" ? plainLine(value) : null;
  };
  const cores = environment["availableCores"] ?? environment["logicalCores"];
  const hypervisor = word("hypervisor");
  const parts = [
    word("cpuModel"),
    typeof cores === "number" ? `${count(cores)} ${cores === 1 ? "core" : "cores"}` : null,
    hypervisor === "none" ? "no hypervisor" : hypervisor,
    [word("platform"), word("kernel")].filter((part) => part !== null).join(" ") || null,
    word("node") === null ? null : `Node ${word("node")}`,
  ];
  return parts.filter((part) => part !== null).join(", ");
}

function ratioOf(cell: Cell): number {
  return figure(cell, "ratioToReference")?.median ?? 1;
}

function cheaper(cells: readonly Cell[]): string {
  const words = cells.map((cell) => `${cell.contender} needs ${ratio(ratioOf(cell))} times that`);
  return enumerate(words);
}

function ties(cells: readonly Cell[]): string {
  if (cells.length === 0) return "";
  const names = enumerate(cells.map(({ contender }) => contender));
  return `${names} ${cells.length === 1 ? "ties" : "tie"} with it`;
}

function dearer(cells: readonly Cell[]): string {
  const sorted = [...cells].sort((left, right) => ratioOf(left) - ratioOf(right));
  const [first] = sorted;
  const last = sorted.at(-1);
  if (first === undefined || last === undefined) return "";
  const near = `${first.contender} costs ${ratio(ratioOf(first))} times as much`;
  if (first === last) return near;
  const far = `${last.contender}, the dearest, ${ratio(ratioOf(last))} times`;
  return `${near}, ${far}`;
}
