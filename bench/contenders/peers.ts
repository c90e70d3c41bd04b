// The peers: echo servers in other languages and on other libraries, as a user would otherwise
// write them. One row each; a new one is a file in peers/ and a row. They run only if asked for.

import { basename, join } from "node:path";
import type { Paths } from "../paths.ts";
import { type Contender, unix } from "./catalogue.ts";
import { compile, isCompiled, programFolder, type Recipe } from "./compile-peer.ts";
import type { ServerSettings } from "./settings.ts";
import {
  cargo,
  cLibrary,
  debianCrates,
  type FoundTool,
  go,
  java,
  javaScript,
  python,
  type Toolchain,
} from "./toolchains.ts";

/** All peers, in `--contenders`. */
export const peersGroup = "peers";

interface PeerRow {
  readonly strategy: string;
  readonly summary: string;
  readonly toolchain: Toolchain;
  /** Below bench/contenders/peers. */
  readonly sources: readonly string[];
  /** The argument vector; `folder` has the sources, or what `build` made of them. */
  readonly run: (tool: FoundTool, folder: string) => readonly string[];
  /** What a compiler is given; a script needs none. */
  readonly build?: Recipe["build"];
  readonly settings?: Partial<ServerSettings>;
}

type PeerProgram = Pick<PeerRow, "sources" | "build" | "run">;

const script = (file: string, ...args: readonly string[]): PeerProgram => ({
  sources: [file],
  run: ({ program }, folder) => [program, join(folder, file), ...args],
});

/** A script of several that have the code of every Python server in common. */
const pythonScript = (file: string, ...args: readonly string[]): PeerProgram => ({
  ...script(file, ...args),
  sources: [file, "peer.py"],
});

/** One source file, from the arguments of its compiler. */
const compiled = (file: string, args: (out: string) => readonly string[]): PeerProgram => ({
  sources: [file],
  build: ({ program }, out) => [[program, ...args(join(out, "server"))]],
  run: (_tool, folder) => [join(folder, "server")],
});

const compiledC = (file: string, ...libraries: readonly string[]): PeerProgram =>
  compiled(file, (out) => ["-O2", "-o", out, file, ...libraries]);

/** The runtime of the compiler that compiled it, with one garbage collector for one core. */
const javaClass = (file: string): PeerProgram => ({
  sources: [file],
  build: ({ program }, out) => [[program, "-nowarn", "-XDignore.symbol.file", "-d", out, file]],
  run: ({ program }, folder) => [
    ...[program.replace(/javac$/, "java"), "-XX:+UseSerialGC", "-cp", folder],
    basename(file, ".java"),
  ],
});

/** CPython's selectors.EpollSelector waits for as many events as it has registrations. */
const asManyAsRegistered = { eventsPerWait: "as many as are registered" };
const allThatWait = { acceptsPerWake: "all that wait" };

const rows: readonly PeerRow[] = [
  {
    strategy: "python-selectors",
    summary: "Python's selectors module over epoll",
    toolchain: python(),
    ...pythonScript("python-selectors.py"),
    settings: asManyAsRegistered,
  },
  {
    strategy: "asyncio",
    summary: "a Protocol on Python's asyncio",
    toolchain: python(),
    ...pythonScript("asyncio-echo.py", "asyncio"),
    settings: { ...asManyAsRegistered, readBufferBytes: 262_144, acceptsPerWake: 4096 },
  },
  {
    strategy: "uvloop",
    summary: "the same Protocol on uvloop, which is libuv for asyncio",
    toolchain: python("uvloop"),
    ...pythonScript("asyncio-echo.py", "uvloop"),
    settings: { readBufferBytes: 256_000, ...allThatWait, eventsPerWait: 1024 },
  },
  {
    strategy: "twisted",
    summary: "a Protocol on Twisted's epoll reactor, with its transport as its producer",
    toolchain: python("twisted"),
    ...pythonScript("twisted-echo.py"),
    settings: { ...asManyAsRegistered, acceptsPerWake: "100, then as many as came" },
  },
  {
    strategy: "gevent",
    summary: "a greenlet for each connection, on gevent's StreamServer",
    toolchain: python("gevent"),
    ...pythonScript("gevent-echo.py"),
    settings: { eventsPerWait: "64, then as many as came" },
  },
  {
    strategy: "bare-epoll",
    summary: "epoll(7) in C, without a library",
    toolchain: cLibrary("cc", { header: "sys/epoll.h", version: ["__VERSION__"] }),
    ...compiledC("bare-epoll.c"),
    settings: { ...allThatWait, eventsPerWait: 256 },
  },
  {
    strategy: "libuv",
    summary: "uv_tcp_t in C",
    toolchain: cLibrary("libuv", {
      header: "uv.h",
      version: ["UV_VERSION_MAJOR", "UV_VERSION_MINOR", "UV_VERSION_PATCH"],
      debian: "libuv1-dev",
    }),
    ...compiledC("libuv.c", "-luv"),
    settings: { ...allThatWait, eventsPerWait: 1024 },
  },
  {
    strategy: "libevent",
    summary: "libevent's bufferevents in C",
    toolchain: cLibrary("libevent", {
      ...{ header: "event2/event.h", version: ["EVENT__VERSION"], debian: "libevent-dev" },
    }),
    ...compiledC("libevent.c", "-levent"),
    // evbuffer_read(3) takes 4 KiB at most, whatever a bufferevent allows.
    settings: {
      readBufferBytes: 4096,
      ...allThatWait,
      eventsPerWait: "32, then as many as came",
    },
  },
  {
    strategy: "asio",
    summary: "standalone Asio in C++, on one thread",
    toolchain: cLibrary("Asio", {
      header: "asio/version.hpp",
      version: ["ASIO_VERSION"],
      debian: "libasio-dev",
      language: "c++",
    }),
    ...compiled("asio.cc", (out) => ["-std=c++17", "-O2", "-pthread", "-o", out, "asio.cc"]),
    settings: { acceptsPerWake: 1, eventsPerWait: 128 },
  },
  {
    strategy: "tokio",
    summary: "a task for each connection on Tokio's current-thread runtime",
    toolchain: cargo("tokio"),
    ...compiled("tokio", () => []),
    sources: ["tokio/Cargo.toml", "tokio/src/main.rs"],
    build: ({ program }, out) => [
      ["cp", "-r", "tokio", out],
      [
        program,
        ...["build", "--release", "--offline", "--quiet"],
        ...["--manifest-path", join(out, "tokio", "Cargo.toml")],
        ...["--config", "source.crates-io.replace-with='debian'"],
        ...["--config", `source.debian.directory='${debianCrates}'`],
      ],
      ["mv", join(out, "tokio", "target", "release", "tokio-echo"), join(out, "server")],
      ["rm", "-r", join(out, "tokio")],
    ],
    settings: { ...allThatWait, eventsPerWait: 1024 },
  },
  {
    strategy: "go",
    summary: "a goroutine for each connection, on Go's package net",
    toolchain: go,
    ...compiled("go.go", (out) => ["build", "-o", out, "go.go"]),
    settings: { ...allThatWait, eventsPerWait: 128 },
  },
  {
    strategy: "java-nio",
    summary: "a java.nio Selector on one thread",
    toolchain: java(17),
    ...javaClass("JavaNio.java"),
    settings: { eventsPerWait: 1024 },
  },
  {
    strategy: "java-virtual-threads",
    summary: "a virtual thread for each connection, on java.net",
    toolchain: java(21),
    ...javaClass("JavaVirtualThreads.java"),
    settings: { acceptsPerWake: 1, eventsPerWait: "64 per poller" },
  },
  {
    strategy: "bun",
    summary: "Bun.listen",
    toolchain: javaScript("bun"),
    ...script("bun.mjs"),
    settings: { readBufferBytes: 524_288, ...allThatWait, eventsPerWait: 1024, backlog: 512 },
  },
  {
    strategy: "deno",
    summary: "Deno.listen, an async function for each connection; misses connections reset early",
    toolchain: javaScript("deno"),
    sources: ["deno.mjs"],
    run: ({ program }, folder) => [
      ...[program, "run", "--quiet", "--no-config", "--no-prompt", "--allow-net=127.0.0.1"],
      join(folder, "deno.mjs"),
    ],
    settings: { acceptsPerWake: 1, eventsPerWait: 1024, backlog: 511 },
  },
];

/** A lookup starts a process, so each is made once. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const peer = ({ strategy, toolchain, run, build, sources, ...row }: PeerRow): Contender => {
  const name = `peer:${strategy}`;
  const find = once(() => toolchain.find());
  const recipeOf = (paths: Paths, tool: FoundTool | null): Recipe | null =>
    build === undefined || tool === null ? null : { name: strategy, paths, tool, sources, build };
  return {
    name,
    runtime: "peer",
    strategy,
    concurrency: "single",
    platforms: unix,
    summary: row.summary,
    ...(row.settings === undefined ? {} : { settings: row.settings }),
    command: (paths) => {
      const tool = find() ?? { program: strategy, version: "" };
      const recipe = recipeOf(paths, tool);
      return run(tool, recipe === null ? sourceFolder(paths) : programFolder(recipe));
    },
    version: () => find()?.version ?? null,
    missing: (paths) => {
      if (!paths.inClone) {
        return "the peers are not in the installed package; clone the repository and run it there";
      }
      return find() === null
        ? `${toolchain.needs} is not installed; run: ${toolchain.install}`
        : null;
    },
    unprepared: (paths) => {
      const recipe = recipeOf(paths, find());
      return recipe !== null && !isCompiled(recipe);
    },
    prepare: (paths) => {
      const recipe = recipeOf(paths, find());
      return recipe === null ? null : compile(recipe);
    },
  };
};

const sourceFolder = ({ root }: Paths) => join(root, "bench", "contenders", "peers");

export const peers: readonly Contender[] = rows.map(peer);
