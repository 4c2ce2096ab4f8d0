import { existsSync } from "node:fs";
import { openStack, progress } from "../deploy";
import { readArguments, runCommand, UsageError } from "./arguments";
import { readRemote, remoteOptions, remoteUsage } from "./stack-options";

const usage = `sensorcast destroy --endpoint <url> [options]

Deletes what \`sensorcast deploy\` has made, dependents first. The program does not run.

${remoteUsage}`;

runCommand(async () => {
  const options = readRemote(readArguments(usage, remoteOptions));
  if (!existsSync(options.stateFile)) {
    throw new UsageError(
      `there is no ${options.stateFile}: nothing was deployed from here, or --state names another file`,
    );
  }
  const stack = await openStack({ ...options, onEvent: progress({ write: (line) => console.log(line) }) });
  await stack.destroy();
});
