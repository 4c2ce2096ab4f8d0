import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

/** Runs a test file of `harness/failing/` and gives what its test failed with. */
async function failureOf(file: string): Promise<string> {
  const start = `
    const reporter = { onTestCaseResult: (test) => process.stdout.write(test.result().errors?.[0]?.message ?? "") };
    const { startVitest } = await import("vitest/node");
    await startVitest("test", [], { run: true, include: ["integration/harness/failing/${file}.ts"], reporters: [reporter] });`;
  return new Promise((done) => {
    const running = { cwd: resolve(__dirname, ".."), env: { PATH: process.env.PATH } };
    execFile(process.execPath, ["--input-type=module", "--eval", start], running, (_, said) => done(said));
  });
}

it("a test of a deployed program that fails for want of a permission names the action, the resource and the statement to add", async () => {
  const failure = await failureOf("denied");
  const outputs = /\{.*?\}/.exec(failure)![0];
  const { functionName, queueArn, roleArn } = JSON.parse(outputs) as Record<string, string>;
  const session = `${roleArn!.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/")}/${functionName}`;
  expect(failure).toContain(`IAM refused meanwhile:
User: ${session} is not authorized to perform: sqs:sendmessage on resource: ${queueArn} because no identity-based policy allows the sqs:sendmessage action
  ${roleArn} would need {"Effect":"Allow","Action":"sqs:SendMessage","Resource":"${queueArn}"}`);
}, 60_000);
