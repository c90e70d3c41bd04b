// A chat in one process: each message goes into the queues of all members.

import type { Floor, Limits, Member } from "./member.ts";
import { encode, encodeSay, type Request } from "./messages.ts";
import { Room } from "./room.ts";

export class LocalFloor implements Floor {
  readonly limits: Limits;
  readonly room: Room;

  constructor(limits: Limits) {
    this.limits = limits;
    this.room = new Room(limits);
  }

  entered(member: Member): void {
    this.room.enter(member);
  }

  handle(member: Member, request: Request): void {
    if (request.kind !== "members") member.user = request.user;
    if (request.kind === "say") {
      this.room.tell(encodeSay(request, member.address), request.to);
      return;
    }
    const { group } = request;
    const refused = request.kind === "join" ? this.room.join(member, group) : null;
    if (refused !== null) {
      member.complain(refused);
      return;
    }
    if (request.kind === "leave") this.room.leave(member, group);
    member.tell(encode({ group, members: this.room.membersOf(group) }));
  }

  report(text: string): void {
    console.error(`chat: ${text}`);
  }

  left(member: Member, reason: string | null): void {
    this.room.exit(member);
    if (reason === null) return;
    const notice = `${member.name} was dropped: ${reason}`;
    this.report(notice);
    this.room.tell(encode({ notice }), null);
  }
}
