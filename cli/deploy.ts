import { deploy, progress } from "../deploy";
import { readArguments, runCommand } from "./arguments";
import { paint } from "./screen";
import {
  checkOutputsFile,
  outputLines,
  plainOutputs,
  readRemote,
  remoteOptions,
  remoteUsage,
  writeOutputs,
} from "./stack-options";

const usage = `sensorcast deploy --endpoint <url> [options]

Deploys a Pulumi program in TypeScript or JavaScript to an AWS endpoint, without the Pulumi CLI. The second time only
what has changed is applied.

${remoteUsage}
  --outputs <file>       Writes the stack's outputs as JSON (readable by you only: secrets are in it in clear).`;

runCommand(async () => {
  const { outputs: file, ...values } = readArguments(usage, { ...remoteOptions, outputs: { type: "string" } });
  const options = readRemote(values);
  if (file) await checkOutputsFile(file);
  const stack = await deploy({ ...options, onEvent: progress({ write: (line) => console.log(line) }) });
  if (file) await writeOutputs(file, plainOutputs(stack));
  const lines = outputLines(stack);
  if (lines) console.log(`\n${paint("bold", "Outputs")}\n${lines}`);
});
