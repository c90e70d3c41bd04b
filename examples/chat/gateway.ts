// A gateway: the worker that holds clients. It sends their messages to the broadcaster, and sends
// the messages of every gateway of every host to its clients.

import { once } from "node:events";
import type { Server } from "../../src/index.ts";
import type { Announce } from "./announce.ts";
import { Directory, type GroupNews } from "./directory.ts";
import type { Envelope } from "./envelope.ts";
import { type Floor, type Limits, type Member, openDoor } from "./member.ts";
import { encode, encodeSay, type Request } from "./messages.ts";
import { Room } from "./room.ts";
import { type Listener, Uplink, type UplinkOptions } from "./uplink.ts";

export interface GatewaySettings extends Omit<UplinkOptions, "origin"> {
  readonly name: string;
  /** Where clients connect; the gateways of a host share the port. */
  readonly host: string;
  readonly port: number;
  readonly limits: Limits;
}

const MARK_EVERY_MS = 200;
/** After this many marks all groups are sent, for a gateway that is new or lost a mark. */
const MARKS_A_ROLL_CALL = 5;

export async function runGateway(
  settings: GatewaySettings,
  announce: Announce,
  stop: AbortSignal,
): Promise<void> {
  const gateway = new Gateway(settings, announce);
  const listening = gateway.listen();
  if (!stop.aborted) await once(stop, "abort");
  gateway.close();
  await listening;
}

class Gateway implements Floor, Listener {
  readonly limits: Limits;
  readonly #settings: GatewaySettings;
  readonly #announce: Announce;
  readonly #room: Room;
  readonly #directory = new Directory();
  readonly #uplink: Uplink;
  readonly #marking: NodeJS.Timeout;
  #door: Server<Member> | null = null;
  #paused = false;
  #groupsChanged = false;
  #marks = 0;

  constructor(settings: GatewaySettings, announce: Announce) {
    this.limits = settings.limits;
    this.#room = new Room(settings.limits);
    this.#settings = settings;
    this.#announce = announce;
    // Another run of this worker counts from 1, so it needs another name.
    const origin = `${settings.name}/${process.pid}`;
    this.#uplink = new Uplink({ ...settings, origin }, this);
    this.#marking = setInterval(() => this.#mark(), MARK_EVERY_MS);
    setImmediate(() => this.#mark());
  }

  listen(): Promise<void> {
    return this.#uplink.listen();
  }

  close(): void {
    const { lost, duplicates } = this.#uplink;
    this.#announce({ event: "counters", members: this.#room.size, lost, duplicates });
    clearInterval(this.#marking);
    void this.#door?.close({ connections: "destroy" });
    this.#uplink.close();
  }

  entered(member: Member): void {
    this.#room.enter(member);
    if (this.#paused) member.pause(true);
  }

  handle(member: Member, request: Request): void {
    if (request.kind !== "members") member.user = request.user;
    if (request.kind === "say") {
      this.#uplink.send(encodeSay(request, member.address), request.to);
      if (this.#uplink.full) this.#pause(true);
      return;
    }
    const { group } = request;
    if (request.kind !== "members") {
      const refused = request.kind === "join" ? this.#room.join(member, group) : null;
      if (refused !== null) {
        member.complain(refused);
        return;
      }
      if (request.kind === "leave") this.#room.leave(member, group);
      this.#tellGroups();
    }
    const elsewhere = this.#directory.membersOf(group, performance.now());
    member.tell(encode({ group, members: [...this.#room.membersOf(group), ...elsewhere] }));
  }

  report(text: string): void {
    console.error(`chat: ${this.#settings.name}: ${text}`);
  }

  left(member: Member, reason: string | null): void {
    if (this.#room.exit(member)) this.#tellGroups();
    if (reason === null) return;
    const notice = `${member.name} was dropped: ${reason}`;
    this.report(notice);
    this.#uplink.send(encode({ notice }), null);
  }

  onWord({ to, body }: Envelope): void {
    this.#room.tell(body, to === "" ? null : to);
  }

  onMark({ origin, body }: Envelope): void {
    // Our own mark has come back, so sending and receiving work. Clients are accepted only now,
    // because earlier ones would miss messages.
    if (origin === this.#uplink.origin) {
      if (this.#door === null) this.#openDoor();
      return;
    }
    const news = body.length === 0 ? null : JSON.parse(new TextDecoder().decode(body));
    this.#directory.note(origin, news, performance.now());
  }

  onHeard(origin: string): void {
    this.#announce({ event: "heard", origin });
  }

  onLost(origin: string, count: number): void {
    this.#announce({ event: "lost", origin, count });
    this.#room.tell(encode({ notice: `${count} messages from ${origin} were lost` }), null);
  }

  onDrained(): void {
    if (this.#paused) this.#pause(false);
  }

  #openDoor(): void {
    const { host, port } = this.#settings;
    const door = openDoor({ host, port, reusePort: true }, this);
    this.#door = door;
    void door.ready.then(() => this.#announce({ event: "ready", port: door.address?.port }));
  }

  #pause(paused: boolean): void {
    this.#paused = paused;
    this.#room.pause(paused);
  }

  /** Once per turn, whatever number of members joined and left in it: only what changed. */
  #tellGroups(): void {
    if (this.#groupsChanged) return;
    this.#groupsChanged = true;
    setImmediate(() => {
      this.#groupsChanged = false;
      this.#uplink.mark(encodeNews({ all: false, groups: this.#room.takeChanges() }));
    });
  }

  #rollCall(): Uint8Array {
    this.#room.takeChanges(); // which are in it
    return encodeNews({ all: true, groups: this.#room.groups() });
  }

  #mark(): void {
    const rollCall = this.#marks++ % MARKS_A_ROLL_CALL === 0;
    this.#uplink.mark(rollCall ? this.#rollCall() : undefined);
    for (const origin of this.#directory.sweep(performance.now())) this.#uplink.forget(origin);
  }
}

const encodeNews = (news: GroupNews) => new TextEncoder().encode(JSON.stringify(news));
