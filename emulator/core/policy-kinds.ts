import { type GrammarMessages, type PolicyDocument, PolicySyntaxError, type Principals, readPolicy } from "./policy";

const identityMessages: GrammarMessages = {
  json: "Syntax errors in policy.",
  syntax: "Syntax errors in policy.",
  version: "Syntax errors in policy.",
  noStatement: "Syntax errors in policy.",
  noEffect: "Syntax errors in policy.",
  effect: (effect) =>
    /^(allow|deny)$/i.test(effect) ? "The policy failed legacy parsing" : "Syntax errors in policy.",
  duplicateSid: "Statement IDs (SID) in a single policy must be unique.",
};

const iamPaths =
  "user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/";
const partitions = /^(aws|aws-cn|aws-us-gov|aws-eusc|aws-iso(-[a-z])?|\*)$/;

/** What is wrong with a resource of an identity policy, in IAM's words. */
function resourceProblem(resource: string): string | undefined {
  if (resource === "*") return undefined;
  const [, partition, vendor, region, account, ...rest] = resource.split(":");
  if (partition === undefined) return `Resource ${resource} must be in ARN format or "*".`;
  if (!partitions.test(partition)) {
    const parts = [vendor || (region === undefined ? "*" : ""), region ?? "*", account ?? "*"];
    const tail = rest.length ? rest.join(":") : "*";
    return `Partition "${partition}" is not valid for resource "arn:${partition}:${parts.join(":")}:${tail}".`;
  }
  if (vendor === undefined) return "Resource vendor must be fully qualified and cannot contain regexes.";
  if (region === undefined || account === undefined || !rest.length) return "The policy failed legacy parsing";
  if (vendor === "s3" && region !== "" && region !== "*") {
    return `Resource ${resource} can not contain region information.`;
  }
  if (vendor === "iam") {
    if (region !== "") return `IAM resource ${resource} cannot contain region information.`;
    const path = rest.join(":");
    if (path !== "*" && path !== "root" && !iamPaths.split(", ").some((start) => path.startsWith(start))) {
      return `IAM resource path must either be "*" or start with ${iamPaths}.`;
    }
  }
  return undefined;
}

function actionProblem(action: string): string | undefined {
  if (action === "*") return undefined;
  const parts = action.split(":");
  if (parts.length === 1) return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
  if (parts.length > 2) return "Actions/Condition can contain only one colon.";
  return /^[a-zA-Z0-9.-]+$/.test(parts[0]!) ? undefined : `Vendor ${parts[0]} is not valid`;
}

const refuse = (message: string | undefined) => {
  if (message) throw new PolicySyntaxError(message);
};

/**
 * Reads a policy of a user, group or role: version 2012-10-17, actions and resources, no principal.
 *
 * @throws PolicySyntaxError
 */
export function readIdentityPolicy(text: string): PolicyDocument {
  const policy = readPolicy(text, identityMessages);
  if (policy.version !== "2012-10-17") refuse("Policy document must be version 2012-10-17 or greater.");
  if (policy.statements.some((s) => s.principals || s.notPrincipals)) {
    refuse("Policy document should not specify a principal.");
  }
  const resources = policy.statements.flatMap((s) => s.resources ?? s.notResources ?? []);
  const problems = resources.flatMap((resource) => resourceProblem(resource) ?? []);
  // IAM looks for what its oldest parser refuses before anything else.
  refuse(problems.find((one) => one === "The policy failed legacy parsing"));
  if (policy.statements.some((s) => !(s.actions ?? s.notActions)?.length)) {
    refuse("Policy statement must contain actions.");
  }
  refuse(problems[0]);
  for (const action of policy.statements.flatMap((s) => s.actions ?? s.notActions ?? [])) refuse(actionProblem(action));
  if (policy.statements.some((s) => !(s.resources ?? s.notResources)?.length)) {
    refuse("Policy statement must contain resources.");
  }
  return policy;
}

const trustMessages: GrammarMessages = {
  json: "This policy contains invalid Json",
  syntax: "Syntax error in policy.",
  version: "The policy must contain a valid version string",
  noStatement: "Could not parse the policy: Statement is empty!",
  noEffect: "Missing required field Effect",
  effect: (effect) => `Invalid effect: ${effect}`,
  duplicateSid: "The Statement Ids in the policy are not unique",
};

const awsPrincipal = /^(\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:.+)$/;
const servicePrincipal = /^[a-z0-9.-]+\.(amazonaws\.com|amazonaws\.com\.cn|amazon\.com|aws\.internal)$/;

function checkTrusted(principals: Principals): void {
  if (!Object.keys(principals).length) refuse("Missing required field Principal cannot be empty!");
  for (const [kind, names] of Object.entries(principals)) {
    if (kind !== "AWS" && kind !== "Service" && kind !== "Federated") refuse(`Invalid principal in policy: "${kind}"`);
    for (const name of names) {
      const known = kind === "AWS" ? awsPrincipal : kind === "Service" ? servicePrincipal : /./;
      if (!known.test(name)) {
        refuse(`Invalid principal in policy: "${kind === "Service" ? "SERVICE" : kind}":"${name}"`);
      }
    }
  }
}

/**
 * Reads a role's trust policy: principals, STS actions, no resource.
 *
 * @throws PolicySyntaxError
 */
export function readTrustPolicy(text: string): PolicyDocument {
  const policy = readPolicy(text, trustMessages);
  for (const statement of policy.statements) {
    if (statement.notPrincipals) {
      refuse(
        statement.effect === "Allow"
          ? "Allow with NotPrincipal is not allowed."
          : "AssumeRole policy must not contain NotPrincipal field.",
      );
    }
    if (statement.resources) refuse("Has prohibited field Resource");
    if (statement.notResources) refuse("AssumeRole policy must not contain resources.");
    if (!statement.principals) throw new PolicySyntaxError("Missing required field Principal");
    checkTrusted(statement.principals);
    const actions = statement.actions ?? statement.notActions ?? [];
    if (!actions.length) refuse("Missing required field Action");
    if (!actions.every((action) => /^sts:/i.test(action))) {
      refuse("AssumeRole policy may only specify STS AssumeRole actions.");
    }
  }
  return policy;
}
