import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, StartMessageMoveTaskCommand } from "@aws-sdk/client-sqs";
import { deadlineOf, type LambdaContext } from "../deadline";
import { describe } from "../retry";
import { announceAll, failureOf, type Office, openOffice } from "./announce";
import { variable } from "./environment";
import { ANNOUNCED, CHECKPOINT, markOf, PUBLISHED, type Published, readPublishedKey } from "./keys";

export interface ReconcileEvent {
  /** Minutes that an object may be on its way to the queue; younger ones are left alone. @default the component's */
  readonly graceMinutes?: number;
  /** Looks at objects published since then, in ISO 8601. @default since where the last complete run came to */
  readonly since?: string;
}

export interface ReconcileReport {
  /** Objects that were looked at. */
  readonly checked: number;
  /** Of these, those that had never been announced, and are now. */
  readonly announced: number;
  /** False when the time was over before the end; the next run goes on from there. */
  readonly complete: boolean;
  /** The publishing times that were looked at, in ISO 8601. */
  readonly from: string;
  readonly until: string;
}

const MINUTE = 60_000;
/**
 * The next run begins this far before the end of this one: a request that was long on its way, 29 s in API Gateway and
 * as long as the sender took, appears below the time at which it began.
 */
const OVERLAP = 60 * MINUTE;
/** Objects that are announced at a time. */
const AT_ONCE = 20;

/** What a run has come to. */
interface Progress {
  checked: number;
  announced: number;
  complete: boolean;
  /** All before it is announced: milliseconds since 1970. */
  reached: number;
  readonly failures: { readonly key: string; readonly reason: string }[];
}

/**
 * Announces objects that never were: compares the list of objects with the list of marks. Both begin where the last run
 * came to, so that a run costs one request for a thousand objects. Throws when some could not be announced, after having
 * tried the others.
 */
export const reconcile = () => {
  const office = openOffice();
  const graceMinutes = Number(variable("POSTBOX_GRACE_MINUTES"));
  return async (event: ReconcileEvent | null, context: LambdaContext): Promise<ReconcileReport> => {
    const now = Date.now();
    const [from, givenUp] = await Promise.all([
      event?.since === undefined ? readCheckpoint(office) : readTime(event.since),
      countGivenUp(office),
    ]);
    const until = now - readGrace(event?.graceMinutes ?? graceMinutes) * MINUTE;
    const progress: Progress = { checked: 0, announced: 0, complete: true, reached: from, failures: [] };
    await sweep(from, until, progress, office, deadlineOf(context));
    const { checked, announced, complete, reached, failures } = progress;
    // Where there was nothing, the next run may begin where this one did.
    const moved = event?.since === undefined && checked > 0;
    if (moved) await writeCheckpoint(Math.min(reached, now - OVERLAP), from, office);
    console.info(JSON.stringify({ message: "reconciled", checked, announced, failed: failures.length, complete }));
    if (failures.length > 0) {
      const { key, reason } = failures[0]!;
      throw new Error(`${failures.length} objects could not be announced; the first of them is ${key}: ${reason}`);
    }
    if (complete && givenUp > 0) await takeBackArrivals(office);
    const iso = (time: number) => new Date(time).toISOString();
    return { checked, announced, complete, from: iso(from), until: iso(Math.max(until, from)) };
  };
};

function readTime(text: string): number {
  const time = Date.parse(text);
  if (!Number.isFinite(time)) throw new Error("since must be a time in ISO 8601, such as 2026-01-31T00:00:00Z");
  return Math.max(0, time);
}

function readGrace(minutes: unknown): number {
  if (typeof minutes === "number" && minutes >= 0) return minutes;
  throw new Error("graceMinutes must be a number of 0 or more");
}

/** Looks at all objects from one time up to, but without, another; stops at the deadline, or when too much fails. */
async function sweep(from: number, until: number, progress: Progress, office: Office, deadline: number): Promise<void> {
  const nextPage = pagesOf(PUBLISHED, from, office);
  const isMarked = follow(pagesOf(ANNOUNCED, from, office));
  for (let page = await nextPage(); page; page = await nextPage()) {
    const all = page.flatMap((key) => readPublishedKey(key) ?? []);
    const published = all.filter(({ submittedAt }) => submittedAt < until);
    const unmarked: Published[] = [];
    for (const object of published) if (!(await isMarked(markOf(object.key)))) unmarked.push(object);
    await announceUnmarked(unmarked, progress, office);
    progress.checked += published.length;
    if (progress.failures.length === 0) progress.reached = published.at(-1)?.submittedAt ?? progress.reached;
    if (published.length < all.length) break;
    if (Date.now() > deadline || progress.failures.length >= AT_ONCE) {
      progress.complete = false;
      return;
    }
  }
  if (progress.failures.length === 0) progress.reached = Math.max(until, from);
}

async function announceUnmarked(objects: readonly Published[], progress: Progress, office: Office): Promise<void> {
  // Where so many fail, the next will, too; and where marks cannot be set, each run would announce everything again.
  for (let from = 0; from < objects.length && progress.failures.length < AT_ONCE; from += AT_ONCE) {
    // The mark may have been set since the list was made.
    const candidates = objects.slice(from, from + AT_ONCE).map((object) => ({ ...object, again: true }));
    for (const [i, outcome] of (await announceAll(candidates, office)).entries()) {
      if (outcome === "announced" || outcome === "unmarked") progress.announced++;
      const reason = outcome === "unmarked" ? "its mark could not be set" : failureOf(outcome);
      if (reason !== undefined) progress.failures.push({ key: candidates[i]!.key, reason });
    }
  }
}

/** Gives the keys below a prefix from a time on, in their order, a thousand at a time; undefined after the last. */
function pagesOf(prefix: string, from: number, { s3, bucket }: Office): () => Promise<string[] | undefined> {
  // Before all keys of that millisecond.
  const StartAfter = `${prefix}${String(from).padStart(13, "0")}`;
  let next: { ContinuationToken?: string } | undefined = {};
  return async () => {
    if (!next) return undefined;
    const { Contents = [], NextContinuationToken } = await s3().send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, StartAfter, ...next }),
    );
    next = NextContinuationToken === undefined ? undefined : { ContinuationToken: NextContinuationToken };
    return Contents.map(({ Key = "" }) => Key);
  };
}

/** Tells whether a key is in a list, going through it once: to be asked for keys in the list's order. */
function follow(nextPage: () => Promise<string[] | undefined>): (key: string) => Promise<boolean> {
  let page: string[] | undefined = [];
  let place = 0;
  return async (key) => {
    while (page) {
      for (; place < page.length; place++) if (page[place]! >= key) return page[place] === key;
      page = await nextPage();
      place = 0;
    }
    return false;
  };
}

async function readCheckpoint({ s3, bucket }: Office): Promise<number> {
  try {
    const { Body } = await s3().send(new GetObjectCommand({ Bucket: bucket, Key: CHECKPOINT }));
    const { reached } = JSON.parse((await Body?.transformToString()) ?? "{}") as { reached?: number };
    return reached ?? 0;
  } catch (error) {
    if ((error as Error).name === "NoSuchKey") return 0;
    throw error;
  }
}

async function writeCheckpoint(reached: number, before: number, { s3, bucket }: Office): Promise<void> {
  if (reached <= before) return;
  const Body = JSON.stringify({ reached, at: new Date().toISOString() });
  const ContentType = "application/json";
  await s3().send(new PutObjectCommand({ Bucket: bucket, Key: CHECKPOINT, Body, ContentType }));
}

/** How many arrivals were given up; none where SQS does not say. */
async function countGivenUp({ sqs }: Office): Promise<number> {
  try {
    const { Attributes } = await sqs().send(
      new GetQueueAttributesCommand({
        QueueUrl: variable("POSTBOX_UNANNOUNCED"),
        AttributeNames: ["ApproximateNumberOfMessages"],
      }),
    );
    return Number(Attributes?.ApproximateNumberOfMessages);
  } catch (error) {
    notTakenBack(error);
    return 0;
  }
}

/**
 * Sends the arrivals that were given up once more to the function that announces: their objects are announced by now, so
 * that it finds the marks and the queue is empty again.
 */
async function takeBackArrivals({ sqs }: Office): Promise<void> {
  try {
    await sqs().send(
      new StartMessageMoveTaskCommand({
        SourceArn: variable("POSTBOX_UNANNOUNCED_ARN"),
        DestinationArn: variable("POSTBOX_ARRIVALS_ARN"),
      }),
    );
  } catch (error) {
    notTakenBack(error);
  }
}

/** Nothing is lost by it: another task may be under way, and the next run tries again. */
const notTakenBack = (error: unknown) =>
  console.warn(JSON.stringify({ message: "arrivals were not taken back", reason: describe(error) }));
