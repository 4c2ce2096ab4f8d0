import { buildDashboard, policyHeader } from "../dashboard/build";
import { fileAnswer, fresh, type ServedPages, type Site, servePages } from "./page-server";

export interface DashboardOptions {
  /** The broadcast's URL, `ws://…`. */
  wsUrl: string;
  /** The token that the page connects with; empty for none. */
  token: string;
  /** Asked every few seconds while somebody looks at the page. */
  status: () => Promise<{ deadLetters: number }>;
  /** Where the inspector is, for the link to it. @default none */
  inspectorUrl?: string;
}

export interface ServeDashboardOptions extends DashboardOptions {
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  port: number;
}

/** The page with its settings. The token is in the settings, so only the page itself gets them. */
export function dashboardSite({ wsUrl, token, status, inspectorUrl }: DashboardOptions): Site {
  const files = buildDashboard({ configPath: "/_dashboard/config.json", connect: [new URL(wsUrl).origin] });
  return {
    policy: policyHeader(wsUrl),
    async get(path) {
      if (path === "_dashboard/config.json")
        return fresh({ wsUrl, token, statusUrl: "/_dashboard/status", inspectorUrl });
      if (path === "_dashboard/status") {
        try {
          return fresh(await status());
        } catch {
          return fresh({ message: "The number of dead letters is not known now" }, 503);
        }
      }
      return fileAnswer(files, path);
    },
  };
}

/** Serves the dashboard alone. */
export const serveDashboard = ({ port, ...options }: ServeDashboardOptions): Promise<ServedPages> =>
  servePages(port, { "/": dashboardSite(options) });
