import type { ActiveFault, Done } from "../../dashboard/inspector/api";
import { type Emulator, type Fault, type FaultOptions, InvalidFault } from "../../emulator";
import { Refusal } from "../page-server";
import { serviceName } from "./names";

type Faulty = Pick<Emulator, "faults">;

/** Where a fault acts, and how: "DynamoDB BatchWriteItem of readings, 50 of 100 times, 3 times in all". */
function whereOf({ service, resource, probability = 1, count, ...rest }: FaultOptions): string {
  const operation = "operation" in rest ? rest.operation : undefined;
  const delay = "delayMs" in rest && rest.delayMs !== undefined ? `${rest.delayMs} ms` : undefined;
  const place = [service === undefined ? "Every service" : serviceName(service), operation]
    .filter((part) => part)
    .join(" ");
  return [
    resource === undefined ? place : `${place} of ${resource}`,
    delay,
    probability < 1 && `${Math.round(probability * 100)} of 100 times`,
    count !== undefined && (count === 1 ? "once" : `${count} times in all`),
  ]
    .filter((part) => part)
    .join(", ");
}

const shown = ({ id, options, hits, matched, ended }: Fault): ActiveFault => ({
  ...{ id, fault: options.fault, where: whereOf(options), options, hits, matched, ended },
});

/** The newest first. */
export const faultsOf = ({ faults }: Faulty): ActiveFault[] => faults.list().map(shown).reverse();

/** @param options as the page gives them; what is wrong with them is said. @throws Refusal */
export function injectFault({ faults }: Faulty, options: unknown): Done {
  try {
    // It looks at all of it, whatever somebody gave.
    const fault = faults.inject(options as FaultOptions);
    return { message: `${fault.options.fault} is on: ${whereOf(fault.options)}.` };
  } catch (error) {
    throw error instanceof InvalidFault ? new Refusal(`${error.problems.join(". ")}.`) : error;
  }
}

/** @throws Refusal */
export function removeFault({ faults }: Faulty, id: unknown): Done {
  const fault = faults.list().find((one) => one.id === id);
  if (!fault) throw new Refusal("This fault is off already");
  fault.remove();
  return { message: `${fault.options.fault} is off.` };
}
