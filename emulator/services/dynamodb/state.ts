import { parseArn } from "../../core/arn";
import { type Host, type Scope, Scoped } from "../../core/service";
import { resourceNotFound, validation } from "./errors";
import { Expressions } from "./expressions";
import { TableStreams } from "./streams";
import type { Table } from "./table";
import { checkName } from "./validation";

/** A transaction that happened, kept to recognise its repetition. */
export interface DoneTransaction {
  /** Digest of the request. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What one account has in one region. */
export class Region {
  readonly tables = new Map<string, Table>();
  readonly transactions = new Map<string, DoneTransaction>();

  constructor(readonly scope: Scope) {}
}

/** All that the operations share: the tables of every account and region, and the parsed expressions. */
export class Database {
  readonly regions = new Scoped((scope) => new Region(scope));
  readonly expressions = new Expressions();
  readonly streams: TableStreams;

  constructor(readonly host: Host) {
    this.streams = new TableStreams(() => host.clock.now(), host.bus.access, host.journal);
  }

  now(): number {
    return this.host.clock.now();
  }

  /** The table that a request names, by name or by ARN. */
  table(nameOrArn: string | undefined, scope: Scope, missing?: (name: string) => Error): Table {
    const { region, name } = this.locate(nameOrArn, scope);
    const table = region.tables.get(name);
    if (!table) throw missing?.(name) ?? resourceNotFound();
    return table;
  }

  /** The table that a tag or policy operation names by ARN. */
  resource(arn: string): Table {
    const parsed = parseArn(arn);
    const name = parsed && /^table\/([^/]+)(\/stream\/[^/]+)?$/.exec(parsed.resource)?.[1];
    if (!name || parsed.service !== "dynamodb")
      throw validation(`Invalid TableArn: Invalid ResourceArn provided as input ${arn}`);
    const table = this.regions.of(parsed).tables.get(name);
    if (!table) throw resourceNotFound(`ResourcArn: ${arn} not found`);
    return table;
  }

  /** The table of an ARN, if there is one. */
  find(arn: string): Table | undefined {
    const parsed = parseArn(arn);
    const name = parsed?.service === "dynamodb" ? /^table\/([^/]+)$/.exec(parsed.resource)?.[1] : undefined;
    return parsed && name ? this.regions.of(parsed).tables.get(name) : undefined;
  }

  reset(): void {
    this.streams.clear();
    for (const region of this.regions.all()) {
      for (const table of region.tables.values()) table.close();
    }
    this.regions.clear();
  }

  private locate(nameOrArn: string | undefined, scope: Scope): { region: Region; name: string } {
    const arn = nameOrArn?.startsWith("arn:") ? parseArn(nameOrArn) : undefined;
    const name = arn ? /^table\/(.+)$/.exec(arn.resource)?.[1] : nameOrArn;
    checkName(name);
    return { region: this.regions.of(arn ?? scope), name };
  }
}
