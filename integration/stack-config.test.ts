import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type ConfigValues, deploy } from "../deploy";
import { warm } from "./harness/deploying";
import { useEmulator } from "./harness/emulator";

const program = resolve(__dirname, "..");

describe("the config of the stack", () => {
  const emulator = useEmulator();
  const mistakes = (config: ConfigValues) =>
    deploy({ program, stack: "none", endpoint: emulator.current.endpoint, warm, config }).then(
      () => "it was deployed",
      (error: Error) => error.message,
    );

  it("is judged as a whole before anything is made: each mistake with a value that works", async () => {
    const message = await mistakes({
      ...{ rateLimit: "fast", burstLimit: 1.5, ttlDays: 0, archive: "yes", devices: "sensor-1", flespiChannel: 5 },
    });
    expect(message).toContain('rateLimit must be a number of 0 or more (requests a second), not "fast"; use 100');
    expect(message).toContain("burstLimit must be a whole number of 0 or more (requests), not 1.5; use 200");
    expect(message).toContain("ttlDays must be a whole number of 1 or more (days), not 0; use 90");
    expect(message).toContain('archive must be one of true, false, not "yes"; use "true"');
    expect(message).toContain('devices must be a list of names, not "sensor-1"; use ["sensor-1"]');
    expect(message).toContain("flespiToken must be given with flespiChannel");
  });

  it("has no setting by a misspelt name", async () => {
    expect(await mistakes({ ratelimit: 5 })).toContain("ratelimit must not be given: there is no such option");
  });
});
