// Every strategy of echo-server under a sanitizer and under load: many small messages, then few
// that no socket takes at once. Returns its findings as text.

import { readdirSync } from "node:fs";
import { environment } from "./compile.mjs";
import { eventually, run, start } from "./processes.mjs";

const timeoutMs = 60_000;

const loads = [
  "--connections 500 --payload-bytes 200 --mode open --rate 4000 --warmup-ms 100 --windows 4 " +
    "--window-ms 200 --drain-timeout-ms 20000",
  "--connections 40 --payload-bytes 400000 --mode closed --in-flight 40 --warmup-ms 0 " +
    "--windows 1 --window-ms 200 --drain-timeout-ms 20000",
].map((text) => text.split(" "));

/** Messages that block for some strategies, so that the pool of workers has jobs. */
const options = {
  "reactor-workers": "--block-ms 1 --block-below 32 --message-bytes 200".split(" "),
};

/** The strategies that an echo-server names when it is asked for one that it has not. */
export async function strategiesOf(echoServer) {
  const { stderr } = await run([...echoServer, "--strategy", "?"], { env: environment, timeoutMs });
  const listed = /strategies: *(.*)/.exec(stderr)?.[1]?.trim().split(/\s+/) ?? [];
  if (listed.length === 0) throw new Error(`echo-server lists no strategies: ${stderr}`);
  return listed;
}

/** How many entries /proc/<pid>/<folder> has; undefined on systems without it. */
function countOf(pid, folder) {
  try {
    return readdirSync(`/proc/${pid}/${folder}`).length;
  } catch {
    return undefined;
  }
}

/**
 * One strategy, from its ready line to its counters.
 * @returns {Promise<{ findings: string[], messages: number, threads: number }>} threads: the most
 * that the server was seen to have
 */
export async function exercise(echoServer, loadGenerator, strategy) {
  const command = [...echoServer, "--strategy", strategy, ...(options[strategy] ?? [])];
  const server = start(command, { env: environment, timeoutMs });
  const said = () => server.printed.stdout.split("\n").filter((line) => line !== "");
  if (!(await eventually(() => said().length > 0 || server.child.exitCode !== null, 10_000))) {
    server.child.kill("SIGKILL");
  }
  if (said().length === 0) return { findings: [server.printed.stderr], messages: 0, threads: 0 };
  const { port } = JSON.parse(said()[0]);
  const { pid } = server.child;
  const openAtFirst = countOf(pid, "fd");
  const outcome = { findings: [], messages: 0, threads: 1 };
  const look = () => {
    outcome.threads = Math.max(outcome.threads, countOf(pid, "task") ?? 1);
  };
  const alive = () => server.child.exitCode === null && server.child.signalCode === null;
  for (const load of loads) {
    if (!alive()) break;
    const loaded = [...loadGenerator, "run", "--port", `${port}`, "--server-pid", `${pid}`];
    const generator = await run([...loaded, ...load], {
      env: environment,
      timeoutMs,
      onOutput: look,
    });
    judgeLoad(generator, outcome);
  }
  const flat = () => !alive() || countOf(pid, "fd") === openAtFirst;
  if (!(await eventually(flat, 10_000))) {
    outcome.findings.push(`${countOf(pid, "fd")} descriptors, ${openAtFirst} before the load`);
  }
  server.child.kill("SIGTERM");
  judgeServer(await server.ended, server.printed.stderr, said().at(-1), outcome);
  return outcome;
}

function judgeLoad({ code, stdout, stderr }, outcome) {
  if (code !== 0 || stderr !== "") outcome.findings.push(`load-generator: exit ${code}\n${stderr}`);
  const last = stdout.trim().split("\n").at(-1) ?? "";
  if (!last.startsWith('{"event":"result"')) return;
  const result = JSON.parse(last);
  outcome.messages += result.totalMessages;
  for (const name of ["mismatches", "missing", "connectionsLost"]) {
    if (result[name] !== 0) outcome.findings.push(`load-generator: ${result[name]} ${name}`);
  }
  if (result.totalMessages === 0) outcome.findings.push("load-generator: no message came back");
}

function judgeServer(code, stderr, lastLine, outcome) {
  if (code !== 0 || stderr !== "") outcome.findings.push(`echo-server: exit ${code}\n${stderr}`);
  if (!lastLine?.startsWith('{"event":"counters"')) return;
  const { connectionsAccepted, connectionsClosed } = JSON.parse(lastLine);
  if (connectionsAccepted !== connectionsClosed || connectionsAccepted === 0) {
    outcome.findings.push(`${connectionsAccepted} accepted, ${connectionsClosed} closed`);
  }
}
