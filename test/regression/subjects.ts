// What a tally asks the gate about: a server whose cost per message can be raised in base or head.
// The reactor of this tree, or an HTTP server on node:http as any repository may have it.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { foreignProfile, foreignTrees } from "../../bench/gate/foreign.ts";
import type { GateRequest } from "../../bench/gate/gate.ts";
import { gateMetric } from "../../bench/gate/metrics.ts";
import { type GateProfile, gateProfiles } from "../../bench/gate/profiles.ts";
import { pathsOf } from "../../bench/gate/sides.ts";
import { packagePaths } from "../../bench/paths.ts";
import { helloServer } from "../hello-server.ts";
import { type Fault, nanosecondsMore, plant } from "./planted-tree.ts";

/** The part of a request that a subject decides. */
export type Compared = Pick<GateRequest, "trees">;

export interface Subject {
  /** Of the contender in the gate's cells. */
  readonly name: string;
  /** CPU time per message where it could not be measured, in nanoseconds. */
  readonly usualNs: number;
  /** What only informs is left out: it cannot make the gate right or wrong. */
  profile(name: string): GateProfile | null;
  /** With so many nanoseconds more per message. */
  compared(more: { readonly base: number; readonly head: number }): Compared;
}

const own = packagePaths().root;
const reactor = "ts:reactor-epoll";

/** @param folders that the caller removes; @param only null: every contender of the profile */
export function reactorSubject(folders: string[], only: string | null): Subject {
  const treeOf = (nanoseconds: number) =>
    pathsOf(nanoseconds === 0 ? own : plantedTree(nanosecondsMore(nanoseconds), folders));
  return {
    name: reactor,
    usualNs: 10_000,
    profile: (name) => narrowed(gatingProfile(name), only),
    compared: ({ base, head }) => ({ trees: { base: treeOf(base), head: treeOf(head) } }),
  };
}

export function plantedTree(fault: Fault, folders: string[]): string {
  const tree = plant(own, fault);
  folders.push(tree);
  return tree;
}

const load = { connections: 200, ratePerSecond: 2_000, plantedPercent: 10 };
const http = helloServer("server.mjs {port}", load);

/** @param folders that the caller removes */
export function httpSubject(folders: string[]): Subject {
  const folderOf = (nanoseconds: number) => {
    const folder = mkdtempSync(join(tmpdir(), "io-selectors-http-"));
    folders.push(folder);
    writeFileSync(join(folder, "server.mjs"), httpServer(nanoseconds));
    return folder;
  };
  return {
    name: http.name,
    usualNs: 50_000,
    profile: (name) => {
      const profile = gatingProfile(name);
      return profile === null ? null : foreignProfile(profile, http);
    },
    compared: ({ base, head }) => ({
      trees: foreignTrees(http, { base: folderOf(base), head: folderOf(head) }, packagePaths()),
    }),
  };
}

function httpServer(nanoseconds: number): string {
  const fault = nanoseconds === 0 ? null : nanosecondsMore(nanoseconds);
  return [
    'import { createServer } from "node:http";',
    "createServer((request, response) => {",
    `  ${fault?.call ?? ""} response.end("hello");`,
    '}).listen(Number(process.argv[2]), "127.0.0.1");',
    fault?.definition ?? "",
  ].join("\n");
}

function gatingProfile(name: string): GateProfile | null {
  const whole = gateProfiles.find((profile) => profile.name === name);
  if (whole === undefined) return null;
  const gates = (metric: string) => gateMetric(metric).gates;
  return { ...whole, loads: whole.loads.filter(({ metrics }) => metrics.some(gates)) };
}

function narrowed(profile: GateProfile | null, only: string | null): GateProfile | null {
  if (profile === null || only === null) return profile;
  const narrow = <Row extends { readonly contenders: readonly string[] }>(all: readonly Row[]) =>
    all
      .map((row) => ({ ...row, contenders: row.contenders.filter((one) => one === only) }))
      .filter(({ contenders }) => contenders.length > 0);
  return { ...profile, loads: narrow(profile.loads), exact: narrow(profile.exact) };
}
