import type { TestProject } from "vitest/node";
import { type BackendNote, backendOf, type RunningBackend } from "./backend";
import { reachEndpoint } from "./endpoint";
import { startLocalStack } from "./localstack";
import { startMiniStack } from "./ministack";

declare module "vitest" {
  interface ProvidedContext {
    /** Not provided where the tests run in embedded AWSs. */
    backend: BackendNote;
  }
}

/** Starts what TEST_BACKEND names, once for the whole run; Vitest calls this before the tests, and its answer after them. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const backend = await start(project.config.maxWorkers);
  if (!backend) return undefined;
  const { close, ...note } = backend;
  project.provide("backend", note);
  return close;
}

async function start(workers: number): Promise<RunningBackend | undefined> {
  const choice = backendOf(process.env.TEST_BACKEND);
  switch (choice.name) {
    case "ministack":
      return startMiniStack(workers);
    case "localstack":
      return startLocalStack(workers);
    case "endpoint":
      return reachEndpoint(choice.url);
    case "embedded":
      return undefined;
  }
}
