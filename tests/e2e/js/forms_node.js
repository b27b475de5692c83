/*
 * A MoleculerJS node whose actions take the parameters of real_schemas.js, and give back what the validator made of them.
 *
 *   node forms_node.js '{"version": "014"|"015", "nodeID": …, "namespace": …, "url": …, "serializer": …}'
 *
 * {"ready":true} comes when it is in the mesh; it ends with its standard input.
 */
"use strict";

const { version, nodeID, namespace, url, serializer } = JSON.parse(process.argv[2]);
const { ServiceBroker } = require(`moleculer-${version}`);
const schemas = require("./real_schemas");

// 0.14 calls custom functions in the old way unless it is told
const validator = { type: "Fastest", options: { useNewCustomCheckerFunction: true } };
const broker = new ServiceBroker({ nodeID, namespace, transporter: url, serializer, validator, logger: false });

const actions = {};
for (const [name, make] of Object.entries(schemas)) actions[name] = { params: make(), handler: ctx => ctx.params };
broker.createService({ name: "forms", version: nodeID, actions });

broker.start().then(() => {
	process.stdout.write('{"ready":true}\n');
	process.stdin.on("data", () => {}).on("end", () => process.exit(0));
});
