import { expect, it, vi } from "vitest";
import { useDeployed } from "./harness/deployed";
import { Grants, type Way } from "./harness/grants";
import { publish } from "./harness/postbox";

interface Outputs {
  postboxUrl: string;
}

// The emulator reports what EventBridge may not do as what is lost.
vi.setConfig({ testTimeout: 60_000 });
const deployed = useDeployed<Outputs>("permissions", undefined, { onFault: () => {} });
/** An arrival that was not announced, and a message that was not consumed, come again after three minutes. */
const grantsOf = () => new Grants(deployed.current, "185 seconds");

const post = () => publish(deployed.current.outputs.postboxUrl, "some text", { AuthDetails: "a-token" });
const stored: Way = {
  send: async () => {
    const { status } = await post();
    return () => status === 200;
  },
};

/** The consumer has got what was published. */
const consumed = (grants: Grants, send: () => Promise<{ body: { id?: string } }> = post): Way => ({
  comesAgain: true,
  send: async () => {
    const { id } = (await send()).body;
    return async () => (await grants.logLines("postbox-consume")).some((line) => line.includes(`consumed ${id}`));
  },
});

/** What the announcing function meets when it sends: SQS refuses it so often. */
function refuseAnnouncements(grants: Grants, count: number) {
  const resource = grants.output("postbox-queue", "queue:Queue");
  const call = { service: "sqs", operation: "SendMessageBatch", resource };
  return deployed.current.emulator.faults.inject({ fault: "error", ...call, code: "QueueDoesNotExist", count });
}

/** Publishes, and lets the arrival be given up. */
async function giveUp(grants: Grants): Promise<{ body: { id?: string } }> {
  const fault = refuseAnnouncements(grants, 5);
  const published = await post();
  await deployed.current.emulator.clock.idle();
  await deployed.current.emulator.clock.advance("16 minutes");
  expect(fault.hits).toBe(5);
  expect(grants.count("postbox-unannounced", "queue:Queue")).toBeGreaterThan(0);
  return published;
}

const reconcile = (grants: Grants) => grants.invoke("postbox-reconcile", { graceMinutes: 0 });

it("API Gateway's role needs its statement", async () => {
  const grants = grantsOf();
  await grants.expectRole("postbox-store", { "s3:PutObject": stored });
});

it("the authorizer needs each of its statements", async () => {
  const grants = grantsOf();
  await grants.expectRole("postbox-authorizer", grants.ofFunction("postbox-authorizer"));
});

it("the function that announces needs each of its statements", async () => {
  const grants = grantsOf();
  const announced = consumed(grants);
  const marked: Way = {
    send: async () => {
      const before = grants.count("postbox-bodies-bucket", "bucket:Bucket");
      await post();
      // The body and its mark.
      return () => grants.count("postbox-bodies-bucket", "bucket:Bucket") === before + 2;
    },
  };
  await grants.expectRole("postbox-announce", {
    ...grants.ofFunction("postbox-announce"),
    "s3:GetObject …/published/…,…/announced/": announced,
    "s3:PutObject …/announced/": marked,
    // Whether there is a mark yet is asked of what comes again.
    "s3:ListBucket": consumed(grants, () => {
      refuseAnnouncements(grants, 1);
      return post();
    }),
    "sqs:SendMessage …:postbox-queue": announced,
    "sqs:ReceiveMessage …:postbox-arrivals": announced,
  });
});

it("the consumer needs each of its statements", async () => {
  const grants = grantsOf();
  await grants.expectRole("postbox-consume", {
    ...grants.ofFunction("postbox-consume"),
    "s3:GetObject …/published/": consumed(grants),
    "sqs:ReceiveMessage …:postbox-queue": consumed(grants),
  });
});

it("the function that reconciles needs each of its statements", async () => {
  const grants = grantsOf();
  const reconciled: Way = consumed(grants, async () => {
    const published = await giveUp(grants);
    await reconcile(grants).catch(() => undefined);
    return published;
  });
  const sent: Way = { send: reconciled.send };
  /** Without a mark, the object would be announced again and again. */
  const done: Way = {
    send: async () => {
      await giveUp(grants);
      const isDone = await reconcile(grants).then(
        () => true,
        () => false,
      );
      return () => isDone;
    },
  };
  const takenBack: Way = {
    send: async () => {
      await giveUp(grants);
      await reconcile(grants).catch(() => undefined);
      return () => grants.count("postbox-unannounced", "queue:Queue") === 0;
    },
  };
  await grants.expectRole("postbox-reconcile", {
    ...grants.ofFunction("postbox-reconcile"),
    "s3:GetObject …/published/…,…/announced/": sent,
    "s3:PutObject …/announced/": done,
    "s3:ListBucket": sent,
    "sqs:SendMessage …:postbox-queue": sent,
    "s3:GetObject …/reconciliation/": done,
    "sqs:SendMessage …:postbox-arrivals": takenBack,
    "sqs:StartMessageMoveTask": takenBack,
  });
});

it("API Gateway and EventBridge need their permissions to invoke the functions", async () => {
  const grants = grantsOf();
  await grants.expectPermissions("postbox-authorizer", stored);
  await grants.expectPermissions("postbox-reconcile", {
    send: async () => {
      const before = (await grants.logLines("postbox-reconcile")).length;
      await deployed.current.emulator.clock.advance("1 day");
      return async () => (await grants.logLines("postbox-reconcile")).length > before;
    },
  });
});

it("S3 needs what the queue's policy allows", async () => {
  const grants = grantsOf();
  await grants.expectQueuePolicy("postbox-arrivals", { send: consumed(grants).send });
});

it("no other role has statements", () => {
  expect(grantsOf().roles("postbox")).toEqual([
    "postbox-announce",
    "postbox-authorizer",
    "postbox-consume",
    "postbox-reconcile",
    "postbox-store",
  ]);
});
