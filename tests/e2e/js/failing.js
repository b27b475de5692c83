/*
 * A MoleculerJS node that fails when it is told to, with a breaker and retries of its own.
 *
 *   node failing.js '{"version": "014"|"015", "nodeID": …, "namespace": …, "url": …}'
 *
 * Driven as peer.js is: {"n": 1, "do": "mood"|"call"|"breakers"|"served"|"wait", ...} comes in on a line of its own.
 */
"use strict";

const { version, nodeID, namespace, url } = JSON.parse(process.argv[2]);
const { ServiceBroker, Errors } = require(`moleculer-${version}`);
const readline = require("readline");

const broker = new ServiceBroker({
	nodeID,
	namespace,
	transporter: url,
	logger: false,
	circuitBreaker: { enabled: true, minRequestCount: 4, threshold: 0.5, halfOpenTime: 60000 },
	retryPolicy: { enabled: true, retries: 3, delay: 10 }
});

let mood = "well";
let served = 0;

broker.createService({
	name: "bank",
	actions: {
		async pay() {
			served++;
			if (mood === "silent") await new Promise(resolve => setTimeout(resolve, 5000));
			if (mood === "broken") throw new Errors.MoleculerError("broken", 500, "BROKEN");
			if (mood === "busy") throw new Errors.MoleculerRetryableError("busy", 429, "BUSY");
			return { by: nodeID };
		}
	}
});

const commands = {
	mood: c => (mood = c.mood),
	call: c => broker.call(c.action, c.params || {}, c.opts || {}),
	breakers: () => [...broker.CircuitBreakerStore].map(([name, { state, failures }]) => [name, state, failures]),
	served: () => served,
	wait: c => broker.waitForServices(c.services, 10000, 20).then(() => true)
};

function say(message) {
	process.stdout.write(JSON.stringify(message) + "\n");
}

async function obey(line) {
	const { n, ...command } = JSON.parse(line);
	try {
		say({ n, ok: await commands[command.do](command) });
	} catch (err) {
		const { name, message, code, type, data, retryable, nodeID: origin } = err;
		say({ n, error: { name, message, code, type, data, retryable, nodeID: origin } });
	}
}

broker.start().then(() => {
	say({ ready: true });
	readline.createInterface({ input: process.stdin }).on("line", obey).on("close", () => process.exit(0));
});
