import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { beforeEach, describe, expect, it } from "vitest";
import { settings, useEmulator } from "./harness/emulator";

const emulator = useEmulator();
beforeEach(() => emulator.current.reset());

/** Posts a form as SDKs did before SQS spoke JSON. */
async function post(fields: Record<string, string>, path = "/") {
  const response = await fetch(emulator.current.endpoint + path, {
    method: "POST",
    body: new URLSearchParams({ ...fields, Version: "2012-11-05" }),
    headers: {
      authorization:
        "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host, Signature=x",
    },
  });
  return { status: response.status, type: response.headers.get("content-type"), xml: await response.text() };
}
const element = (xml: string, name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
const queuePath = "/000000000000/q";

describe("SQS in the XML protocol of older SDKs", () => {
  it("creates a queue, sends, receives and deletes, with the queue in the path", async () => {
    const created = await post({
      Action: "CreateQueue",
      QueueName: "q",
      "Attribute.1.Name": "VisibilityTimeout",
      "Attribute.1.Value": "40",
      "Tag.1.Key": "env",
      "Tag.1.Value": "test",
    });
    expect(created.type).toContain("text/xml");
    expect(element(created.xml, "QueueUrl")).toBe(`http://localhost:${emulator.current.port}${queuePath}`);
    expect((await post({ Action: "ListQueueTags" }, queuePath)).xml).toContain(
      "<Tag><Key>env</Key><Value>test</Value></Tag>",
    );
    const sent = await post(
      {
        Action: "SendMessage",
        MessageBody: "a <b> & c\r\n",
        "MessageAttribute.1.Name": "Foo",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "Bar",
        "MessageAttribute.2.Name": "raw",
        "MessageAttribute.2.Value.DataType": "Binary",
        "MessageAttribute.2.Value.BinaryValue": "AP8=",
      },
      queuePath,
    );
    expect(sent.xml).toMatch(
      /^<\?xml version="1.0"\?><SendMessageResponse xmlns="http:\/\/queue.amazonaws.com\/doc\/2012-11-05\/"><SendMessageResult>/,
    );
    const received = await post(
      {
        Action: "ReceiveMessage",
        MaxNumberOfMessages: "10",
        "AttributeName.1": "All",
        "MessageAttributeName.1": "All",
      },
      queuePath,
    );
    expect(received.xml).toContain("<Body>a &lt;b&gt; &amp; c&#13;\n</Body>");
    expect(received.xml).toContain(
      "<MessageAttribute><Name>Foo</Name><Value><DataType>String</DataType><StringValue>Bar</StringValue></Value></MessageAttribute>",
    );
    expect(received.xml).toContain("<BinaryValue>AP8=</BinaryValue>");
    expect(received.xml).toContain("<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>");
    expect(element(received.xml, "MessageId")).toBe(element(sent.xml, "MessageId"));
    const removed = await post(
      { Action: "DeleteMessage", ReceiptHandle: element(received.xml, "ReceiptHandle")! },
      queuePath,
    );
    expect(removed.xml).toMatch(/<DeleteMessageResponse [^>]*><ResponseMetadata><RequestId>[^<]+<\/RequestId>/);
    const attributes = await post({ Action: "GetQueueAttributes", "AttributeName.1": "All" }, queuePath);
    expect(attributes.xml).toContain("<Attribute><Name>VisibilityTimeout</Name><Value>40</Value></Attribute>");
    expect(attributes.xml).toContain("<Name>ApproximateNumberOfMessagesNotVisible</Name><Value>0</Value>");
  });

  it("works on the same queues as the JSON protocol, batches included", async () => {
    const sqs = new SQSClient(settings(emulator.current));
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "q" }));
    const { xml } = await post({
      Action: "SendMessageBatch",
      QueueUrl: QueueUrl!,
      "SendMessageBatchRequestEntry.1.Id": "one",
      "SendMessageBatchRequestEntry.1.MessageBody": "1",
      "SendMessageBatchRequestEntry.2.Id": "two",
      "SendMessageBatchRequestEntry.2.MessageBody": "2",
      "SendMessageBatchRequestEntry.2.DelaySeconds": "1000",
    });
    expect(xml).toContain("<SendMessageBatchResultEntry><Id>one</Id>");
    expect(xml).toMatch(
      /<BatchResultErrorEntry><Id>two<\/Id><Code>InvalidParameterValue<\/Code>.*<SenderFault>true<\/SenderFault>/,
    );
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 }));
    expect(Messages?.map(({ Body }) => Body)).toEqual(["1"]);
    expect((await post({ Action: "ListQueues" })).xml).toContain(`<ListQueuesResult><QueueUrl>${QueueUrl}</QueueUrl>`);
  });

  it("answers errors with the codes of that protocol", async () => {
    const { status, xml } = await post({ Action: "SendMessage", MessageBody: "x" }, "/000000000000/missing");
    expect(status).toBe(400);
    expect(xml).toContain(
      "<Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist.</Message><Detail/></Error>",
    );
    expect(element((await post({ Action: "Nonsense" })).xml, "Code")).toBe("InvalidAction");
    await post({ Action: "CreateQueue", QueueName: "q" });
    const wrong = await post({ Action: "ReceiveMessage", MaxNumberOfMessages: "many" }, queuePath);
    expect(element(wrong.xml, "Code")).toBe("InvalidParameterValue");
  });
});
