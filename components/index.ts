export type { Authorize, AuthorizerEvent, Principal } from "../handlers/authorizer";
export type { FlespiHandler, MakeHandler, RefusedMessages } from "../handlers/flespi/handler";
export type { FlespiMessage } from "../handlers/flespi/message";
export type { IoTRecord, MessageInfo, Transform } from "../handlers/iot/record";
export type { IoTReplayEvent } from "../handlers/iot/replay";
export type { OnRecords, RefusedRecords } from "../handlers/iot/sink-callback";
export type { OnPostboxMessage, PostboxItem } from "../handlers/postbox/consume";
export type { PostboxMessage } from "../handlers/postbox/message";
export type { OnPublish, Publication, Verdict } from "../handlers/postbox/receive";
export type { ReconcileEvent, ReconcileReport } from "../handlers/postbox/reconcile";
export type { ReplayEvent, ReplayReport } from "../handlers/replay";
export { matchesSecret } from "../handlers/shared-secret";
export type { MessageContext, OnMessage, ThingseeMessage } from "../handlers/thingsee/message";
export type { AuthorizeConnection, ConnectEvent, LivePrincipal } from "../handlers/websocket/authorizer";
export type { LiveClient, OnAction } from "../handlers/websocket/custom";
export type { DeviceOf, IdOf } from "../handlers/websocket/record";
export type { AlarmsArgs } from "./alarms";
export type { ApiAuth, ApiKeyArgs, CognitoAuthArgs, LambdaAuthArgs } from "./api-auth";
export { DashboardSite, type DashboardSiteArgs, type PriceClass, type SiteFile } from "./dashboard-site";
export { FlespiReceiver } from "./flespi-receiver";
export type { FlespiChannelArgs, FlespiReceiverArgs } from "./flespi-receiver-args";
export { generatedSecret } from "./generated-secret";
export { type FunctionSettings, InlineFunction, type InlineFunctionArgs } from "./inline-function";
export type { RegisteredDevice } from "./iot-devices";
export type { IoTFlespiArgs } from "./iot-flespi";
export { IoTStream } from "./iot-stream";
export type { IoTSink, IoTStreamArgs, StreamSettings, TimestreamArgs } from "./iot-stream-args";
export {
  type EndpointService,
  type ExistingVpcArgs,
  type FunctionNetwork,
  Network,
  type NetworkArgs,
  type VpcOption,
} from "./network";
export type { PolicyStatement } from "./policy";
export { Postbox } from "./postbox";
export type {
  ConsumerArgs,
  PostboxArgs,
  PostboxAuth,
  PostboxAuthorizeArgs,
  PostboxSecretArgs,
  ReconcileArgs,
} from "./postbox-args";
export type { ArchiveArgs, ExistingTableArgs, OwnTableArgs, QueueRef, TableRef } from "./storage";
export { ThingseeIngest } from "./thingsee-ingest";
export type { ThingseeIngestArgs } from "./thingsee-ingest-args";
export type { AuthorizeArgs, JwtAuthArgs, WebSocketAuth } from "./websocket-auth";
export { WebSocketBroadcast } from "./websocket-broadcast";
export type {
  ActionArgs,
  BatchArgs,
  FanOutArgs,
  ThrottleArgs,
  WebSocketBroadcastArgs,
  WebSocketDomainArgs,
} from "./websocket-broadcast-args";
