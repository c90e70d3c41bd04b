// Joining and leaving across gateways of the chat: what is said about groups, and what the other
// gateways make of it. Counted in bytes and entries, not in time.

import { describe, expect, it } from "vitest";
import { Directory } from "../examples/chat/directory.ts";
import type { Member } from "../examples/chat/member.ts";
import { Room } from "../examples/chat/room.ts";

const limits = { longestLineBytes: 1000, queueBytes: 1000, groupsPerMember: 10_000 };
const memberNamed = (name: string) => ({ name, groups: new Set<string>() }) as unknown as Member;

/** Bytes that a join, and then a leave, of one group say beside so many other groups. */
function bytesBeside(others: number): number {
  const room = new Room(limits);
  const [resident, guest] = [memberNamed("resident"), memberNamed("guest")];
  for (let i = 0; i < others; i++) room.join(resident, `group ${i}`);
  room.takeChanges();
  room.join(guest, "tea");
  const joined = JSON.stringify(room.takeChanges());
  expect(joined).toBe('{"tea":["guest"]}');
  room.leave(guest, "tea");
  const left = JSON.stringify(room.takeChanges());
  expect(left).toBe('{"tea":[]}');
  return joined.length + left.length;
}

describe("joining a group", () => {
  it("says as much beside 2,000 groups as beside none", () => {
    expect(bytesBeside(2000)).toBe(bytesBeside(0));
  });

  it("says nothing if nothing changed", () => {
    const room = new Room(limits);
    const member = memberNamed("a");
    room.join(member, "tea");
    room.takeChanges();
    room.join(member, "tea");
    room.leave(member, "never joined");
    expect(room.takeChanges()).toEqual({});
  });

  it("says every group that a member leaves with its connection", () => {
    const room = new Room(limits);
    const [a, b] = [memberNamed("a"), memberNamed("b")];
    for (const group of ["tea", "milk"]) room.join(a, group);
    room.join(b, "tea");
    room.takeChanges();
    room.exit(a);
    expect(room.takeChanges()).toEqual({ tea: ["b"], milk: [] });
  });
});

describe("the directory", () => {
  it("changes the groups that it is told of, and keeps the others", () => {
    const directory = new Directory();
    directory.note("x", { all: true, groups: { tea: ["a"], milk: ["b"] } }, 0);
    directory.note("x", { all: false, groups: { tea: ["a", "c"], __proto__x: ["d"] } }, 1);
    expect(directory.membersOf("tea", 1)).toEqual(["a", "c"]);
    expect(directory.membersOf("milk", 1)).toEqual(["b"]);
    directory.note("x", { all: false, groups: { milk: [] } }, 2);
    expect(directory.membersOf("milk", 2)).toEqual([]);
    directory.note("x", null, 3);
    expect(directory.membersOf("tea", 3)).toEqual(["a", "c"]);
  });

  it("takes all groups in place of what it knew, which repairs a lost change", () => {
    const directory = new Directory();
    directory.note("x", { all: true, groups: { tea: ["a"] } }, 0);
    directory.note("x", { all: true, groups: { milk: ["a"] } }, 1);
    expect(directory.membersOf("tea", 1)).toEqual([]);
    expect(directory.membersOf("milk", 1)).toEqual(["a"]);
  });
});
