import { it } from "vitest";
import { prove } from "./harness/proof/prove";
import { useSystem } from "./harness/proof/system";

const system = useSystem("proof");

it(
  "and in the other half of the programs, too: loses nothing, stores nothing twice and shows nobody what is not theirs: programs of sends, faults, restarts and clock steps",
  () => prove(system.current, 1, 2),
  3_600_000,
);
