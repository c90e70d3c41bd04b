// Scripts of requests and the options of the protocols, right ones and wrong ones.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { endHttp, expectClean, http, listenHttp, type Options } from "./http-runs.ts";
import { endAll, listen, run } from "./load-runs.ts";

afterEach(async () => {
  await endAll();
  endHttp();
});

describe("a script", () => {
  async function withScript<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
    const folder = await mkdtemp(join(tmpdir(), "io-selectors-script-"));
    try {
      const path = join(folder, "requests.txt");
      await writeFile(path, text);
      return await use(path);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it("chooses requests by weight, the same ones for the same seed", async () => {
    const text =
      "# paths of the shop\n\n" +
      "9 --path /a\n" +
      "1 --path '/b' # in quotes\n" +
      '--path /c --method POST --body "say \\"hi\\" # here" --status 201\n';
    await withScript(text, async (script) => {
      const draw = async (seed: number) => {
        const counts = new Map<string, number>();
        const order: string[] = [];
        const port = await listenHttp((incoming, response) => {
          let body = "";
          incoming.on("data", (data) => {
            body += data;
          });
          incoming.on("end", () => {
            const key = `${incoming.method} ${incoming.url} ${body}`;
            counts.set(key, (counts.get(key) ?? 0) + 1);
            if (order.length < 50) order.push(key);
            response.statusCode = incoming.url === "/c" ? 201 : 200;
            response.end();
          });
        });
        const load = {
          ...{ script, seed, connections: 1, mode: "closed", "in-flight": 1 },
          // A machine that stands still must leave time for each of them.
          "window-ms": 300,
        };
        expectClean(await http(port, load));
        return { counts, order };
      };
      // How many requests a run has time for depends on the machine; their order does not.
      const common = (one: readonly string[], other: readonly string[]) =>
        [one, other].map((all) => all.slice(0, Math.min(one.length, other.length)));
      const { counts, order } = await draw(1);
      expect([...counts.keys()].sort()).toEqual(["GET /a ", "GET /b ", 'POST /c say "hi" # here']);
      const of = (key: string) => counts.get(key) ?? 0;
      expect(of("GET /a ")).toBeGreaterThan(of("GET /b ") * 4);
      const [again, before] = common((await draw(1)).order, order);
      expect(again?.length).toBeGreaterThan(0);
      expect(again).toEqual(before);
      const [other, first] = common((await draw(2)).order, order);
      expect(other).not.toEqual(first);
    });
  });

  it("ends a quoted word behind an escaped backslash", async () => {
    await withScript('--send "a\\\\" --until "\\n"\n', async (script) => {
      const received = new Set<string>();
      const port = await listen((socket, data) => {
        for (const byte of data.toString("latin1")) received.add(byte);
        for (let left = data.length / 2; left >= 1; left--) socket.write("ok\n");
      });
      const load = { protocol: "request", script, connections: 1, mode: "closed", "in-flight": 1 };
      expectClean(await run(port, load));
      expect([...received].sort()).toEqual(["\\", "a"]);
    });
  });

  it.each([
    ["--path\n", /requests\.txt:1: --path: its value is missing/],
    ["--path /a\n--pth /b\n", /requests\.txt:2: unknown option "--pth"/],
    ["often --path /a\n", /requests\.txt:1: "often" is neither a weight nor an option/],
    ["--path '/a\n", /requests\.txt:1: a quote is not closed/],
    ["# nothing\n", /holds no request/],
    ["--send x --expect y\n", /--expect needs --protocol request/],
  ])("refuses %j", async (text, problem) => {
    await withScript(text, async (script) => {
      const { code, stderr } = await http(1, { script });
      expect(code).toBe(2);
      expect(stderr).toMatch(problem);
    });
  });
});

describe("options that make no sense", () => {
  it.each<[Options, RegExp]>([
    [{ protocol: "gopher" }, /"gopher" is not one of echo, request, http/],
    [{ path: "/x" }, /--path needs --protocol http/],
    [{ protocol: "http", send: "x" }, /--send needs --protocol request/],
    [{ protocol: "request" }, /--send is missing/],
    [{ protocol: "request", send: "x" }, /has to say where an answer ends/],
    [{ protocol: "request", send: "\\q", until: "x" }, /"\\q" has a backslash that is not one of/],
    [{ protocol: "request", send: "x", until: "y", "length-prefix": 1 }, /exclude each other/],
    [{ protocol: "http", path: "health" }, /--path: "health" has to begin with \//],
    [{ protocol: "http", header: "nothing" }, /"nothing" is not "Name: value"/],
    [{ protocol: "http", header: "A: b\r\nC: d" }, /is not "Name: value"/],
    [{ protocol: "http", status: 100 }, /"100" is not a status from 200 to 599/],
    [{ protocol: "http", "expect-sha256": "abc" }, /"abc" is not 64 hexadecimal digits/],
    [{ protocol: "http", "body-file": "/no/such" }, /--body-file: cannot read \/no\/such/],
    [{ "reopen-percent": 5 }, /--reopen-percent needs --protocol http or request/],
    [{ protocol: "http", host: "10.1.2.3" }, /10\.1\.2\.3 is not this machine's loopback/],
  ])("refuses %j", async (options, problem) => {
    const { code, stderr, events } = await run(1, options);
    expect(code).toBe(2);
    expect(events).toEqual([]);
    expect(stderr).toMatch(problem);
  });
});
