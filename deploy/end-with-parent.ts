/**
 * Loaded into a program's process, and imported by nothing: ends it when the process that deploys is gone without having
 * ended it, killed for instance. Pulumi's SDK would ask a monitor that is not there for ever.
 */
const parent = process.ppid;

setInterval(() => {
  if (process.ppid !== parent) process.exit(1);
}, 500).unref();
