import { check } from "./checks";
import { invalidArgument, policyNotFound } from "./errors";
import type { KinesisOperations, Store } from "./store";

/** Resource policies of streams and consumers: what other accounts may do with them. */
export const policyOperations = (store: Store): KinesisOperations => {
  const policiesOf = (arn: string | undefined): Map<string, string> => {
    check({ resourceARN: [arn, { required: true, length: [1, 2048] }] });
    return store.resource(arn!).stream.policies;
  };
  return {
    PutResourcePolicy(input) {
      check({ policy: [input.Policy, { required: true }] });
      const policies = policiesOf(input.ResourceARN);
      if (!isDocument(input.Policy!)) throw invalidArgument("The policy is not a JSON object with a Statement.");
      policies.set(input.ResourceARN!, input.Policy!);
      return {};
    },

    GetResourcePolicy(input) {
      // A resource without a policy has an empty one (API reference, GetResourcePolicy).
      return { Policy: policiesOf(input.ResourceARN).get(input.ResourceARN!) ?? "{}" };
    },

    DeleteResourcePolicy(input) {
      if (!policiesOf(input.ResourceARN).delete(input.ResourceARN!)) throw policyNotFound(input.ResourceARN!);
      return {};
    },
  };
};

function isDocument(text: string): boolean {
  try {
    const policy: unknown = JSON.parse(text);
    return typeof policy === "object" && policy !== null && "Statement" in policy;
  } catch {
    return false;
  }
}
