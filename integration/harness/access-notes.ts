import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DeployedResource, Deployment } from "../../deploy";
import type { Emulator } from "../../emulator";

/** One permission of a component's function, and what the tests made of it; see `npm run least-privilege`. */
export interface AccessNote {
  /** The component's type and the part of it that has the role, such as `ThingseeIngest receive`. */
  readonly who: string;
  readonly action: string;
  /** The resource as the component calls it, such as `dead-letters`. */
  readonly resource: string;
  readonly granted: boolean;
  readonly used: boolean;
  readonly refused: boolean;
  /** AWS uses it, and the embedded AWS does not. */
  readonly elsewhere: boolean;
}

/**
 * What Lambda needs of a function's role where there are networks, or another way of reading streams. AWS names these, but
 * nothing asks for them here.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
 */
const elsewhere = [
  "ec2:DescribeSubnets",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
  "kinesis:DescribeStreamSummary",
];

/** Where the notes of each deployment are put; undefined when nobody asked for them. */
const folder = process.env.LEAST_PRIVILEGE_NOTES;

/** Notes what IAM decides about the roles of a stack, where `npm run least-privilege` asked for it. */
export function noteAccess(emulator: Emulator) {
  if (folder === undefined) return undefined;
  const decided = new Map<string, { principal: string; action: string; resource: string; allowed: boolean }>();
  emulator.watchAccess(({ principal, action, resource, allowed }) => {
    decided.set([principal, action, resource, allowed].join(), { principal, action, resource, allowed });
  });
  return {
    async write(program: string, { resources }: Deployment): Promise<void> {
      const notes = notesOf(resources, [...decided.values()]);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${program}-${randomUUID()}.json`), JSON.stringify(notes));
    },
  };
}

interface Statement {
  readonly Action: string | string[];
  readonly Resource: string | string[];
}

const list = <Item>(value: Item | Item[] | undefined): Item[] => [value ?? []].flat() as Item[];

/** Whether text matches a pattern with stars. */
const matches = (pattern: string, text: string) =>
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "s").test(text);

function notesOf(
  resources: readonly DeployedResource[],
  decided: readonly { principal: string; action: string; resource: string; allowed: boolean }[],
): AccessNote[] {
  const notes: AccessNote[] = [];
  const roles = resources.filter(({ type }) => type === "aws:iam/role:Role");
  for (const role of roles) {
    const component = componentOf(resources, role);
    if (!component) continue;
    const arn = String(role.outputs.arn?.value);
    const who = `${component.type.split(":").at(-1)} ${partName(role, component).replace(/-?role$/, "")}`.trim();
    const own = decided.filter(({ principal }) => principal === arn);
    const name = (pattern: string) => resourceName(resources, component, pattern);
    const grants = resources
      .filter(
        ({ type, outputs }) =>
          type === "aws:iam/rolePolicy:RolePolicy" && outputs.role?.value === role.outputs.name?.value,
      )
      .flatMap(({ outputs }) => (JSON.parse(String(outputs.policy?.value)) as { Statement: Statement[] }).Statement)
      .flatMap(({ Action, Resource }) =>
        list(Action).flatMap((action) => list(Resource).map((pattern) => ({ action, pattern }))),
      );
    for (const { action, pattern } of grants) {
      const used = own.some((one) => one.allowed && one.action === action && matches(pattern, one.resource));
      const isElsewhere = elsewhere.includes(action);
      notes.push({ who, action, resource: name(pattern), granted: true, used, refused: false, elsewhere: isElsewhere });
    }
    const note = { who, granted: false, used: false, refused: true, elsewhere: false };
    for (const { action, resource, allowed } of own) {
      // Tests take out statements that are there, and deny things in the policies of resources.
      const isGranted = grants.some((grant) => grant.action === action && matches(grant.pattern, resource));
      if (!allowed && !isGranted) notes.push({ ...note, action, resource: name(resource) });
    }
  }
  return notes;
}

/** The component of the public API that a resource belongs to. */
function componentOf(
  resources: readonly DeployedResource[],
  { parent }: DeployedResource,
): DeployedResource | undefined {
  const owner = resources.find(({ urn }) => urn === parent);
  if (!owner) return undefined;
  const further = componentOf(resources, owner);
  const isOurs = owner.type.startsWith("sensorcast:");
  return further ?? (isOurs ? owner : undefined);
}

const partName = ({ name }: DeployedResource, component: DeployedResource) =>
  name.startsWith(`${component.name}-`) ? name.slice(component.name.length + 1) : name;

/** What a component calls the resource of an ARN or a pattern: its own by its part's name, others by their type. */
function resourceName(resources: readonly DeployedResource[], component: DeployedResource, pattern: string): string {
  // APIs are invoked by another ARN than they are managed by.
  const arnOf = ({ outputs }: DeployedResource) => String((outputs.executionArn ?? outputs.arn)?.value ?? "");
  const found = resources
    .filter((resource) => arnOf(resource) !== "" && pattern.startsWith(arnOf(resource)))
    .sort((a, b) => arnOf(b).length - arnOf(a).length)[0];
  if (!found) return pattern === "*" ? "*" : pattern.replace(/\d{12}|[a-z0-9]{10}(?=\/)/g, "…");
  return componentOf(resources, found)?.urn === component.urn
    ? partName(found, component)
    : `a ${found.type.split(":").at(-1)}`;
}
