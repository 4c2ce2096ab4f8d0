import { type ApiAnswer, answer } from "../api-answer";
import { archive } from "../archive";
import { makeClients } from "../clients";
import { deadlineOf, type LambdaContext } from "../deadline";
import { describe } from "../retry";
import { type BodyEvent, bodyText, type Elements, parseBody } from "./body";
import { type Content, type DeadLetter, type DeadLetterOffice, sendDeadLetters } from "./dead-letter";
import { readEnvironment } from "./environment";
import type { OnMessage } from "./message";
import { type Failure, type Path, processElements } from "./process";

/** The part of API Gateway's proxy event that is used. */
export interface ReceiveEvent extends BodyEvent {
  readonly requestContext: { readonly requestId: string };
}

type Letter = { letter: DeadLetter; content: Content };

/**
 * The function behind POST: stores what is valid, dead-letters the rest with its reason, and answers 200 when
 * everything is in one of the two. Any other answer but 400 asks the sender to try again.
 */
export const receiveMessages =
  ({ onMessage }: { onMessage?: OnMessage } = {}) =>
  () => {
    const clients = makeClients();
    const environment = readEnvironment();
    const { table, ttlDays, queues, archiveBucket } = environment;
    const office = { clients, queueUrl: environment.deadLetterQueue, bucket: environment.deadLetterBucket };

    return async (event: ReceiveEvent, context: LambdaContext): Promise<ApiAnswer> => {
      const now = Date.now();
      const origin = { requestId: event.requestContext.requestId, receivedAt: new Date(now).toISOString() };
      const text = bodyText(event);
      const body = parseBody(text);
      if ("problem" in body) {
        const letter: DeadLetter = { stage: "parse", reason: body.problem, ...origin };
        // An empty body holds nothing to keep.
        const kept = await keep(text.trim() === "" ? [] : [{ letter, content: { body: text } }], office);
        return kept ? answer(400, { message: body.problem, requestId: origin.requestId }) : unavailable(origin);
      }
      if (body.count === 0) return answer(200, { status: "ok", accepted: 0, rejected: 0 });

      const archived = archiveBucket ? tryArchive(body.texts(), origin, { clients, bucket: archiveBucket }) : undefined;
      const path = { clients, table, ttlDays, queues, onMessage, deadline: deadlineOf(context) };
      const outcome = await processAll(body, { ...origin, receivedAt: now }, path);
      const { failures, first, rejected } = outcome;
      const letters = failures > MANY ? [bodyLetter(outcome, text, origin)] : elementLetters(first, body, origin);
      const notArchived = await archived;
      if (notArchived) {
        letters.push({ letter: { stage: "archive", reason: notArchived, ...origin }, content: { body: text } });
      }
      if (!(await keep(letters, office))) return unavailable(origin);
      return answer(200, { status: "ok", accepted: body.count - rejected, rejected });
    };
  };

/** More failures than this become one letter with the whole body: letters for each would take more time than there is. */
const MANY = 1_000;
/** Elements worked on together: as many as make more than one queue message, and few enough for the memory. */
const PART = 20_000;
const LATE: Failure = { stage: "store", reason: "there was no time left for it" };

interface Failed {
  readonly index: number;
  readonly failure: Failure;
}

interface Outcome {
  failures: number;
  /** Failures of elements that are not stored either. */
  rejected: number;
  /** The failures, in the order of the body, while they are not too many. */
  readonly first: Failed[];
}

/** Processes a body in parts. */
async function processAll(
  body: Elements,
  origin: { requestId: string; receivedAt: number },
  path: Path,
): Promise<Outcome> {
  const outcome: Outcome = { failures: 0, rejected: 0, first: [] };
  for (let from = 0; from < body.count; from += PART) {
    const elements = body.part(from, from + PART).map((element) => ({ ...element, ...origin }));
    const late = from > 0 && Date.now() > path.deadline;
    const failures = late ? elements.map(() => LATE) : await processElements(elements, path);
    failures.forEach((failure, i) => {
      if (!failure) return;
      outcome.failures++;
      if (failure.stage !== "forward") outcome.rejected++;
      if (outcome.first.length < MANY) outcome.first.push({ index: from + i, failure });
    });
  }
  return outcome;
}

/** A letter for each element that failed. */
function elementLetters(failed: readonly Failed[], body: Elements, origin: Origin): Letter[] {
  if (failed.length === 0) return [];
  const byIndex = Object.fromEntries(failed.map(({ index, failure }) => [index, failure]));
  const texts = body.texts((index) => index in byIndex);
  return failed.map(({ index, failure: { stage, reason, queues } }, i) => ({
    letter: { stage, reason, ...origin, index, ...(queues && { queues }) },
    content: { message: texts[i] ?? "null" },
  }));
}

/** One letter for a body with too many failures. Its replay takes all of it again; what is stored stays one item. */
function bodyLetter({ failures, first }: Outcome, text: string, origin: Origin): Letter {
  const { index, failure } = first[0]!;
  const reason = `${failures} messages failed, the first of them, number ${index}: ${failure.reason}`;
  return { letter: { stage: failure.stage, reason, ...origin }, content: { body: text } };
}

interface Origin {
  readonly requestId: string;
  readonly receivedAt: string;
}

/** Why a request's messages could not be archived; undefined when they are. */
async function tryArchive(...[elements, origin, to]: Parameters<typeof archive>): Promise<string | undefined> {
  try {
    await archive(elements, origin, to);
    return undefined;
  } catch (error) {
    return describe(error);
  }
}

/** Sends letters, and says in the log how many and why, without their content. False when they could not be kept. */
async function keep(letters: readonly Letter[], office: DeadLetterOffice): Promise<boolean> {
  if (letters.length === 0) return true;
  const stages: Record<string, number> = {};
  for (const { letter } of letters) stages[letter.stage] = (stages[letter.stage] ?? 0) + 1;
  const requestId = letters[0]?.letter.requestId;
  try {
    await sendDeadLetters(letters, office);
    console.warn(JSON.stringify({ message: "messages dead-lettered", requestId, stages }));
    return true;
  } catch (error) {
    const reason = describe(error);
    console.error(JSON.stringify({ message: "messages neither stored nor dead-lettered", requestId, stages, reason }));
    return false;
  }
}

const unavailable = ({ requestId }: Origin) =>
  answer(503, { message: "Not all messages could be kept; send the request again", requestId });
