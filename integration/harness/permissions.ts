import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { AddPermissionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { trustOf } from "./policies";

/** An SDK client, whatever its service: others for the same emulator and account are made from its settings. */
type Connected = { readonly config: Pick<LambdaClient["config"], "endpoint" | "region" | "credentials"> };

const sameAs = ({ config: { endpoint, region, credentials } }: Connected) => ({
  ...{ endpoint, region, credentials },
  maxAttempts: 1,
});

/** Services that act as roles in tests. */
const services = ["apigateway", "events", "iot", "lambda", "logs"].map((name) => `${name}.amazonaws.com`);

/**
 * Makes sure that there is a role that services may act as and that may do everything: for tests of something else than
 * permissions. Gives its ARN.
 */
export async function adminRole(client: Connected, RoleName = "test"): Promise<string> {
  const iam = new IAMClient(sameAs(client));
  try {
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: services }, Action: "sts:AssumeRole" }],
    });
    const made = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const PolicyArn = "arn:aws:iam::aws:policy/AdministratorAccess";
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    return made.Role!.Arn!;
  } catch (error) {
    if ((error as Error).name !== "EntityAlreadyExistsException") throw error;
    const { accessKeyId } = await client.config.credentials();
    return `arn:aws:iam::${/^\d{12}$/.test(accessKeyId) ? accessKeyId : "000000000000"}:role/${RoleName}`;
  } finally {
    iam.destroy();
  }
}

/** Lets a service invoke a function for whatever it likes. A function that is not there cannot let anybody in. */
export async function letInvoke(client: Connected, functionArn: string, service: string): Promise<void> {
  const lambda = new LambdaClient(sameAs(client));
  const [, , , , , , FunctionName, Qualifier] = functionArn.split(":");
  const statement = { Action: "lambda:InvokeFunction", Principal: `${service}.amazonaws.com`, StatementId: service };
  await lambda
    .send(new AddPermissionCommand({ FunctionName, Qualifier, ...statement }))
    .catch((error: Error) => {
      if (!["ResourceConflictException", "ResourceNotFoundException"].includes(error.name)) throw error;
    })
    .finally(() => lambda.destroy());
}

/** A statement of an identity policy that allows something. */
export type Allowed = readonly [actions: string | readonly string[], resource?: string | readonly string[]];

/** A role whose one policy a test changes. */
export interface TestRole {
  readonly name: string;
  readonly arn: string;
  /** Lets it do this and nothing else; nothing at all without arguments. */
  allow(...statements: Allowed[]): Promise<void>;
  trust(service: string): Promise<void>;
  delete(): Promise<void>;
}

/** Makes a role that one service may act as, and that may do what the statements say. */
export async function makeRole(
  client: Connected,
  name: string,
  service: string,
  ...statements: Allowed[]
): Promise<TestRole> {
  const iam = new IAMClient(sameAs(client));
  const inline = { RoleName: name, PolicyName: "test" };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trustOf({ Service: service }) }),
  );
  const withdraw = () =>
    iam.send(new DeleteRolePolicyCommand(inline)).catch((error: Error) => {
      if (error.name !== "NoSuchEntityException") throw error;
    });
  const role: TestRole = {
    name,
    arn: Role!.Arn!,
    async allow(...allowed) {
      const Statement = allowed.map(([Action, Resource = "*"]) => ({ Effect: "Allow", Action, Resource }));
      if (Statement.length === 0) return void (await withdraw());
      const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
      await iam.send(new PutRolePolicyCommand({ ...inline, PolicyDocument }));
    },
    async trust(other) {
      const PolicyDocument = trustOf({ Service: other });
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: name, PolicyDocument }));
    },
    async delete() {
      await withdraw();
      await iam.send(new DeleteRoleCommand({ RoleName: name }));
    },
  };
  if (statements.length > 0) await role.allow(...statements);
  return role;
}
