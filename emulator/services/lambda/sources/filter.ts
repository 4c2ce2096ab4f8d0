export * from "../../../core/event-pattern";
