import { it } from "vitest";
import { prove } from "./harness/proof/prove";
import { useSystem } from "./harness/proof/system";

const system = useSystem("proof");

it(
  "loses nothing, stores nothing twice and shows nobody what is not theirs: programs of sends, faults, restarts and clock steps",
  () => prove(system.current, 0, 2),
  3_600_000,
);
