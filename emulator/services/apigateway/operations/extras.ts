import { generateKeyPairSync } from "node:crypto";
import type { ClientCertificate, VpcLink } from "@aws-sdk/client-api-gateway";
import { limits } from "../../../core/limits";
import type { Host } from "../../../core/service";
import { badRequest, notFound } from "../errors";
import { patched, text } from "../patch";
import { newId, page, type State } from "../state";
import type { Part, Store } from "../store";

/** VpcLink, ClientCertificate and tags: kept and given back; nothing is routed or signed with them. */
export function extras(store: Store, { clock }: Host): Part {
  return {
    CreateVpcLink({ name, description, targetArns, tags }, context) {
      if (!name) throw badRequest("VPC link name must be non-empty");
      if (targetArns?.length !== 1) throw badRequest("VPC link must have exactly one target ARN");
      // AWS takes minutes (PENDING); there is no network here to wait for.
      const link: VpcLink & { id: string } = { id: newId(6), name, description, targetArns, status: "AVAILABLE", tags };
      store.of(context).vpcLinks.set(link.id, link);
      return link;
    },
    GetVpcLink: ({ vpcLinkId }, context) => findLink(store.of(context), vpcLinkId),
    GetVpcLinks: (input, context) => page([...store.of(context).vpcLinks.values()], input),
    UpdateVpcLink({ vpcLinkId, patchOperations }, context) {
      const link = findLink(store.of(context), vpcLinkId);
      const rules = [text<VpcLink>("/name", "name"), text<VpcLink>("/description", "description")];
      return Object.assign(link, patched<VpcLink>(link, patchOperations, rules, { input: "updateVpcLinkInput" }));
    },
    DeleteVpcLink({ vpcLinkId }, context) {
      const state = store.of(context);
      state.vpcLinks.delete(findLink(state, vpcLinkId).id);
      return {};
    },

    GenerateClientCertificate({ description, tags }, context) {
      const now = clock.now();
      const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      const certificate = {
        clientCertificateId: newId(6),
        description,
        // Not emulated: a signed certificate. The PEM holds the public key only; back ends are not called with it.
        pemEncodedCertificate: publicKey.export({ type: "spki", format: "pem" }).toString(),
        createdDate: new Date(now),
        expirationDate: new Date(now + 365 * 86_400_000),
        tags,
      };
      store.of(context).certificates.set(certificate.clientCertificateId, certificate);
      return certificate;
    },
    GetClientCertificate: ({ clientCertificateId }, context) => findCertificate(store.of(context), clientCertificateId),
    GetClientCertificates: (input, context) => page([...store.of(context).certificates.values()], input),
    UpdateClientCertificate({ clientCertificateId, patchOperations }, context) {
      const certificate = findCertificate(store.of(context), clientCertificateId);
      const rules = [text<ClientCertificate>("/description", "description")];
      return Object.assign(
        certificate,
        patched<ClientCertificate>(certificate, patchOperations, rules, { input: "updateClientCertificateInput" }),
      );
    },
    DeleteClientCertificate({ clientCertificateId }, context) {
      const state = store.of(context);
      state.certificates.delete(findCertificate(state, clientCertificateId).clientCertificateId);
      return {};
    },

    TagResource({ resourceArn, tags }, context) {
      const target = tagged(store.of(context), resourceArn);
      const merged = { ...target.tags, ...tags };
      const { value: most } = limits.apiGateway.tags;
      if (Object.keys(merged).length > most) throw badRequest(`The number of tags exceeds the limit of ${most}`);
      target.tags = merged;
      return {};
    },
    UntagResource({ resourceArn, tagKeys = [] }, context) {
      const target = tagged(store.of(context), resourceArn);
      target.tags = Object.fromEntries(Object.entries(target.tags ?? {}).filter(([key]) => !tagKeys.includes(key)));
      return {};
    },
    GetTags: ({ resourceArn }, context) => ({ tags: tagged(store.of(context), resourceArn).tags ?? {} }),
  };
}

function findLink(state: State, id: string | undefined) {
  const link = state.vpcLinks.get(id ?? "");
  if (!link) throw notFound("Vpc Link");
  return link;
}

function findCertificate(state: State, id: string | undefined) {
  const certificate = state.certificates.get(id ?? "");
  if (!certificate) throw notFound("Client Certificate");
  return certificate;
}

/** What an ARN such as `arn:aws:apigateway:eu-west-1::/restapis/abc/stages/prod` names. */
function tagged(state: State, arn: string | undefined): { tags?: Record<string, string> } {
  const [, kind, id = "", part, name = ""] = arn?.split("::")[1]?.split("/") ?? [];
  if (kind === "restapis" && part === "stages") return state.api(id).stage(name);
  if (kind === "restapis") return state.api(id).definition.api;
  const found = {
    apikeys: state.keys,
    usageplans: state.plans,
    domainnames: state.domains,
    vpclinks: state.vpcLinks,
    clientcertificates: state.certificates,
  }[kind ?? ""]?.get(id);
  if (found) return found;
  if (!kind) throw badRequest("Invalid ARN specified in the request. ARNs must start with 'arn:'");
  throw notFound("Resource");
}
