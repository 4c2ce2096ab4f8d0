import { limits } from "../../core/limits";
import { type PolicyDocument, PolicySyntaxError, policySize, readPolicy } from "../../core/policy";
import { check } from "./checks";
import { malformedPolicy } from "./errors";

const messages = {
  json: "Policy document is Malformed: the document is not valid JSON",
  syntax: "Policy document is Malformed: syntax error in a statement",
  version: "Policy document is Malformed: the version must be 2012-10-17 or 2008-10-17",
  noStatement: "Policy document is Malformed: there is no statement",
  noEffect: "Policy document is Malformed: a statement has no Effect",
  effect: (effect: string) => `Policy document is Malformed: Effect must be Allow or Deny, found ${effect}`,
  duplicateSid: "Policy document is Malformed: statement IDs must be unique",
};

/** Characters without white space. */
const largest = limits.iot.policy.value;

/**
 * Reads the document of an IoT policy: actions and resources, no principal.
 *
 * @throws AwsError MalformedPolicyException
 */
export function readIotPolicy(text: string | undefined): PolicyDocument {
  check({ policyDocument: [text, { required: true, length: [1, 404_600] }] });
  if (policySize(text!) > largest) {
    throw malformedPolicy(`Policy document is Malformed: it is longer than ${largest} characters without white space`);
  }
  let document: PolicyDocument;
  try {
    document = readPolicy(text!, messages);
  } catch (error) {
    throw error instanceof PolicySyntaxError ? malformedPolicy(error.message) : error;
  }
  for (const statement of document.statements) {
    const { actions, notActions, resources, notResources } = statement;
    if (statement.principals || statement.notPrincipals)
      throw malformedPolicy("Policy document is Malformed: an IoT policy names no Principal");
    if (!(actions ?? notActions)?.length)
      throw malformedPolicy("Policy document is Malformed: a statement has no Action");
    if (!(resources ?? notResources)?.length)
      throw malformedPolicy("Policy document is Malformed: a statement has no Resource");
  }
  return document;
}
