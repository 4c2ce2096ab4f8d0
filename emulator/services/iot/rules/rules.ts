import type { Host } from "../../../core/service";
import type { Logging } from "../logging";
import type { Region } from "../state";
import type { Store } from "../store";
import { Engine } from "./engine";
import type { Rule } from "./rule";

/** The rules of every account and region. */
export class Rules {
  private readonly regions = new WeakMap<Region, Map<string, Rule>>();
  private readonly engine: Engine;

  constructor(host: Host, store: Store, logging: Logging) {
    this.engine = new Engine(host, logging);
    store.onRegion.push((region) => this.watch(region));
  }

  /** The rules of a region, by name. */
  of(region: Region): Map<string, Rule> {
    const rules = this.regions.get(region);
    if (!rules) throw new Error("regions are made by the store, which tells of each");
    return rules;
  }

  /** Forgets the messages that are under way. */
  clear(): void {
    this.engine.clear();
  }

  private watch(region: Region): void {
    const rules = new Map<string, Rule>();
    this.regions.set(region, rules);
    region.taggable.rule = rules;
    region.broker.listeners.add((message) => this.engine.accept(region, rules, message));
  }
}
