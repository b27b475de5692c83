"use strict";
// One node of a real mesh: node mesh.js --version 015 --node-id shop.edge-1 --transporter redis://... --log FILE ...
// Says {"ready": true} on standard output once it sees its peers, and obeys lines of JSON on its standard input:
//   {"run": {"rounds": 3, "workers": 2, ...}}   makes the calls of plan.js, answers {"done": true}
//   {"stop": true}                              leaves gracefully
// The end of its standard input ends it too, so that no node outlives its test.
const readline = require("readline");
const { parseArgs } = require("util");
const { CallLog } = require("./calllog");
const { serviceNamed } = require("./services");
const { run } = require("./plan");

const { values: options } = parseArgs({
	options: {
		version: { type: "string", default: "015" },
		"node-id": { type: "string" },
		namespace: { type: "string", default: "" },
		transporter: { type: "string" },
		serializer: { type: "string", default: "JSON" },
		discoverer: { type: "string" },
		services: { type: "string", default: "" },
		log: { type: "string" },
		peers: { type: "string", default: "0" }, // wait until so many other nodes are seen
		heartbeat: { type: "string", default: "5" }, // seconds
		transmit: { type: "string", default: "[]" }, // [["Compression", {...}], ["Encryption", password, algorithm, iv]]
		mixed: { type: "boolean", default: false }, // both versions in one mesh
		verbose: { type: "boolean", default: false }
	}
});

const { ServiceBroker, Errors, Middlewares } = require(`moleculer-${options.version}`);
const log = new CallLog(options.log);
const broker = new ServiceBroker({
	nodeID: options["node-id"],
	namespace: options.namespace,
	transporter: options.transporter,
	serializer: options.serializer,
	registry: { discoverer: options.discoverer || "Local" },
	logger: options.verbose ? { type: "Console", options: { level: "warn", formatter: "short" } } : false,
	heartbeatInterval: Number(options.heartbeat),
	heartbeatTimeout: 3 * Number(options.heartbeat),
	transit: { disableVersionCheck: options.mixed },
	retryPolicy: { enabled: true, retries: 0, delay: 20, maxDelay: 40 }, // a call says how often
	skipProcessEventRegistration: true,
	middlewares: [
		log.packets(),
		...JSON.parse(options.transmit).map(([name, ...rest]) => Middlewares.Transmit[name](...rest))
	]
});
log.watch(broker);

const say = line => process.stdout.write(JSON.stringify(line) + "\n");
const names = options.services.split(",").filter(Boolean);
for (const name of names) broker.createService(serviceNamed(name, options.version, Errors));

async function peersSeen() {
	const others = () => broker.registry.nodes.list({ onlyAvailable: true }).filter(node => node.id !== broker.nodeID);
	// a node is seen before its services are: its first INFO may come early
	const complete = node => node.services && node.services.some(service => !service.name.startsWith("$"));
	const seen = () => broker.registry.nodes.list({ onlyAvailable: true, withServices: true }).filter(complete).length;
	while (others().length < Number(options.peers) || seen() < Number(options.peers) + 1)
		await new Promise(resolve => setTimeout(resolve, 20));
}

let stopping = false;

async function stop() {
	if (stopping) return;
	stopping = true;
	await broker.stop();
	log.close();
	process.exit(0);
}

async function obey(line) {
	const command = JSON.parse(line);
	if (command.run) {
		await run(broker, { version: options.version, ...command.run });
		say({ done: true });
	} else if (command.stop) await stop();
}

async function main() {
	await broker.start();
	const lines = readline.createInterface({ input: process.stdin });
	lines.on("line", line => obey(line).catch(failed));
	lines.on("close", stop);
	await peersSeen();
	say({ ready: true, node_id: broker.nodeID });
}

function failed(error) {
	say({ failed: String((error && error.stack) || error) });
	process.exit(1);
}

main().catch(failed);
