"use strict";
// Required before a node whose packets are kept in the repository: nothing of the machine is in them.
const os = require("os");

os.hostname = () => "shop-host";
os.networkInterfaces = () => ({ eth0: [{ address: "192.0.2.2", family: "IPv4", internal: false }] });
Error.stackTraceLimit = 0;
