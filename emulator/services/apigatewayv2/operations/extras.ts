import { parseArn } from "../../../core/arn";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { badRequest, notFoundMessage, required } from "../errors";
import { given, newId, page, type State } from "../state";
import type { Part, Store } from "../store";

interface Tagged {
  Tags?: Record<string, string>;
}

/** Tags on APIs, stages, domain names and VPC links, and the VPC links themselves, which are kept but lead nowhere. */
export function extras(store: Store, { clock }: Host): Part {
  return {
    TagResource({ ResourceArn, Tags = {} }, context) {
      const target = tagged(store.of(context), ResourceArn);
      const tags = { ...target.Tags, ...Tags };
      if (Object.keys(Tags).some((key) => key.startsWith("aws:")))
        throw badRequest("Tag keys must not begin with aws:, which is reserved");
      const { value: most } = limits.apiGateway.tags;
      if (Object.keys(tags).length > most) throw badRequest(`Tag limit of ${most} exceeded`);
      target.Tags = tags;
      return {};
    },
    UntagResource({ ResourceArn, TagKeys = [] }, context) {
      const target = tagged(store.of(context), ResourceArn);
      target.Tags = Object.fromEntries(Object.entries(target.Tags ?? {}).filter(([key]) => !TagKeys.includes(key)));
      return {};
    },
    GetTags: ({ ResourceArn }, context) => ({ Tags: tagged(store.of(context), ResourceArn).Tags ?? {} }),

    CreateVpcLink({ Name, SubnetIds, SecurityGroupIds = [], Tags = {} }, context) {
      if (!Name) throw required("name");
      if (!SubnetIds?.length) throw badRequest("At least one subnet must be specified");
      const link = {
        VpcLinkId: newId(6),
        Name,
        SubnetIds,
        SecurityGroupIds,
        Tags,
        CreatedDate: new Date(clock.now()),
        VpcLinkStatus: "AVAILABLE" as const,
        VpcLinkStatusMessage: "VPC link is ready to route traffic",
        VpcLinkVersion: "V2" as const,
      };
      store.of(context).vpcLinks.set(link.VpcLinkId, link);
      return link;
    },
    GetVpcLink: ({ VpcLinkId }, context) => vpcLink(store.of(context), VpcLinkId),
    GetVpcLinks: (input, context) => page(store.of(context).vpcLinks.values(), input),
    UpdateVpcLink: ({ VpcLinkId, Name }, context) =>
      Object.assign(vpcLink(store.of(context), VpcLinkId), given({ Name })),
    DeleteVpcLink({ VpcLinkId }, context) {
      const state = store.of(context);
      state.vpcLinks.delete(vpcLink(state, VpcLinkId).VpcLinkId);
      return {};
    },
  };
}

function vpcLink(state: State, id: string | undefined) {
  const link = state.vpcLinks.get(id ?? "");
  if (!link) throw notFoundMessage("Invalid VpcLink identifier specified");
  return link;
}

function tagged(state: State, arn: string | undefined): Tagged {
  const [, kind, id = "", part, name = ""] = (parseArn(arn ?? "")?.resource ?? "").split("/");
  if (kind === "apis" && part === "stages") return state.api(id).stage(name);
  const found: Tagged | undefined =
    kind === "apis"
      ? state.apis.get(id)?.definition.api
      : kind === "domainnames"
        ? state.domains.get(id)
        : kind === "vpclinks"
          ? state.vpcLinks.get(id)
          : undefined;
  if (!found) throw notFoundMessage("Invalid resource identifier specified");
  return found;
}
