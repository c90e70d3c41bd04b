// --live: a page that shows a run while it runs, and ends with its report.

import type { Host } from "../host/host.ts";
import type { Plan } from "../run/plan.ts";
import type { RunProgress } from "../run/run.ts";
import { Feed } from "./feed.ts";
import { LiveServer } from "./http.ts";
import { renderLivePage } from "./page.ts";
import { Sampler } from "./sampler.ts";

export class Live {
  readonly #feed: Feed;
  readonly #server: LiveServer;
  readonly #sampler: Sampler;

  private constructor(host: Host, feed: Feed, server: LiveServer) {
    this.#feed = feed;
    this.#server = server;
    this.#sampler = new Sampler(host, (samples) => feed.add(samples));
  }

  /** @param port 0 for any that is free. @throws the system's error where it is taken. */
  static async open(
    plan: Plan,
    { host, port }: { readonly host: Host; readonly port: number },
  ): Promise<Live> {
    let server: LiveServer | null = null;
    const feed = new Feed(plan, (message) => server?.send(message));
    const page = renderLivePage(plan);
    server = await LiveServer.listen({ port, page, past: () => feed.past() });
    return new Live(host, feed, server);
  }

  get url(): string {
    return this.#server.url;
  }

  show(progress: RunProgress): void {
    // Before the feed hears of the next contender.
    if (progress.event === "round-ended") this.#sampler.rest(progress.step.contender);
    this.#feed.hear(progress);
  }

  watch(contender: string, pid: number): void {
    this.#sampler.watch(contender, pid);
  }

  /** Hands the report to every open page, and stops listening within 2 s. */
  async finish(report: string): Promise<void> {
    this.#sampler.stop();
    await this.#server.handOver(report, () => this.#feed.finish());
  }

  async close(): Promise<void> {
    this.#sampler.stop();
    await this.#server.close();
  }
}
