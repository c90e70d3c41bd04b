// A round of event-delivery: one way, with processes of which half wait for the event that is sent.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Delivered } from "../model/events.ts";
import type { ProgramFigures } from "../model/metrics.ts";
import type { DeliverySettings } from "../run/delivery-round.ts";
import { quantile, sort } from "../statistics/quantile.ts";
import { type Played, type Unplayable, windowOf } from "./played.ts";
import { type Block, playBlock, type SceneScale } from "./scene.ts";
import type { Way } from "./way.ts";
import { wayNamed } from "./ways.ts";

/** As many places as are made in the trial: a moment's work, where nothing else ends it. */
const triedEventTypes = 1_000;

export async function playEventDelivery(
  name: string,
  settings: DeliverySettings,
): Promise<Played | Unplayable> {
  const way = wayNamed(name);
  const unavailable = (await way.refusal?.()) ?? null;
  if (unavailable !== null) return { unavailable };
  const { folder, block: index } = settings;
  const scale = scaleOf(settings);
  const block = await playBlock(way, scale, subfolder(folder, "scene"));
  const window = windowOf(
    {
      durationNs: block.durationNs,
      stealNs: block.stealNs,
      intendedMessages: block.paced.expected,
      completedMessages: block.paced.expected - block.paced.lost,
    },
    block.paced.lastNs,
  );
  const held = index === 0 ? await holdTypes(way, subfolder(folder, "held")) : {};
  return {
    windows: [window],
    figures: { ...figuresOf(block), ...held },
    facts: factsOf(way),
    messages: block.paced.expected + block.burst.expected,
    wrong: 0,
    error: falsehoodOf(way, block),
  };
}

function scaleOf({
  connections,
  ratePerSecond,
  warmupMs,
  ...timing
}: DeliverySettings): SceneScale {
  const rate = ratePerSecond ?? 1;
  const events = Math.max(1, Math.round((rate * timing.windows * timing.windowMs) / 1000));
  return { processes: connections, events, gapMs: 1000 / rate, warmupMs };
}

function subfolder(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function factsOf({ known, bytesReach, wakesOthers, holds }: Way): Delivered["facts"] {
  return { senderKnows: known, bytesReach, wakesOthers: wakesOthers ? "yes" : "no", holds };
}

/** Tests the claim about the sender's knowledge with an event that no process waits for. */
function falsehoodOf({ known }: Way, { unheard }: Block): string | null {
  const told = unheard === 0;
  if (told === (known !== "nothing")) return null;
  const found = told ? "that no process waited" : "nothing although no process waited";
  return `the sender learned ${found}, but is declared to know ${known}`;
}

async function holdTypes(way: Way, folder: string): Promise<ProgramFigures> {
  const from = performance.now();
  const eventTypesHeld = await way.hold(folder, triedEventTypes);
  const spentUs = (performance.now() - from) * 1000;
  return { eventTypesHeld, eventTypeCost: spentUs / Math.max(eventTypesHeld, 1) };
}

function figuresOf({ paced, burst, cpuNs }: Block): ProgramFigures {
  return {
    lastListenerP50: quantileUs(paced.lastNs, 0.5),
    lastListenerP99: quantileUs(paced.lastNs, 0.99),
    othersCpuPerEvent: us(cpuNs.other),
    listenerCpuPerEvent: us(cpuNs.listener),
    senderCpuPerEvent: us(cpuNs.sender),
    senderCpuPerListener: us(cpuNs.senderPerListener),
    lostPercent: (100 * paced.lost) / paced.expected,
    duplicatedPercent: (100 * paced.duplicated) / paced.expected,
    burstLostPercent: (100 * burst.lost) / burst.expected,
    burstDuplicatedPercent: (100 * burst.duplicated) / burst.expected,
  };
}

function quantileUs(valuesNs: readonly number[], q: number): number | null {
  return valuesNs.length === 0 ? null : quantile(sort(valuesNs), q) / 1000;
}

function us(ns: number | null): number | null {
  return ns === null ? null : ns / 1000;
}
