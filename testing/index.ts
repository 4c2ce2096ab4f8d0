export { denialText } from "./denials";
export {
  type ClientSettings,
  type StackOptions,
  type StackOutputs,
  startStack,
  type TestStack,
} from "./stack";
