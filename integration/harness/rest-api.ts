import {
  type APIGatewayClient,
  CreateDeploymentCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  type CreateRestApiCommandInput,
  GetResourcesCommand,
  PutIntegrationCommand,
  type PutIntegrationCommandInput,
  PutIntegrationResponseCommand,
  type PutIntegrationResponseCommandInput,
  PutMethodCommand,
  type PutMethodCommandInput,
  PutMethodResponseCommand,
} from "@aws-sdk/client-api-gateway";
import { letInvoke } from "./permissions";

type Where = "restApiId" | "resourceId" | "httpMethod";

/** How one method of a test API is set up; a MOCK that answers 200 unless told. */
export interface MethodSetup {
  readonly method?: Partial<Omit<PutMethodCommandInput, Where>>;
  readonly integration?: Partial<Omit<PutIntegrationCommandInput, Where>>;
  /** Integration responses with their method responses. @default one for 200, none for proxy integrations */
  readonly responses?: readonly Partial<Omit<PutIntegrationResponseCommandInput, Where>>[];
}

/** The URI by which API Gateway calls a function. */
export const functionUri = (functionArn: string, region = "eu-west-1") =>
  `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${functionArn}/invocations`;

/** Lets API Gateway call the function that a URI leads to. */
export async function letInvokeBy(client: Parameters<typeof letInvoke>[0], uri: string | undefined): Promise<void> {
  const functionArn = /\/functions\/(arn:[\w:$-]+)\/invocations$/.exec(uri ?? "")?.[1];
  if (functionArn) await letInvoke(client, functionArn, "apigateway");
}

/** Settings of a Lambda proxy integration. */
export const proxyTo = (functionArn: string): MethodSetup["integration"] => ({
  type: "AWS_PROXY",
  integrationHttpMethod: "POST",
  uri: functionUri(functionArn),
});

/** A REST API being built through the SDK, and the URL of its deployed stages. */
export class RestApiBuilder {
  private readonly resources = new Map<string, string>();

  private constructor(
    private readonly client: APIGatewayClient,
    private readonly endpoint: string,
    readonly id: string,
    rootId: string,
  ) {
    this.resources.set("/", rootId);
  }

  static async create(
    client: APIGatewayClient,
    { endpoint }: { endpoint: string },
    input: Partial<CreateRestApiCommandInput> = {},
  ): Promise<RestApiBuilder> {
    const { id, rootResourceId } = await client.send(new CreateRestApiCommand({ name: "test", ...input }));
    return new RestApiBuilder(client, endpoint, id!, rootResourceId!);
  }

  /** The id of the resource at a path; makes it and those above it where they are missing. */
  async resource(path: string): Promise<string> {
    const known = this.resources.get(path);
    if (known) return known;
    const cut = path.lastIndexOf("/");
    const parentId = await this.resource(path.slice(0, cut) || "/");
    const { id } = await this.client.send(
      new CreateResourceCommand({ restApiId: this.id, parentId, pathPart: path.slice(cut + 1) }),
    );
    this.resources.set(path, id!);
    return id!;
  }

  /** Adds a method: `add("POST /pets", { ... })`. */
  async add(route: string, { method, integration, responses }: MethodSetup = {}): Promise<this> {
    const [httpMethod = "", path = ""] = route.split(" ");
    const where = { restApiId: this.id, resourceId: await this.resource(path), httpMethod };
    await this.client.send(new PutMethodCommand({ ...where, authorizationType: "NONE", ...method }));
    await letInvokeBy(this.client, integration?.uri);
    const type = integration?.type ?? "MOCK";
    await this.client.send(
      new PutIntegrationCommand({
        ...where,
        type,
        ...(type === "MOCK" ? { requestTemplates: { "application/json": '{"statusCode": 200}' } } : {}),
        ...integration,
      }),
    );
    for (const response of responses ?? (type.endsWith("_PROXY") ? [] : [{}])) {
      const full = { ...where, statusCode: "200", ...response };
      const headers = Object.keys(response.responseParameters ?? {});
      await this.client.send(
        new PutMethodResponseCommand({
          ...where,
          statusCode: full.statusCode,
          responseParameters: Object.fromEntries(headers.map((name) => [name, false])),
        }),
      );
      await this.client.send(new PutIntegrationResponseCommand(full));
    }
    return this;
  }

  /** Deploys to a stage; gives the stage's URL, without a slash at the end. */
  async deploy(stageName = "prod", variables?: Record<string, string>): Promise<string> {
    await this.client.send(new CreateDeploymentCommand({ restApiId: this.id, stageName, variables }));
    return this.url(stageName);
  }

  url(stageName = "prod"): string {
    return `${this.endpoint}/_aws/execute-api/${this.id}/${stageName}`;
  }

  /** Paths of all resources, as the API lists them. */
  async paths(): Promise<string[]> {
    const { items } = await this.client.send(new GetResourcesCommand({ restApiId: this.id }));
    return (items ?? []).map(({ path }) => path!);
  }
}

/** Status, body text and error type of an answer, to compare in one go. */
export async function outcome(response: Response | Promise<Response>) {
  const answer = await response;
  return { status: answer.status, body: await answer.text(), errorType: answer.headers.get("x-amzn-errortype") };
}
