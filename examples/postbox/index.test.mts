import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { startStack } from "sensorcast/testing";

const AuthDetails = "change-me: use config.requireSecret";

test("five megabytes reach the callback byte for byte, and are gone after their time", async () => {
  await using stack = await startStack<{ url: string; bucket: string }>({ program: import.meta.dirname });
  const { url, bucket } = stack.outputs;

  const refused = await fetch(url, { method: "POST", headers: { AuthDetails: "guessed" }, body: "x" });
  assert.equal(refused.status, 403);

  const body = randomBytes(5 * 1024 * 1024);
  const answer = await fetch(url, {
    method: "POST",
    headers: { AuthDetails, "content-type": "application/octet-stream" },
    body,
  });
  const { id } = (await answer.json()) as { id: string };
  await stack.clock.idle();

  const logs = stack.client(CloudWatchLogsClient);
  const { logGroups = [] } = await logs.send(new DescribeLogGroupsCommand({}));
  const { logGroupName } = logGroups.find(({ logGroupName }) => logGroupName!.includes("measure"))!;
  const { events = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: `"${id}"` }));
  assert.ok(events.some(({ message }) => message!.includes(`"bytes":${body.length}`)));

  await stack.clock.advance("4 days");
  const { KeyCount } = await stack.client(S3Client).send(new ListObjectsV2Command({ Bucket: bucket }));
  assert.equal(KeyCount, 0);
});
