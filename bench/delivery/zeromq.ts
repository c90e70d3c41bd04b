// Whether ZeroMQ is installed: a compiled package that only its own contenders need.

export async function zeromqRefusal(): Promise<string | null> {
  try {
    await import("zeromq");
    return null;
  } catch (error) {
    const [reason = ""] = String(error instanceof Error ? error.message : error).split("\n");
    return `the package zeromq cannot be loaded: ${reason}`;
  }
}
