// Which states of the code are compared: names become commits, and what cannot be compared is said
// before anything is built. git-rev-parse(1), gitrevisions(7).

import { existsSync, realpathSync } from "node:fs";
import { relative } from "node:path";
import { UsageError } from "../command-line.ts";
import { plural } from "../report/format.ts";
import { reportsInRoot } from "./leave.ts";
import type { Revision } from "./result.ts";
import { runTool, type ToolContext } from "./tool.ts";

export interface Asked {
  readonly base: string;
  /** Null: what is checked out, which then has to be committed. */
  readonly head: string | null;
  /** What this command writes, and earlier runs may have left: no changes. */
  readonly written: readonly (string | null)[];
}

/**
 * @param root the top folder of the repository.
 * @throws {UsageError} on a missing ref, uncommitted changes without --head, one commit twice, no
 *   repository at all.
 * @throws {Interrupted}
 */
export async function resolveRevisions(
  root: string,
  { base, head, written }: Asked,
  context: ToolContext,
): Promise<{ readonly base: Revision; readonly head: Revision }> {
  const inside = await runTool(["git", "-C", root, "rev-parse", "--show-prefix"], context);
  if (inside.failure !== null || (inside.lines[0] ?? "") !== "") {
    throw new UsageError(
      "this folder is not a git clone of io-selectors, so it has no commits to compare; " +
        `--command 'CMD {port}' measures a server of the repository in this folder${said(inside)}`,
    );
  }
  const resolved = {
    base: await resolve(root, { option: "--base", name: base }, context),
    head: await resolve(root, { option: "--head", name: head ?? "HEAD" }, context),
  };
  if (head === null) await refuseChanges(root, written, context);
  if (resolved.base.commit === resolved.head.commit) {
    const { name, commit } = resolved.base;
    throw new UsageError(`--base: "${name}" is the head itself (${commit}); name another commit`);
  }
  return resolved;
}

/**
 * Of `git rev-parse --local-env-vars`, without configuration, which git passes to submodules, too.
 * In a hook git sets some of them to the repository and the index of the caller.
 */
const repositoryVariables = [
  ...["GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_OBJECT_DIRECTORY", "GIT_DIR", "GIT_WORK_TREE"],
  ...["GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS"],
  ...["GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_INTERNAL_SUPER_PREFIX", "GIT_SHALLOW_FILE"],
  "GIT_COMMON_DIR",
];

/** Otherwise git in a worktree, and every build, would change the index and HEAD of the caller. */
export function forgetRepository(environment: NodeJS.ProcessEnv): void {
  for (const name of repositoryVariables) delete environment[name];
}

/** Where a repository is, and which folder of it this one is. */
export interface Repository {
  readonly root: string;
  /** Relative to `root`; empty for the root itself. */
  readonly folder: string;
}

/** The repository of a folder. @throws {UsageError} if it is in none. @throws {Interrupted} */
export async function repositoryOf(folder: string, context: ToolContext): Promise<Repository> {
  const argv = ["git", "-C", folder, "rev-parse", "--show-toplevel", "--show-prefix"];
  const told = await runTool(argv, context);
  const [root = "", prefix = ""] = told.lines;
  if (told.failure === null && root !== "") return { root, folder: prefix };
  throw new UsageError(
    `${folder} is not in a git repository; run this in the one to measure${said(told)}`,
  );
}

/** It may be another reason, such as an owner that git does not trust. */
function said({ failure }: Awaited<ReturnType<typeof runTool>>): string {
  return failure === null ? "" : ` (git ${failure})`;
}

async function resolve(
  root: string,
  { option, name }: { readonly option: string; readonly name: string },
  context: ToolContext,
): Promise<Revision> {
  const argv = ["git", "-C", root, "rev-parse", "--verify", "--quiet", "--end-of-options"];
  const { lines, failure } = await runTool([...argv, `${name}^{commit}`], context);
  const commit = lines[0] ?? "";
  if (failure === null && /^[0-9a-f]{12,}$/.test(commit))
    return { name, commit: commit.slice(0, 12) };
  const shallow = await runTool(
    ["git", "-C", root, "rev-parse", "--is-shallow-repository"],
    context,
  );
  const hint =
    shallow.lines[0] === "true"
      ? "; this clone is shallow and lacks older ones: git fetch --unshallow"
      : "; fetch it first if it is on a remote";
  throw new UsageError(`${option}: no commit "${name}"${hint}`);
}

/** Those that are not the command's own output. */
async function refuseChanges(
  root: string,
  written: readonly (string | null)[],
  context: ToolContext,
): Promise<void> {
  const own = written
    .filter((path) => path !== null && existsSync(path))
    .map((path) => relative(realpathSync(root), realpathSync(path as string)))
    .filter((path) => !path.startsWith(".."))
    .map((path) => (path === "" ? `:(exclude)${reportsInRoot}` : `:(exclude,literal)${path}`));
  const argv = ["git", "-C", root, "status", "--porcelain", "--", ".", ...own];
  const { lines, failure } = await runTool(argv, context);
  if (failure !== null) throw new UsageError(`git status ${failure}`);
  if (lines.length === 0) return;
  const files = plural(lines.length, "file");
  throw new UsageError(
    `uncommitted changes (${files}): commit them, or measure the last commit with --head HEAD`,
  );
}
