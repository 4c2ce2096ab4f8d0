import { formatArn } from "../../core/arn";
import { type Host, type Operations, type Scope, Scoped } from "../../core/service";
import { databaseNotFound, resourceNotFound, tableNotFound } from "./errors";
import type { Table } from "./table";

export type Sdk = typeof import("@aws-sdk/client-timestream-write");
export type WriteOperations = Operations<Sdk>;

export class Database {
  readonly arn: string;
  readonly tables = new Map<string, Table>();
  readonly tags = new Map<string, string>();
  updated: number;

  constructor(
    scope: Scope,
    readonly name: string,
    public kmsKeyId: string,
    readonly created: number,
  ) {
    this.arn = formatArn("timestream", scope.region, scope.account, `database/${name}`);
    this.updated = created;
  }
}

/** The databases of all accounts and regions. */
export class Store {
  private readonly regions = new Scoped(() => new Map<string, Database>());

  constructor(readonly host: Host) {}

  databases = (scope: Scope): Map<string, Database> => this.regions.of(scope);

  database(scope: Scope, name: string): Database {
    const found = this.databases(scope).get(name);
    if (!found) throw databaseNotFound(name);
    return found;
  }

  table(scope: Scope, database: string, name: string): Table {
    const found = this.database(scope, database).tables.get(name);
    if (!found) throw tableNotFound(name);
    return found;
  }

  /** The database or table of an ARN. */
  tagged(scope: Scope, arn: string): { tags: Map<string, string> } {
    const [, database = "", table] = /:database\/([^/]+)(?:\/table\/([^/]+))?$/.exec(arn) ?? [];
    const found = this.databases(scope).get(database);
    const resource = table === undefined ? found : found?.tables.get(table);
    if (resource?.arn !== arn) throw resourceNotFound(arn);
    return resource;
  }

  clear(): void {
    this.regions.clear();
  }
}
