import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { expect, it } from "vitest";
import { useDeployed } from "../deployed";
import { settings } from "../emulator";

const deployed = useDeployed<{ functionName: string; queueArn: string; roleArn: string }>("denied");

/** Fails, and says with what names. */
it("sends a message", async () => {
  const { emulator, outputs } = deployed.current;
  const lambda = new LambdaClient(settings(emulator));
  const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: outputs.functionName }));
  expect(FunctionError, JSON.stringify(outputs)).toBeUndefined();
});
