// The chat's protocol: one JSON object per line, in both directions.

import { randomBytes } from "node:crypto";

/**
 * To all users, to the members of a group, whether or not the speaker is one, or to the one client
 * that has this private address.
 */
export interface Say {
  readonly kind: "say";
  readonly user: string;
  readonly text: string;
  readonly to: string | null;
}

export interface Join {
  readonly kind: "join" | "leave";
  readonly user: string;
  readonly group: string;
}

export interface AskMembers {
  readonly kind: "members";
  readonly group: string;
}

export type Request = Say | Join | AskMembers;

/** What a client is told. */
export type Answer =
  | { readonly user: string; readonly text: string; readonly to?: string; readonly from?: string }
  | { readonly group: string; readonly members: readonly string[] }
  | { readonly problem: string }
  | { readonly notice: string };

const LONGEST_NAME = 64;
/** The first character of a private address; the name of a group cannot begin with it. */
const ADDRESS_MARK = "@";
const ADDRESS_BYTES = 12;
const forms =
  '{"user","text"}, {"user","text","to"}, {"user","join"}, {"user","leave"}, {"members"}';
const encoder = new TextEncoder();

/**
 * A private address for one connection: valid at every gateway of every host without being known
 * to them, and known only to those that it is sent to.
 */
export function newAddress(): string {
  return `${ADDRESS_MARK}${randomBytes(ADDRESS_BYTES).toString("base64url")}`;
}

export function isAddress(name: string): boolean {
  return name.startsWith(ADDRESS_MARK);
}

/** A line of a client as what it asks for, or the problem with it in words. */
export function parseRequest(line: string): Request | { readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { problem: "not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { problem: "not a JSON object" };
  }
  return requestOf(value as Record<string, unknown>);
}

function requestOf(fields: Record<string, unknown>): Request | { readonly problem: string } {
  const { user, text, to, join, leave, members } = fields;
  if (members !== undefined) {
    return isName(members) ? { kind: "members", group: members } : nameProblem("members");
  }
  if (!isName(user)) return nameProblem("user");
  if (join !== undefined) {
    return isGroup(join) ? { kind: "join", user, group: join } : groupProblem("join");
  }
  if (leave !== undefined) {
    return isName(leave) ? { kind: "leave", user, group: leave } : nameProblem("leave");
  }
  if (typeof text !== "string") return { problem: `not one of ${forms}` };
  if (to !== undefined && !isName(to)) return nameProblem("to");
  return { kind: "say", user, text, to: to ?? null };
}

/**
 * The message to the other members, as a line.
 * @param from the speaker's private address, for an answer: all users need none
 */
export function encodeSay({ user, text, to }: Say, from: string): Uint8Array {
  return encode(to === null ? { user, text } : { user, text, to, from });
}

/** A line for a client. */
export function encode(answer: Answer): Uint8Array {
  return encoder.encode(`${JSON.stringify(answer)}\n`);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length >= 1 && value.length <= LONGEST_NAME;
}

function isGroup(value: unknown): value is string {
  return isName(value) && !isAddress(value);
}

function groupProblem(field: string): { readonly problem: string } {
  const { problem } = nameProblem(field);
  return { problem: `${problem} that does not begin with "${ADDRESS_MARK}"` };
}

function nameProblem(field: string): { readonly problem: string } {
  return { problem: `"${field}" is not a name of 1 … ${LONGEST_NAME} characters` };
}
