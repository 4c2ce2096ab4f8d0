import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  DeleteRolePolicyCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  RemovePermissionCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, SetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "vitest";
import type { Denial } from "../../emulator";
import type { Deployed } from "./deployed";
import { find } from "./deploying";
import { settings } from "./emulator";

/** Something that a component does, to see whether it still can. */
export interface Way {
  /** Sends something. Gives how to tell whether it has got through. */
  send(): Promise<() => boolean | Promise<boolean>>;
  /** What was refused gets through by itself once it is allowed; else it has to be sent anew. */
  readonly comesAgain?: boolean;
}

/** One statement of a policy, and how it is taken out and put back. */
interface Grant {
  readonly statement: Statement;
  /** Who is refused without it, as denials name them. */
  readonly principal: RegExp;
  withdraw(): Promise<unknown>;
  restore(): Promise<unknown>;
}

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: string | string[];
  readonly Sid?: string;
  readonly Principal?: { Service?: string };
  readonly Condition?: { ArnLike?: Record<string, string> };
}
interface Policy {
  readonly Version: string;
  readonly Statement: Statement[];
}

const list = (value: string | string[]) => [value].flat();
const textOf = ({ Action, Resource }: Statement) => `${list(Action)[0]} ${list(Resource).join()}`;
const matches = (pattern: string, text: string) =>
  new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`).test(text);

/**
 * The statements that let a deployed program do what it does. Takes out one after the other and looks what then goes
 * wrong.
 */
export class Grants {
  readonly lambda: LambdaClient;
  readonly sqs: SQSClient;
  private readonly iam: IAMClient;
  private readonly logs: CloudWatchLogsClient;

  /** @param settling how far the clock moves until what is sent has had its time. */
  constructor(
    private readonly deployed: Pick<Deployed<unknown>, "emulator" | "stack">,
    private readonly settling: string,
  ) {
    const config = settings(deployed.emulator);
    this.lambda = new LambdaClient(config);
    this.sqs = new SQSClient(config);
    this.iam = new IAMClient(config);
    this.logs = new CloudWatchLogsClient(config);
  }

  /** An output of a resource of the program. */
  output(name: string, kind: string, output = "arn"): string {
    return String(find(this.deployed.stack, name, kind).outputs[output]?.value);
  }

  /** The roles of a component that have statements of their own, as the program calls them without `-role`. */
  roles(component: string): string[] {
    return this.deployed.stack.resources
      .filter(({ type, name }) => type === "aws:iam/rolePolicy:RolePolicy" && name.startsWith(`${component}-`))
      .map(({ name }) => name.replace(/-policy$/, ""))
      .sort();
  }

  queueUrl = (name: string) => this.output(name, "queue:Queue", "url");
  functionName = (name: string) => this.output(`${name}-function`, "function:Function", "name");

  /** How much is in a table, a bucket or a queue. */
  count(name: string, kind: "table:Table" | "bucket:Bucket" | "queue:Queue"): number {
    const counts = this.deployed.emulator.inspection.counts(this.output(name, kind));
    return Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
  }

  /** A way that has got through when there is more in a table, a bucket or a queue. */
  filling(send: () => Promise<unknown>, ...where: Parameters<Grants["count"]>): Pick<Way, "send"> {
    return {
      send: async () => {
        const before = this.count(...where);
        await send();
        return () => this.count(...where) > before;
      },
    };
  }

  /** Runs a function; rejects when it fails. */
  async invoke(name: string, event: object = {}): Promise<unknown> {
    const FunctionName = this.functionName(name);
    const answer = await this.lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
    const said = Buffer.from(answer.Payload!).toString();
    if (answer.FunctionError) throw new Error(said);
    return JSON.parse(said);
  }

  /** What a function has written to its log. */
  async logLines(name: string): Promise<string[]> {
    const logGroupName = this.output(`${name}-logs`, "logGroup:LogGroup", "name");
    const { events = [] } = await this.logs.send(new FilterLogEventsCommand({ logGroupName }));
    return events.map(({ message = "" }) => message);
  }

  /** Lets all that is under way get where it can. */
  async settle(): Promise<void> {
    await this.deployed.emulator.clock.idle();
    await this.deployed.emulator.clock.advance(this.settling);
  }

  /** What all functions of the components may do: write their logs and traces. */
  ofFunction(name: string): Record<string, Way> {
    const FunctionName = this.functionName(name);
    return {
      "logs:CreateLogStream": {
        send: async () => {
          const before = (await this.logLines(name)).length;
          await this.lambda.send(new InvokeCommand({ FunctionName, Payload: "{}" }));
          return async () => (await this.logLines(name)).length > before;
        },
      },
      // Nothing traces here, but a function that is to trace cannot be deployed without it.
      "xray:PutTraceSegments": {
        send: async () => {
          const traced = { FunctionName, TracingConfig: { Mode: "Active" } } as const;
          const isTaken = await this.lambda.send(new UpdateFunctionConfigurationCommand(traced)).then(
            () => true,
            () => false,
          );
          return () => isTaken;
        },
      },
    };
  }

  /**
   * Holds that a role needs each of its statements, and no others.
   *
   * @param ways what each statement is for, by the beginning of its first action and resource, such as
   *   `sqs:SendMessage …:live`, where … stands for anything.
   */
  async expectRole(name: string, ways: Record<string, Way>): Promise<void> {
    const RoleName = this.output(`${name}-role`, "role:Role", "name");
    const { PolicyNames = [] } = await this.iam.send(new ListRolePoliciesCommand({ RoleName }));
    const left = new Set(Object.keys(ways));
    for (const PolicyName of PolicyNames) {
      const { PolicyDocument = "" } = await this.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
      const policy = JSON.parse(decodeURIComponent(PolicyDocument)) as Policy;
      const put = (Statement: Statement[]): Promise<unknown> => {
        // There is no policy without a statement.
        if (Statement.length === 0) return this.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
        const PolicyDocument = JSON.stringify({ ...policy, Statement });
        return this.iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
      };
      for (const statement of policy.Statement) {
        const text = textOf(statement);
        const key = [...left].find((key) => matches(`${key.replaceAll("…", "*")}*`, text));
        if (key === undefined) throw new Error(`nothing is known of ${name} that needs ${text}`);
        left.delete(key);
        const withdraw = () => put(policy.Statement.filter((other) => other !== statement));
        const principal = new RegExp(`:assumed-role/${RoleName}/`);
        await this.expectNeeded(
          { statement, principal, withdraw, restore: () => put(policy.Statement) },
          ways[key]!,
          `${name}, ${key}`,
        );
      }
    }
    expect([...left], `no statement of ${name}`).toEqual([]);
  }

  /** Holds that all that may invoke a function is needed to. */
  async expectPermissions(name: string, way: Way): Promise<void> {
    const FunctionName = this.functionName(name);
    const { Policy = "" } = await this.lambda.send(new GetPolicyCommand({ FunctionName }));
    const { Statement } = JSON.parse(Policy) as Policy;
    for (const statement of Statement) {
      const { Sid: StatementId, Principal, Action, Condition } = statement;
      const Service = Principal!.Service!;
      const SourceArn = Condition!.ArnLike!["AWS:SourceArn"];
      const grant = {
        statement,
        principal: new RegExp(`^${Service}$`),
        withdraw: () => this.lambda.send(new RemovePermissionCommand({ FunctionName, StatementId })),
        restore: () =>
          this.lambda.send(
            new AddPermissionCommand({
              ...{ FunctionName, StatementId, SourceArn },
              ...{ Principal: Service, Action: list(Action)[0] },
            }),
          ),
      };
      await this.expectNeeded(grant, way, `${Service} invokes ${name}`);
    }
  }

  /** Holds that all that may send to a queue is needed to. */
  async expectQueuePolicy(name: string, way: Way): Promise<void> {
    const policy = await this.queuePolicy(name);
    const allowing = policy.Statement.filter(({ Effect }) => Effect === "Allow");
    expect(allowing).not.toEqual([]);
    for (const statement of allowing) {
      const Statement = policy.Statement.filter((other) => other !== statement);
      const grant = {
        statement,
        principal: new RegExp(`^${statement.Principal!.Service}$`),
        withdraw: () => this.setQueuePolicy(name, { ...policy, Statement }),
        restore: () => this.setQueuePolicy(name, policy),
      };
      await this.expectNeeded(grant, way, `${statement.Sid} to ${name}`);
    }
  }

  private async queuePolicy(name: string): Promise<Policy> {
    const QueueUrl = this.queueUrl(name);
    const { Attributes } = await this.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["Policy"] }));
    return JSON.parse(Attributes!.Policy!) as Policy;
  }

  private setQueuePolicy(name: string, policy: Policy): Promise<unknown> {
    const Attributes = { Policy: JSON.stringify(policy) };
    return this.sqs.send(new SetQueueAttributesCommand({ QueueUrl: this.queueUrl(name), Attributes }));
  }

  /** Without the statement nothing gets through, and exactly what it allows is missing; with it everything does. */
  private async expectNeeded(grant: Grant, way: Way, what: string): Promise<void> {
    await grant.withdraw();
    const before = await this.refusedDuring(async () => {
      const arrived = await way.send();
      await this.settle();
      expect(await arrived(), `without it: ${what}`).toBe(false);
      return arrived;
    }).finally(() => grant.restore());
    const { Action, Resource } = grant.statement;
    const isOfIt = ({ principal, action, resource }: Denial) =>
      grant.principal.test(principal) &&
      list(Action).includes(action) &&
      list(Resource).some((pattern) => matches(pattern, resource));
    expect(before.denials, `denials without it: ${what}`).not.toEqual([]);
    expect(
      before.denials.filter((denial) => !isOfIt(denial)),
      `other denials: ${what}`,
    ).toEqual([]);
    const after = await this.refusedDuring(async () => {
      const arrived = way.comesAgain ? before.result : await way.send();
      await this.settle();
      // What goes to a client is on its way for a while yet.
      await expect.poll(arrived, { timeout: 5_000, message: `with it: ${what}` }).toBe(true);
    });
    expect(after.denials, `denials with it: ${what}`).toEqual([]);
  }

  private async refusedDuring<T>(work: () => Promise<T>): Promise<{ result: T; denials: Denial[] }> {
    const denials: Denial[] = [];
    const stop = this.deployed.emulator.watchDenials((denial) => denials.push(denial));
    try {
      return { result: await work(), denials };
    } finally {
      stop();
    }
  }
}
