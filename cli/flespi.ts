import { runReceiver } from "../handlers/flespi/run";
import { readArguments, runCommand } from "./arguments";
import { flespiOptions, flespiUsage, readFlespiCommand } from "./flespi-options";
import { interrupted } from "./interrupted";

runCommand(async () => {
  const { parts, ...running } = await readFlespiCommand(readArguments(flespiUsage, flespiOptions), process.env);
  const stop = new AbortController();
  interrupted().then(() => stop.abort());
  // Who read the output is gone; what was not written comes again next time.
  process.stdout.on("error", () => stop.abort());
  await runReceiver(parts, {
    ...running,
    signal: stop.signal,
    onRound: ({ outcome, messages, deadLetters }) => {
      // Not to stdout, where messages may go.
      if (messages > 0 || outcome === "paused")
        console.error(JSON.stringify({ message: "received", outcome, messages, deadLetters }));
    },
  });
});
