import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { Checks } from "./checks";
import { makePrivateBucket } from "./storage";

/** A file of the site. */
export interface SiteFile {
  readonly body: string;
  readonly contentType: string;
  /** How long browsers and CloudFront keep it. @default "no-cache": they ask each time whether it has changed */
  readonly cacheControl?: string;
}

/** Where CloudFront answers from: the more places, the dearer a request. */
export type PriceClass = "PriceClass_100" | "PriceClass_200" | "PriceClass_All";

export interface DashboardSiteArgs {
  /** The built page by path, without a leading slash: `index.html` and what it names. Everybody can read them. */
  files: Readonly<Record<string, SiteFile>>;
  /** Where the page connects to, `wss://…`: the `url` of a `WebSocketBroadcast`. */
  wsUrl: pulumi.Input<string>;
  /**
   * The `Content-Security-Policy` header of every answer.
   * @default none besides what the page itself says in its HTML
   */
  contentSecurityPolicy?: pulumi.Input<string>;
  /**
   * @default "PriceClass_100": North America, Europe and Israel
   * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html
   */
  priceClass?: PriceClass;
}

const OPTIONS = ["files", "wsUrl", "contentSecurityPolicy", "priceClass"];
const PRICE_CLASSES = ["PriceClass_100", "PriceClass_200", "PriceClass_All"];
const INDEX = "index.html";
const SETTINGS = "config.json";
/** AWS's own policy CachingOptimized, which has this id in every account: compressed, and kept as the files say. */
const CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6";
const TWO_YEARS = 2 * 365 * 24 * 60 * 60;

function check(name: string, args: DashboardSiteArgs): void {
  const checks = new Checks("DashboardSite", name);
  checks.names("", args, OPTIONS);
  const paths = Object.keys(args.files ?? {});
  if (!paths.includes(INDEX)) checks.add("files", `hold "${INDEX}"`, "what buildDashboard() returns");
  if (paths.includes(SETTINGS)) checks.add("files", `not hold "${SETTINGS}", which is written for them`, "wsUrl");
  for (const path of paths.filter((path) => path.startsWith("/"))) {
    checks.add(`files["${path}"]`, "be a path without a leading slash", `"${path.replace(/^\/+/, "")}"`);
  }
  if (args.wsUrl === undefined) checks.add("wsUrl", "be given", "the url of a WebSocketBroadcast");
  checks.text("wsUrl", args.wsUrl, /^wss?:\/\//, "be a WebSocket URL", '"wss://…", the url of a WebSocketBroadcast');
  checks.oneOf("priceClass", args.priceClass, PRICE_CLASSES);
  checks.done();
}

/**
 * The live page as a public website: files in a private bucket, which CloudFront alone may read, over HTTPS.
 *
 * The site holds no token, because everybody can read it. The page asks for one, or takes it from a link that ends in
 * `#token=…`, which browsers do not send to any server.
 *
 * ```ts
 * const site = new DashboardSite("dashboard", { files: Object.fromEntries(buildDashboard()), wsUrl: live.url });
 * ```
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
 */
export class DashboardSite extends pulumi.ComponentResource {
  /** What to open in a browser: `https://….cloudfront.net/`. */
  readonly url: pulumi.Output<string>;
  /** Where the files are. */
  readonly bucket: aws.s3.Bucket;
  /** Everything else, for what the arguments do not offer. */
  readonly nodes: {
    readonly distribution: aws.cloudfront.Distribution;
    readonly accessControl: aws.cloudfront.OriginAccessControl;
    readonly headers: aws.cloudfront.ResponseHeadersPolicy;
    readonly policy: aws.s3.BucketPolicy;
    readonly objects: Record<string, aws.s3.BucketObjectv2>;
  };

  constructor(name: string, args: DashboardSiteArgs, opts?: pulumi.ComponentResourceOptions) {
    check(name, args);
    super("sensorcast:index:DashboardSite", name, {}, opts);
    const own = { parent: this };

    // The files can be built again at any time: the bucket may go with them.
    this.bucket = makePrivateBucket(name, { forceDestroy: true }, own);
    const objects = makeObjects(name, this.bucket, args, own);
    const accessControl = new aws.cloudfront.OriginAccessControl(
      `${name}-access-control`,
      {
        description: `Lets CloudFront read the files of ${name}`,
        originAccessControlOriginType: "s3",
        signingBehavior: "always",
        signingProtocol: "sigv4",
      },
      own,
    );
    const headers = makeHeaders(name, args.contentSecurityPolicy, own);
    const distribution = new aws.cloudfront.Distribution(
      `${name}-distribution`,
      {
        comment: `${name}: the live page`,
        enabled: true,
        isIpv6Enabled: true,
        httpVersion: "http2and3",
        priceClass: args.priceClass ?? "PriceClass_100",
        defaultRootObject: INDEX,
        origins: [
          {
            originId: "files",
            domainName: this.bucket.bucketRegionalDomainName,
            originAccessControlId: accessControl.id,
          },
        ],
        defaultCacheBehavior: {
          targetOriginId: "files",
          // Plain HTTP gets nothing but the address of the encrypted page.
          viewerProtocolPolicy: "redirect-to-https",
          allowedMethods: ["GET", "HEAD"],
          cachedMethods: ["GET", "HEAD"],
          compress: true,
          cachePolicyId: CACHING_OPTIMIZED,
          responseHeadersPolicyId: headers.id,
        },
        restrictions: { geoRestriction: { restrictionType: "none" } },
        viewerCertificate: { cloudfrontDefaultCertificate: true },
      },
      own,
    );
    const policy = new aws.s3.BucketPolicy(
      `${name}-policy`,
      { bucket: this.bucket.bucket, policy: readableBy(distribution, this.bucket) },
      own,
    );

    this.url = pulumi.interpolate`https://${distribution.domainName}/`;
    this.nodes = { distribution, accessControl, headers, policy, objects };
    this.registerOutputs({ url: this.url, bucket: this.bucket.bucket });
  }
}

function makeObjects(
  name: string,
  { bucket }: aws.s3.Bucket,
  { files, wsUrl }: DashboardSiteArgs,
  opts: pulumi.CustomResourceOptions,
): Record<string, aws.s3.BucketObjectv2> {
  const make = (
    key: string,
    content: pulumi.Input<string>,
    { contentType, cacheControl = "no-cache" }: Omit<SiteFile, "body">,
    dependsOn: aws.s3.BucketObjectv2[] = [],
  ) => {
    const args = { bucket, key, content, contentType, cacheControl };
    return new aws.s3.BucketObjectv2(`${name}-${key}`, args, { ...opts, dependsOn });
  };
  const objects: Record<string, aws.s3.BucketObjectv2> = {};
  for (const [path, file] of Object.entries(files)) {
    if (path !== INDEX) objects[path] = make(path, file.body, file);
  }
  objects[SETTINGS] = make(SETTINGS, pulumi.jsonStringify({ wsUrl }), { contentType: "application/json" });
  // Last: a new page must not be there before what it names is.
  const index = files[INDEX]!;
  objects[INDEX] = make(INDEX, index.body, index, Object.values(objects));
  return objects;
}

/** Lets one distribution read files, whoever else uses CloudFront. */
const readableBy = (distribution: aws.cloudfront.Distribution, bucket: aws.s3.Bucket) =>
  pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "DistributionReads",
        Effect: "Allow",
        Principal: { Service: "cloudfront.amazonaws.com" },
        Action: "s3:GetObject",
        Resource: pulumi.interpolate`${bucket.arn}/*`,
        Condition: { StringEquals: { "AWS:SourceArn": distribution.arn } },
      },
    ],
  });

const makeHeaders = (
  name: string,
  contentSecurityPolicy: pulumi.Input<string> | undefined,
  opts: pulumi.CustomResourceOptions,
) =>
  new aws.cloudfront.ResponseHeadersPolicy(
    `${name}-headers`,
    {
      comment: `Security headers of ${name}`,
      securityHeadersConfig: {
        ...(contentSecurityPolicy !== undefined && {
          contentSecurityPolicy: { contentSecurityPolicy, override: true },
        }),
        contentTypeOptions: { override: true },
        frameOptions: { frameOption: "DENY", override: true },
        referrerPolicy: { referrerPolicy: "no-referrer", override: true },
        strictTransportSecurity: { accessControlMaxAgeSec: TWO_YEARS, override: true },
      },
      customHeadersConfig: {
        items: ["Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"].map((header) => ({
          header,
          value: "same-origin",
          override: true,
        })),
      },
    },
    opts,
  );
