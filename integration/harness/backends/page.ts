import { embeddedOnly } from "./capabilities/embedded-only";
import { localStackPaid } from "./capabilities/localstack";
import { ministackGaps, ministackVersion } from "./capabilities/ministack";
import { localStackImage } from "./localstack";

const cell = (text: string) => text.replaceAll("|", "\\|");

/** Files, and how many of their tests or groups where it is not all. */
function places(tests: readonly string[]): string {
  const files = new Map<string, number>();
  for (const pattern of tests) {
    const [file = "", name] = pattern.split(": ");
    files.set(file, (files.get(file) ?? 0) + (name === undefined ? 0 : 1));
  }
  return [...files].map(([file, count]) => (count === 0 ? `${file} (all)` : `${file} (${count})`)).join(", ");
}

/** The page that tells of the backends: `docs/backends.md`. */
export const backendsPage = (): string => `# Backends

The integration tests run against any AWS:

| TEST_BACKEND | runs on | needs |
| --- | --- | --- |
| \`embedded\` (the default) | the embedded AWS, one for each test file | nothing |
| \`ministack\` | MiniStack ${ministackVersion}, a process for each worker, with \`AUTH=true\` | Python 3.10 or newer, and PyPI the first time; or \`MINISTACK_IMAGE\` with an image, and Docker: then a container for each |
| \`localstack\` | \`${localStackImage}\` through Testcontainers | Docker; \`LOCALSTACK_AUTH_TOKEN\` is passed on, and IAM enforced with it |
| \`endpoint=<url>\` | whatever answers there, one test file after another | an AWS that takes access key \`test\` for the administrator of account 000000000000 |

\`\`\`sh
TEST_BACKEND=ministack npm test
TEST_BACKEND=ministack npm test -- integration/sqs-queues.test.ts
TEST_BACKEND=endpoint=http://127.0.0.1:4566 npm test    # with \`npm run emulator\`, MiniStack or LocalStack there
docker compose -f docker-compose.localstack.yml up       # LocalStack for hands-on use
\`\`\`

An image is what \`node scripts/ministack-image.js\` prints: MiniStack's own from Docker Hub or, where that cannot be reached,
one that is built of a minimal Debian (debootstrap, as root), this Node, and MiniStack from PyPI. It
runs in the host's network, as tests start servers that it calls. \`TESTCONTAINERS_RYUK_DISABLED=true\` helps where
Testcontainers' own helper cannot be pulled.

MiniStack is installed into \`~/.cache/sensorcast\`. Backends are emptied before each file: **an endpoint loses all that is in
it** if it is the embedded AWS, MiniStack or LocalStack; what else answers is taken as it is.

## What is not run
At the end of a run on another backend, its tests are counted: passed, failed, and not run with the reason.

- A test that asks for what only the embedded AWS has stops there and is skipped: its clock, faults, journal, denials, the
  requests it was sent, interceptors, a second instance.
- What says nothing of a backend is skipped on each:
${embeddedOnly.map(({ lacks, tests }) => `  - ${lacks}: ${tests.map((test) => `\`${test}\``).join(", ")}`).join("\n")}
- What a backend lacks is in its table, in \`integration/harness/backends/capabilities/\`. With \`BACKEND_AUDIT=1\` these tests
  run too: those that fail are counted as not run, and those that pass are named, so that they can leave the table.

Other endpoints have no table: it takes a run on them to write one.

## What LocalStack lacks
Without \`LOCALSTACK_AUTH_TOKEN\` these do not run on it; with one they do. This is what its documentation and issues tell. No run on
LocalStack was possible so far, so where it deviates from AWS in detail is not known, and shows as failed tests.

| LocalStack | see | not run |
| --- | --- | --- |
${localStackPaid.map(({ lacks, source = "", tests }) => `| ${cell(lacks)} | ${cell(source)} | ${places(tests)} |`).join("\n")}

## Where MiniStack ${ministackVersion} is not AWS
| MiniStack | AWS | seen by |
| --- | --- | --- |
${ministackGaps.map(({ lacks, aws = "", tests }) => `| ${cell(lacks)} | ${cell(aws)} | ${places(tests)} |`).join("\n")}
`;
