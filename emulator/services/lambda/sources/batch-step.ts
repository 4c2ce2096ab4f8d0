import type { Causes, StepFacts } from "../../../core/journal/entry";

/** A batch on its way to a function, as the journal tells of it: it comes of all that its messages came of. */
export const batchStep = (service: string, sourceArn: string, items: readonly { causes?: Causes }[]): StepFacts => ({
  ...{ kind: "batch", service, operation: "Batch", resources: [sourceArn], count: items.length },
  causes: causesOf(items),
});

/** All that messages or records came of. */
export const causesOf = (items: readonly { causes?: Causes }[]): Causes => [
  ...new Set(items.flatMap(({ causes = [] }) => causes)),
];
