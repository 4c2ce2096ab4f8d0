import { randomUUID } from "node:crypto";
import type { Datum, Row, ScalarType } from "@aws-sdk/client-timestream-query";
import { checkConstraints } from "../../core/constraint";
import { AwsError } from "../../core/errors";
import { limits } from "../../core/limits";
import { defineService, type Host, type Operations, Scoped } from "../../core/service";
import { access } from "./access";
import type { SqlType, Value } from "./ast";
import { unsupported, validation } from "./errors";
import { execute, type Result } from "./execute";
import { doubleText, timestampText } from "./literals";
import { parse } from "./parser";

type Sdk = typeof import("@aws-sdk/client-timestream-query");

/**
 * Amazon Timestream for LiveAnalytics, the Query API
 * (https://docs.aws.amazon.com/timestream/latest/developerguide/API_Operations_Amazon_Timestream_Query.html).
 *
 * Of SQL it knows one SELECT from one table: columns and `*`, count, min, max, avg, sum, bin, ago, now, WHERE, GROUP BY,
 * ORDER BY and LIMIT. Everything else is answered with 501 and its name, as are prepared, cancelled and scheduled queries.
 */
export const definition = defineService<Sdk>({
  sdk: () => require("@aws-sdk/client-timestream-query"),
  client: "TimestreamQueryClient",
  create(host) {
    const answers = new Scoped(() => new Map<string, Answer>());
    return { operations: queryOperations(host, answers), access, reset: () => answers.clear() };
  },
});

/** An answer that has not been read to its end. */
interface Answer extends Result {
  readonly query: string;
}

/** The most rows and bytes of a page (API reference, Query), and the most answers that wait for their next page to be asked for. */
const pageSize = 1000;
const pageBytes = 1024 * 1024;
const mostAnswers = 100;

function datum(value: Value, type: SqlType): Datum {
  if (value === null) return { NullValue: true };
  if (type === "TIMESTAMP") return { ScalarValue: timestampText(value as bigint) };
  return { ScalarValue: typeof value === "number" ? doubleText(value) : String(value) };
}

/** The rows of an answer from a place on that fit a page. */
function pageOf({ columns, rows }: Answer, start: number, most: number): Row[] {
  const page: Row[] = [];
  let size = 0;
  for (const row of rows.slice(start, start + most)) {
    const Data = row.map((value, i) => datum(value, columns[i]!.type));
    size += Data.reduce((sum, { ScalarValue = "" }) => sum + Buffer.byteLength(ScalarValue), 0);
    // One row is always fewer bytes: names and values of a record are limited.
    if (size > pageBytes && page.length > 0) break;
    page.push({ Data });
  }
  return page;
}

/** What is missing is a mistake in the statement here. */
function tableOf<T>(find: () => T): T {
  try {
    return find();
  } catch (error) {
    if (error instanceof AwsError) throw validation(error.message);
    throw error;
  }
}

function readToken(token: string): [id: string, start: number] {
  try {
    const [id, start] = JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as [unknown, unknown];
    if (typeof id === "string" && Number.isSafeInteger(start)) return [id, start as number];
  } catch {
    // Not one of ours, as the error says.
  }
  throw validation("Invalid pagination token.");
}

const queryOperations = (host: Host, answers: Scoped<Map<string, Answer>>): Operations<Sdk> => ({
  async Query({ QueryString: query = "", NextToken, MaxRows, ClientToken, QueryInsights }, context) {
    checkConstraints("ValidationException", {
      queryString: [query, { length: [1, limits.timestream.query.value] }],
      clientToken: [ClientToken, { length: [32, 128] }],
      maxRows: [MaxRows, { range: [1, pageSize] }],
      nextToken: [NextToken, { length: [1, 2048] }],
    });
    if (QueryInsights?.Mode === "ENABLED_WITH_RATE_CONTROL") throw unsupported("QueryInsights");
    const waiting = answers.of(context);
    let [id, start] = [randomUUID() as string, 0];
    let answer: Answer | undefined;
    if (NextToken === undefined) {
      const select = parse(query);
      const port = await host.bus.to("timestream");
      const table = tableOf(() => port.table(context, select.database, select.table));
      answer = { query, ...execute(select, table, BigInt(Math.trunc(host.clock.now())) * 1_000_000n) };
    } else {
      [id, start] = readToken(NextToken);
      answer = waiting.get(id);
      if (answer?.query !== query || start < 1 || start >= answer.rows.length)
        throw validation("Invalid pagination token.");
    }
    const { columns, rows } = answer;
    const page = pageOf(answer, start, MaxRows ?? pageSize);
    const end = start + page.length;
    if (end < rows.length) waiting.set(id, answer);
    const [oldest] = waiting.keys();
    if (waiting.size > mostAnswers) waiting.delete(oldest!);
    return {
      QueryId: id,
      ColumnInfo: columns.map(({ name, type }) => ({ Name: name, Type: { ScalarType: type as ScalarType } })),
      Rows: page,
      QueryStatus: { ProgressPercentage: 100, CumulativeBytesScanned: 0, CumulativeBytesMetered: 0 },
      ...(end < rows.length && { NextToken: Buffer.from(JSON.stringify([id, end])).toString("base64url") }),
    };
  },
});
