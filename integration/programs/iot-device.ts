import { iot } from "@pulumi/aws";

/** A device with its thing, certificate and policy, and where it connects. */
const thing = new iot.Thing("oven", { attributes: { site: "north" } });
const certificate = new iot.Certificate("oven", { active: true });
const policy = new iot.Policy("oven", {
  policy: thing.arn.apply((arn) => {
    const root = arn.replace(/:thing\/.*/, "");
    const own = "$" + "{iot:Connection.Thing.ThingName}";
    const allow = (Action: string, Resource: string) => ({ Effect: "Allow", Action, Resource: `${root}:${Resource}` });
    const Statement = [
      allow("iot:Connect", `client/${own}`),
      allow("iot:Publish", `topic/ovens/${own}/*`),
      allow("iot:Subscribe", `topicfilter/ovens/${own}/*`),
      allow("iot:Receive", `topic/ovens/${own}/*`),
    ];
    return JSON.stringify({ Version: "2012-10-17", Statement });
  }),
});
new iot.PolicyAttachment("oven", { policy, target: certificate.arn });
new iot.ThingPrincipalAttachment("oven", { thing: thing.name, principal: certificate.arn });

export const thingName = thing.name;
export const certificatePem = certificate.certificatePem;
export const privateKey = certificate.privateKey;
export const endpoint = iot.getEndpointOutput({ endpointType: "iot:Data-ATS" }).endpointAddress;
