import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { deviceFrames, readFrame } from "../client/frames";

type Json = Record<string, unknown>;
interface Message {
  payload: Json;
  examples: { payload: Json & unknown[] }[];
}

const text = readFileSync(resolve(__dirname, "../docs/asyncapi.yaml"), "utf8");
const document = load(text) as {
  asyncapi: string;
  channels: { connection: { messages: Json } };
  operations: Record<
    string,
    { action: "send" | "receive"; messages: { $ref: string }[]; reply?: { messages: { $ref: string }[] } }
  >;
  components: { messages: Record<string, Message> };
};
const { messages } = document.components;

const at = (pointer: string) =>
  pointer
    .replace("#/", "")
    .split("/")
    .reduce<unknown>((value, part) => (value as Json | undefined)?.[part], document);

const nameOf = ({ $ref }: { $ref: string }) => $ref.split("/").at(-1)!;

/** What clients get, told by the operations. */
const received = Object.values(document.operations).flatMap(({ action, messages: sent, reply }) => [
  ...(action === "send" ? sent : []),
  ...(reply?.messages ?? []),
]);

describe("the AsyncAPI description of the live messages", () => {
  it("is version 3, and every reference in it leads somewhere", () => {
    expect(document.asyncapi).toBe("3.0.0");
    const references = [...text.matchAll(/\$ref: "([^"]+)"/g)].map(([, pointer]) => pointer!);
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((pointer) => at(pointer) === undefined)).toEqual([]);
  });

  it("describes each message of the connection, with an example of each", () => {
    expect(Object.keys(document.channels.connection.messages).sort()).toEqual(Object.keys(messages).sort());
    for (const { examples } of Object.values(messages)) expect(examples.length).toBeGreaterThan(0);
  });

  it.each([...new Set(received.map(nameOf))])("has examples of %s that the client reads as that", (name) => {
    for (const { payload } of messages[name]!.examples) {
      const kinds: Record<string, string> = { record: "records", sent: "unknown", gatewayError: "error" };
      const kind = kinds[name] ?? name;
      const frame = readFrame(JSON.stringify(payload));
      expect(frame).toMatchObject({ kind, ...(kind === "records" && { records: [payload].flat(), skipped: 0 }) });
    }
  });

  it.each(["subscribe", "unsubscribe"] as const)("has examples of %s that the client sends like that", (name) => {
    for (const { payload } of messages[name]!.examples) {
      const { devices } = payload as unknown as { devices: string[] };
      expect(deviceFrames(name, devices).map((frame) => JSON.parse(frame))).toEqual([payload]);
    }
  });
});
