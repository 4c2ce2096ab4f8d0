export { providePolyfill } from "../../core/reflect-metadata";
