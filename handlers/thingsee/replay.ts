import type { Message } from "@aws-sdk/client-sqs";
import { archive } from "../archive";
import { makeClients } from "../clients";
import { deadlineOf, type LambdaContext } from "../deadline";
import { type ReplayEvent, type ReplayReport, replayQueue } from "../replay";
import { describe } from "../retry";
import { type Elements, exactValue, parseBody } from "./body";
import { type DeadLetter, type DeadLetterOffice, discardDeadLetter, readDeadLetter } from "./dead-letter";
import { readEnvironment } from "./environment";
import type { OnMessage } from "./message";
import { type Path, processElements, type Received } from "./process";

/**
 * Takes dead letters the same way that messages take, with their first receive time, so that nothing is stored twice.
 * A letter is deleted when all of it got through, and becomes visible again when not.
 */
export const replayDeadLetters =
  ({ onMessage }: { onMessage?: OnMessage } = {}) =>
  () => {
    const clients = makeClients();
    const { table, ttlDays, queues, archiveBucket, deadLetterQueue, deadLetterBucket } = readEnvironment();
    const office = { clients, queueUrl: deadLetterQueue, bucket: deadLetterBucket };

    return async (event: ReplayEvent | null, context: LambdaContext): Promise<ReplayReport> => {
      const deadline = deadlineOf(context);
      const path = { clients, table, ttlDays, queues, onMessage, deadline };
      return replayQueue(event, {
        ...{ sqs: clients.sqs(), queueUrl: deadLetterQueue, deadline },
        work: (letters) => replayLetters(letters, path, office, archiveBucket),
        discarded: ({ Body = "" }) => discardDeadLetter(Body, office),
      });
    };
  };

/** Why each letter still fails; undefined for those that got through. */
async function replayLetters(
  letters: readonly Message[],
  path: Path,
  office: DeadLetterOffice,
  archiveBucket: string,
): Promise<(string | undefined)[]> {
  const reasons: (string | undefined)[] = letters.map(() => undefined);
  const work: { element: Received; letter: number }[] = [];
  for (const [i, { Body = "" }] of letters.entries()) {
    try {
      const letter = await open(Body, office);
      if (letter.stage === "archive") {
        await archive(letter.elements.texts(), letter, { clients: path.clients, bucket: archiveBucket });
      } else {
        const receivedAt = Date.parse(letter.receivedAt);
        const { requestId, queues: missingQueues } = letter;
        for (const element of letter.elements.part(0, letter.elements.count)) {
          work.push({ element: { ...element, requestId, receivedAt, missingQueues }, letter: i });
        }
      }
    } catch (error) {
      reasons[i] = describe(error);
    }
  }
  const failures = await processElements(
    work.map(({ element }) => element),
    path,
  );
  failures.forEach((failure, i) => {
    if (failure) reasons[work[i]!.letter] ??= `${failure.stage}: ${failure.reason}`;
  });
  return reasons;
}

/** A letter with its messages. Throws when it is none, or its body still is not JSON. */
async function open(body: string, office: DeadLetterOffice): Promise<DeadLetter & { elements: Elements }> {
  const text = await readDeadLetter(body, office);
  const letter = exactValue(text, JSON.parse(text)) as DeadLetter & { message?: unknown; body?: string };
  if (Number.isNaN(Date.parse(letter.receivedAt)) || typeof letter.requestId !== "string") {
    throw new Error("not a dead letter of this component");
  }
  if (letter.body === undefined) {
    const element = { index: 0, value: letter.message };
    return { ...letter, elements: { count: 1, part: () => [element], texts: () => [JSON.stringify(letter.message)] } };
  }
  const elements = parseBody(letter.body);
  if ("problem" in elements) throw new Error(elements.problem);
  return { ...letter, elements };
}
