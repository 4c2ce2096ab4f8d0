import { type AccessTable, requestTags, resourceTags } from "../../core/access/access";
import type { Host } from "../../core/service";

/**
 * What STS wants allowed
 * (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html). Who a caller is
 * everybody may ask; every user may have a session token, which no policy can keep from them
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_getsessiontoken.html).
 */
export const access = ({ bus }: Host): AccessTable<typeof import("@aws-sdk/client-sts")> => ({
  GetCallerIdentity: () => "public",
  GetSessionToken: () => "public",
  GetAccessKeyInfo: () => ({ action: "sts:GetAccessKeyInfo", resource: "*" }),
  AssumeRole: (input) => {
    const resource = input.RoleArn ?? "*";
    const tags = input.Tags ?? [];
    const iam = bus.ready("iam");
    const own = resourceTags(iam?.policiesOf(resource)?.tags);
    const asked = {
      resource,
      policy: iam?.trustPolicy(resource),
      policyRequired: true,
      conditions: {
        ...own,
        ...Object.fromEntries(Object.entries(own).map(([key, value]) => [key.replace("aws:", "iam:"), value])),
        "sts:RoleSessionName": one(input.RoleSessionName),
        "sts:ExternalId": one(input.ExternalId),
        "sts:SourceIdentity": one(input.SourceIdentity),
        "sts:TransitiveTagKeys": input.TransitiveTagKeys,
        ...requestTags(tags),
      },
    };
    return [
      { action: "sts:AssumeRole", ...asked },
      ...(tags.length > 0 ? [{ action: "sts:TagSession", ...asked }] : []),
      ...(input.SourceIdentity ? [{ action: "sts:SetSourceIdentity", ...asked }] : []),
    ];
  },
});

const one = (value: string | undefined) => (value === undefined ? undefined : [value]);
