import type { GenericContainer, StartedTestContainer } from "testcontainers";

/**
 * Starts a container for each worker.
 *
 * @throws Error that says so when no Docker daemon answers.
 */
export async function startContainers(
  image: string,
  workers: number,
  container: () => GenericContainer | Promise<GenericContainer>,
): Promise<{ readonly started: readonly StartedTestContainer[]; close(): Promise<void> }> {
  const started: StartedTestContainer[] = [];
  const close = async () => {
    await Promise.all(started.map((one) => one.stop()));
  };
  try {
    // One after another: the first fetches the image.
    for (let i = 0; i < workers; i++) started.push(await (await container()).start());
  } catch (error) {
    await close();
    throw explained(error, image);
  }
  return { started, close };
}

function explained(error: unknown, image: string): Error {
  const message = error instanceof Error ? error.message : String(error);
  const missing = /container runtime strategy|ECONNREFUSED|docker\.sock/i.test(message);
  return new Error(
    missing
      ? `${image} runs in a container, and no Docker daemon answers (${message}). Start Docker, or name another TEST_BACKEND`
      : `${image} could not be started: ${message}`,
    { cause: error },
  );
}
