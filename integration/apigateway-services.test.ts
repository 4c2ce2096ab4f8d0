import { APIGatewayClient } from "@aws-sdk/client-api-gateway";
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { CreateBucketCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeAll, describe, expect, test } from "vitest";
import { settings, useEmulator } from "./harness/emulator";
import { adminRole } from "./harness/permissions";
import { type MethodSetup, outcome, RestApiBuilder } from "./harness/rest-api";

const emulator = useEmulator();
let client: APIGatewayClient;
let role: string;
beforeAll(async () => {
  client = new APIGatewayClient(settings(emulator.current));
  role = await adminRole(client);
});

const bytes = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe, 0x00, 0x80]);

describe("S3", () => {
  let s3: S3Client;
  beforeAll(async () => {
    s3 = new S3Client({ ...settings(emulator.current), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "archive" }));
  });

  async function store(binaryMediaTypes: string[] | undefined, integration: MethodSetup["integration"] = {}) {
    const api = await RestApiBuilder.create(client, emulator.current, { binaryMediaTypes });
    await api.add("PUT /{name}", {
      method: { requestParameters: { "method.request.path.name": true, "method.request.header.Content-Type": false } },
      integration: {
        type: "AWS",
        integrationHttpMethod: "PUT",
        uri: "arn:aws:apigateway:eu-west-1:s3:path/archive/{name}",
        credentials: role,
        requestParameters: {
          "integration.request.path.name": "method.request.path.name",
          "integration.request.header.Content-Type": "method.request.header.Content-Type",
        },
        ...integration,
      },
    });
    const url = await api.deploy();
    const response = await fetch(`${url}/${api.id}.bin`, {
      method: "PUT",
      headers: { "content-type": "application/octet-stream" },
      body: bytes,
    });
    const { Body, ContentType } = await s3.send(new GetObjectCommand({ Bucket: "archive", Key: `${api.id}.bin` }));
    return { status: response.status, type: ContentType, stored: Buffer.from(await Body!.transformToByteArray()) };
  }

  test("keeps binary bytes as they are when their type is a binary type of the API", async () => {
    const { status, type, stored } = await store(["application/octet-stream"]);
    expect([status, type]).toEqual([200, "application/octet-stream"]);
    expect(stored).toEqual(Buffer.from(bytes));
  });

  test("turns binary bytes into U+FFFD when it is not", async () => {
    const { stored } = await store(undefined);
    expect(stored.toString()).toBe(Buffer.from(bytes).toString("utf8"));
    expect(stored.toString()).toContain("\ufffd");
  });

  test("stores Base64 when the integration converts to text", async () => {
    const { stored } = await store(["*/*"], { contentHandling: "CONVERT_TO_TEXT" });
    expect(stored.toString()).toBe(Buffer.from(bytes).toString("base64"));
  });
});

test("SQS gets a message by a form that a template makes", async () => {
  const sqs = new SQSClient(settings(emulator.current));
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "ingest" }));
  const api = await RestApiBuilder.create(client, emulator.current);
  await api.add("POST /", {
    integration: {
      type: "AWS",
      integrationHttpMethod: "POST",
      uri: "arn:aws:apigateway:eu-west-1:sqs:path/000000000000/ingest",
      credentials: role,
      requestParameters: { "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'" },
      requestTemplates: { "application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)" },
    },
    responses: [
      { statusCode: "202", selectionPattern: "2\\d{2}", responseTemplates: { "application/json": '{"ok":true}' } },
    ],
  });
  const url = await api.deploy();
  const body = '{"note":"a&b=c d+é"}';
  const answer = fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
  expect(await outcome(answer)).toMatchObject({ status: 202, body: '{"ok":true}' });
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages!.map(({ Body }) => Body)).toEqual([body]);
});

describe("DynamoDB", () => {
  let url: string;
  let dynamodb: DynamoDBClient;
  beforeAll(async () => {
    dynamodb = new DynamoDBClient(settings(emulator.current));
    await dynamodb.send(
      new CreateTableCommand({
        TableName: "readings",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
      }),
    );
    const api = await RestApiBuilder.create(client, emulator.current);
    await api.add("POST /{id}", {
      integration: {
        type: "AWS",
        integrationHttpMethod: "POST",
        uri: "arn:aws:apigateway:eu-west-1:dynamodb:action/PutItem",
        credentials: role,
        requestTemplates: {
          "application/json": `{"TableName": "$input.params('table')", "Item": {"id": {"S": "$input.params('id')"}, "t": {"N": "$input.path('$.t')"}}}`,
        },
      },
      responses: [
        {},
        {
          statusCode: "400",
          selectionPattern: "4\\d{2}",
          responseTemplates: { "application/json": "$input.path('$.__type')" },
        },
      ],
    });
    url = await api.deploy();
  });
  const put = (table: string) =>
    outcome(
      fetch(`${url}/a1?table=${table}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"t":21.5}',
      }),
    );

  test("puts an item by an action and a template", async () => {
    expect(await put("readings")).toMatchObject({ status: 200 });
    const { Item } = await dynamodb.send(new GetItemCommand({ TableName: "readings", Key: { id: { S: "a1" } } }));
    expect(Item).toEqual({ id: { S: "a1" }, t: { N: "21.5" } });
  });

  test("its refusal is mapped by the status", async () => {
    const { status, body } = await put("nosuch");
    expect(status).toBe(400);
    expect(body).toContain("ResourceNotFoundException");
  });
});

test("a service integration without a role that exists gives 500", async () => {
  const api = await RestApiBuilder.create(client, emulator.current);
  await api.add("GET /", {
    integration: {
      type: "AWS",
      integrationHttpMethod: "GET",
      uri: "arn:aws:apigateway:eu-west-1:s3:path/archive/x",
    },
  });
  expect((await fetch(await api.deploy())).status).toBe(500);
});
