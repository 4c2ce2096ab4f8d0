import type { Done, Problem } from "./api";

/** The server said no, in words for people. */
export class Refused extends Error {}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  if (response.ok) return response.json() as Promise<Answer>;
  const { message } = (await response.json().catch(() => ({ message: `Status ${response.status}` }))) as Problem;
  throw new Refused(message);
}

/** Asks the server; a path such as `journeys?count=50`. */
export const ask = async <Answer>(path: string): Promise<Answer> =>
  answerOf<Answer>(await fetch(`api/${path}`, { cache: "no-store" }));

/** Has the server do something. Gives what came of it, or why it did not, in words for people. */
export async function act(path: string, input: object): Promise<{ message: string; failed: boolean }> {
  const headers = { "content-type": "application/json" };
  try {
    const response = await fetch(`api/${path}`, { method: "POST", headers, body: JSON.stringify(input) });
    return { ...(await answerOf<Done>(response)), failed: false };
  } catch (error) {
    const message = error instanceof Refused ? error.message : "The server cannot be reached.";
    return { message, failed: true };
  }
}
