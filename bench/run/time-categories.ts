// Which category a sampled stack belongs to, by the symbols of its frames. In the kernel the
// outermost system call decides, so that the packets which a send delivers on the loopback device
// count as sending; without a system call it is what interrupted the program. syscalls(2)

import type { TimeCategory } from "../model/cpu-profile.ts";

/** One function of a stack. */
export interface SampledFrame {
  readonly symbol: string;
  /** The program or library that holds it; in brackets for what is no file. */
  readonly object: string;
}

interface CategoryRule {
  readonly category: TimeCategory;
  /** The outermost system call; any or none unless given. */
  readonly call?: RegExp;
  /** A function of the kernel that must be on the stack; any unless given. */
  readonly inside?: RegExp;
}

const anyCall = /./;

/** The first that holds decides. */
const rules: readonly CategoryRule[] = [
  // io_uring does in one call, or on the way back to the program, what others do in several.
  { category: "receiving", inside: /^io_recv/ },
  { category: "sending", inside: /^io_send/ },
  { category: "accepting", inside: /^io_accept/ },
  { category: "waiting", call: /^futex/, inside: /^futex_wait/ },
  { category: "scheduling", call: /^(futex.*|sched_yield)$/ },
  // A thread that blocks in recv sleeps inside the call: that is waiting.
  {
    category: "waiting",
    call: anyCall,
    inside: /^(schedule|schedule_timeout|schedule_hrtimeout_range\w*|sk_wait_data|wait_woken)$/,
  },
  { category: "otherCalls", inside: /^(eventfd|pipe|timerfd|signalfd)_(read|write)/ },
  { category: "waiting", call: /^(epoll_p?wait2?|p?select6?|p?poll|io_uring_enter)/ },
  { category: "waiting", call: /^((clock_)?nanosleep|pause|wait(4|id)|rt_sig\w*wait)/ },
  { category: "receiving", call: /^(recv(from|msg|mmsg)?|readv?)$/ },
  { category: "sending", call: /^(send(to|msg|mmsg)?|writev?)$/ },
  { category: "accepting", call: /^accept4?$/ },
  { category: "memory", call: /^(mmap|munmap|brk|madvise|mprotect|mremap)$/ },
  { category: "otherCalls", call: anyCall },
  { category: "memory", inside: /^(asm_)?exc_page_fault$|^do_(page_fault|translation_fault)$/ },
  { category: "scheduling", inside: /^(__schedule|schedule|schedule_tail|ret_from_fork\w*)$/ },
  {
    category: "interrupts",
    inside: /^(asm_)?(sysvec_|common_interrupt|exc_nmi)|^el\d\w*_(irq|fiq)/,
  },
];

/** An entry may have become part of its caller: then what it calls is the outermost name. */
const systemCalls = [
  /^__(?:x64|arm64|riscv|s390x?|ia32|se|do)_(?:compat_)?sys_(\w+)$/,
  /^(?:ksys|__sys)_(\w+)$/,
  /^do_(readv|writev|epoll_p?wait|select|futex)\b/,
];

function systemCall(symbol: string): string | undefined {
  return systemCalls.map((pattern) => pattern.exec(symbol)?.[1]).find((name) => name);
}

/** @param frames the outermost first; at least one. */
export function categoryOf(frames: readonly SampledFrame[]): TimeCategory {
  const kernel = frames.filter(isKernel).map(({ symbol }) => symbol);
  if (kernel.length === 0) return userCategory(frames.at(-1));
  const call = kernel.map(systemCall).find((name) => name);
  const rule = rules.find(
    (one) =>
      (one.call === undefined || (call !== undefined && one.call.test(call))) &&
      (one.inside === undefined || kernel.some((symbol) => one.inside?.test(symbol))),
  );
  // What is left is between the program and its call.
  return rule?.category ?? "crossing";
}

const userBrackets = /^\[(vdso|vsyscall|heap|stack|anon|JIT|unknown|uprobes)/;

/** `[kernel.kallsyms]` and modules such as `[tcp_bbr]`. */
export function isKernel({ object }: SampledFrame): boolean {
  return object.startsWith("[") && !userBrackets.test(object);
}

/** Compiled while it runs: perf finds its name in a file that the engine writes. */
export function isCompiledAtRunTime({ object }: SampledFrame): boolean {
  return /^perf-\d+\.map$/.test(object) || object.startsWith("[JIT");
}

const engines = /^(node|nodejs|deno|bun|java|ruby[\d.]*|python[\d.]*|php[\d.]*|beam(\.smp)?)$/;
const engineLibraries = /^lib(node|v8\w*|python[\d.]+|jvm|ruby[-\w.]*|jsc)\.(so|dylib)/;

function userCategory(frame: SampledFrame | undefined): TimeCategory {
  if (frame === undefined) return "own";
  const { symbol, object } = frame;
  if (isCompiledAtRunTime(frame)) return isOwnScript(symbol) ? "own" : "runtime";
  if (engines.test(object) || engineLibraries.test(object)) return "runtime";
  const library = /\.so(\.|$)/.test(object) || object === "[vdso]" || object === "[vsyscall]";
  return library ? "libraries" : "own";
}

/** Functions of a file that is not Node's own; built-in code and stubs have no file. */
function isOwnScript(symbol: string): boolean {
  return /\.[cm]?[jt]sx?\b/.test(symbol) && !symbol.includes("node:");
}
