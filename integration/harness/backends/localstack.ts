import { LocalstackContainer } from "@testcontainers/localstack";
import type { RunningBackend } from "./backend";
import { startContainers } from "./containers";

/** The last tag that runs without an account, as in docker-compose.localstack.yml. */
export const localStackImage = "localstack/localstack:4.14.0";

/** Starts LocalStack for each worker; with LOCALSTACK_AUTH_TOKEN, where it is set. */
export async function startLocalStack(workers: number): Promise<RunningBackend> {
  const token = process.env.LOCALSTACK_AUTH_TOKEN;
  const container = () => {
    const made = new LocalstackContainer(localStackImage);
    // IAM decides only for who has an account (https://docs.localstack.cloud/aws/capabilities/security-testing/).
    return token ? made.withEnvironment({ LOCALSTACK_AUTH_TOKEN: token, ENFORCE_IAM: "1" }) : made;
  };
  const { started, close } = await startContainers(localStackImage, workers, container);
  const endpoints = started.map((one) => `http://${one.getHost()}:${one.getMappedPort(4566)}`);
  return {
    name: "localstack",
    paid: token !== undefined && token !== "",
    resetPath: "/_localstack/state/reset",
    endpoints,
    close,
  };
}
