// The members that are present, and their groups.

import type { Limits, Member } from "./member.ts";
import { isAddress } from "./messages.ts";

export class Room {
  readonly #members = new Set<Member>();
  readonly #byAddress = new Map<string, Member>();
  readonly #groups = new Map<string, Set<Member>>();
  readonly #groupsPerMember: number;
  /** Groups that members joined or left since the last takeChanges(). */
  #changed = new Set<string>();

  constructor({ groupsPerMember }: Limits) {
    this.#groupsPerMember = groupsPerMember;
  }

  get size(): number {
    return this.#members.size;
  }

  enter(member: Member): void {
    this.#members.add(member);
    this.#byAddress.set(member.address, member);
  }

  /** Leaves the room and all groups. @returns whether it was in any. */
  exit(member: Member): boolean {
    const wasInGroups = member.groups.size > 0;
    for (const group of [...member.groups]) this.leave(member, group);
    this.#members.delete(member);
    this.#byAddress.delete(member.address);
    return wasInGroups;
  }

  /** Joining twice is a no-op. @returns why it may not; null once it is in. */
  join(member: Member, group: string): string | null {
    if (member.groups.has(group)) return null;
    if (member.groups.size >= this.#groupsPerMember) {
      const full = `this connection is in ${member.groups.size} groups, the most allowed`;
      return `cannot join "${group}": ${full}; leave one first`;
    }
    const members = this.#groups.get(group) ?? new Set();
    members.add(member);
    this.#groups.set(group, members);
    member.groups.add(group);
    this.#changed.add(group);
    return null;
  }

  /** A no-op for a group that it is not in. */
  leave(member: Member, group: string): void {
    if (member.groups.delete(group)) this.#changed.add(group);
    const members = this.#groups.get(group);
    members?.delete(member);
    if (members?.size === 0) this.#groups.delete(group);
  }

  /** The names in a group; empty if there is no such group. */
  membersOf(group: string): string[] {
    return [...(this.#groups.get(group) ?? [])].map(({ name }) => name);
  }

  /** Every group with the names in it. */
  groups(): Record<string, string[]> {
    return Object.fromEntries([...this.#groups.keys()].map((name) => [name, this.membersOf(name)]));
  }

  /**
   * The groups that changed since the last call, with the names in them now: empty for one that has
   * no members. Each is complete, so a lost or repeated one does no harm.
   */
  takeChanges(): Record<string, string[]> {
    const changed = this.#changed;
    this.#changed = new Set();
    return Object.fromEntries([...changed].map((name) => [name, this.membersOf(name)]));
  }

  /** Sends to all members, which is null, to those of a group, or to the one at an address. */
  tell(line: Uint8Array, group: string | null): void {
    if (group !== null && isAddress(group)) {
      this.#byAddress.get(group)?.tell(line);
      return;
    }
    const members = group === null ? this.#members : this.#groups.get(group);
    // No copy is needed although the set may shrink in the loop: a Set's iterator allows that.
    for (const member of members ?? []) member.tell(line);
  }

  /** Pauses or resumes reading from all members. */
  pause(paused: boolean): void {
    for (const member of this.#members) member.pause(paused);
  }
}
