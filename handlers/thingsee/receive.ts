import { makeClients } from "../clients";
import { describe } from "../retry";
import { archive } from "./archive";
import { type BodyEvent, bodyText, type Element, parseBody } from "./body";
import { type Content, type DeadLetter, type DeadLetterOffice, sendDeadLetters } from "./dead-letter";
import { deadlineOf, type LambdaContext, readEnvironment } from "./environment";
import type { OnMessage } from "./message";
import { type Failure, processElements } from "./process";

/** The part of API Gateway's proxy event that is used. */
export interface ReceiveEvent extends BodyEvent {
  readonly requestContext: { readonly requestId: string };
}

export interface ReceiveAnswer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

type Letter = { letter: DeadLetter; content: Content };

const answer = (statusCode: number, content: object): ReceiveAnswer => ({
  statusCode,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(content),
});

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

    return async (event: ReceiveEvent, context: LambdaContext): Promise<ReceiveAnswer> => {
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
      const { elements } = body;
      if (elements.length === 0) return answer(200, { status: "ok", accepted: 0, rejected: 0 });

      const archived = archiveBucket ? tryArchive(elements, origin, { clients, bucket: archiveBucket }) : undefined;
      const failures = await processElements(
        elements.map((element) => ({ ...element, requestId: origin.requestId, receivedAt: now })),
        { clients, table, ttlDays, queues, onMessage, deadline: deadlineOf(context) },
      );
      const letters = failures.flatMap((failure, i) => (failure ? [toLetter(failure, elements[i]!, origin)] : []));
      const notArchived = await archived;
      if (notArchived) {
        letters.push({ letter: { stage: "archive", reason: notArchived, ...origin }, content: { body: text } });
      }
      if (!(await keep(letters, office))) return unavailable(origin);
      const rejected = failures.filter((failure) => failure && failure.stage !== "forward").length;
      return answer(200, { status: "ok", accepted: elements.length - rejected, rejected });
    };
  };

function toLetter({ stage, reason, queues }: Failure, { index, text }: Element, origin: Origin): Letter {
  return { letter: { stage, reason, ...origin, index, ...(queues && { queues }) }, content: { message: text() } };
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
