import { type Datum, type QueryCommandInput, TimestreamQuery } from "@aws-sdk/client-timestream-query";
import type { Emulator } from "../../emulator";
import { settings } from "./emulator";

const textOf = ({ ScalarValue, NullValue }: Datum) => (NullValue ? null : ScalarValue);

/** Asks Timestream of an emulator: columns by name with their types, rows as texts. */
export async function query(emulator: Pick<Emulator, "endpoint">, sql: string, more: Partial<QueryCommandInput> = {}) {
  const client = new TimestreamQuery(settings(emulator));
  try {
    const { ColumnInfo, Rows, NextToken } = await client.query({ QueryString: sql, ...more });
    return {
      columns: Object.fromEntries(ColumnInfo!.map(({ Name, Type }) => [Name, Type!.ScalarType])),
      rows: Rows!.map(({ Data }) => Data!.map(textOf)),
      NextToken,
    };
  } finally {
    client.destroy();
  }
}
