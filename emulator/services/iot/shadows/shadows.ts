import type { Clock } from "../../../core/clock";
import { limits } from "../../../core/limits";
import type { MessageBroker } from "../broker";
import { invalidShadowName, invalidThingName, noShadow, tooLarge, versionConflict } from "./errors";
import { readChange } from "./request";
import { accepted, type Change, Shadow } from "./shadow";

const thingName = new RegExp(`^[a-zA-Z0-9:_-]{1,${limits.iot.name.value}}$`);
const shadowName = new RegExp(`^[$a-zA-Z0-9:_-]{1,${limits.iot.shadowName.value}}$`);
/** The state document's size, for each of its parts. */
const largestState = limits.iot.shadow.value;
/** A deleted shadow's version is remembered for two days: a new one goes on from it (device shadow data flow). */
const memoryMs = 2 * 86_400_000;

/** Which shadow: of a thing, the classic one where it has no name. */
export interface ShadowName {
  readonly thing: string;
  readonly shadow?: string;
}

/** The beginning of the topics of a shadow. */
export const prefixOf = ({ thing, shadow }: ShadowName) =>
  `$aws/things/${thing}/shadow${shadow === undefined ? "" : `/name/${shadow}`}`;

/**
 * The Device Shadow service of one account and region
 * (https://docs.aws.amazon.com/iot/latest/developerguide/iot-device-shadows.html). A shadow needs no thing in the
 * registry.
 */
export class Shadows {
  private readonly shadows = new Map<string, Shadow>();
  /** Versions of shadows that were deleted, and when. */
  private readonly deleted = new Map<string, { version: number; at: number }>();
  private readonly named = new Map<string, Set<string>>();

  constructor(
    private readonly broker: MessageBroker,
    private readonly clock: Clock,
  ) {}

  get(name: ShadowName): object {
    return this.find(name).document(this.seconds());
  }

  /** Changes a shadow, tells its subscribers, and gives the answer to the request: that goes to `accepted`, too. */
  update(name: ShadowName, payload: Buffer): object {
    checkName(name);
    const change = readChange(payload);
    const key = prefixOf(name);
    const before = this.shadows.get(key) ?? new Shadow(this.remembered(key));
    if (change.version !== undefined && change.version !== before.version) throw versionConflict();
    const timestamp = this.seconds();
    const after = before.with(change, timestamp);
    if (after.bytes > largestState) throw tooLarge();
    this.shadows.set(key, after);
    this.deleted.delete(key);
    if (name.shadow !== undefined) {
      const names = this.named.get(name.thing) ?? new Set();
      this.named.set(name.thing, names.add(name.shadow));
    }
    this.announce(key, change, before, after, timestamp);
    const answer = accepted(change, after.version, timestamp);
    this.say(`${key}/update/accepted`, answer);
    return answer;
  }

  /** @param token what the request wants to see in the message on `delete/accepted`. */
  delete(name: ShadowName, token: { clientToken?: string } = {}): object {
    const { version } = this.find(name);
    const key = prefixOf(name);
    this.shadows.delete(key);
    this.deleted.set(key, { version, at: this.clock.now() });
    if (name.shadow !== undefined) this.named.get(name.thing)?.delete(name.shadow);
    const answer = { version, timestamp: this.seconds() };
    this.say(`${key}/delete/accepted`, { ...answer, ...token });
    return answer;
  }

  /** The names of a thing's named shadows, sorted. */
  names(thing: string): string[] {
    checkName({ thing });
    return [...(this.named.get(thing) ?? [])].sort();
  }

  private find(name: ShadowName): Shadow {
    checkName(name);
    const found = this.shadows.get(prefixOf(name));
    if (!found) throw noShadow(name.thing, name.shadow);
    return found;
  }

  private remembered(key: string): number {
    const last = this.deleted.get(key);
    return last && this.clock.now() - last.at < memoryMs ? last.version : 0;
  }

  /** Tells of an update what differs now, and how the document was and is. */
  private announce(key: string, change: Change, before: Shadow, after: Shadow, timestamp: number): void {
    const token = change.clientToken === undefined ? {} : { clientToken: change.clientToken };
    const delta = after.delta();
    if (delta && (change.desired !== undefined || change.reported !== undefined)) {
      const [state, metadata] = delta;
      this.say(`${key}/update/delta`, { version: after.version, timestamp, state, metadata, ...token });
    }
    this.say(`${key}/update/documents`, {
      ...(before.version > 0 && { previous: before.snapshot() }),
      current: after.snapshot(),
      timestamp,
      ...token,
    });
  }

  private say(topic: string, document: object): void {
    this.broker.publish(topic, JSON.stringify(document));
  }

  private seconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}

function checkName({ thing, shadow }: ShadowName): void {
  if (!thingName.test(thing)) throw invalidThingName();
  if (shadow !== undefined && !shadowName.test(shadow)) throw invalidShadowName();
}
