"use strict";
// A caller and a callee for measuring: `node load.js caller|callee URL NAMESPACE CONCURRENCY [bare|full]`.
// The caller keeps CONCURRENCY calls in flight (a line with a number changes that, 0 rests) and answers every
// line on its standard input with {"calls": so far, "ms": its own clock}. "full" checks parameters, measures,
// traces and breaks circuits.
const { ServiceBroker } = require("moleculer-015");
const readline = require("readline");

const [role, transporter, namespace, concurrency, equipment = "bare"] = process.argv.slice(2);
const isFull = equipment === "full";
const broker = new ServiceBroker({
	nodeID: `load-${role}`,
	namespace,
	transporter,
	logger: false,
	validator: isFull,
	metrics: { enabled: isFull, reporter: [] },
	tracing: { enabled: isFull, exporter: [] },
	circuitBreaker: { enabled: isFull }
});

if (role === "callee") {
	broker.createService({
		name: "load",
		actions: { echo: { params: { id: "number|integer|positive", text: "string" }, handler: ctx => ctx.params } }
	});
}

let calls = 0;
let wanted = 0;
let working = 0;
const params = { id: 7, text: "x".repeat(200) };

async function keepCalling() {
	working++;
	while (working <= wanted) {
		await broker.call("load.echo", params);
		calls++;
	}
	working--;
}

function keep(count) {
	wanted = count;
	while (working < wanted) keepCalling();
}

broker
	.start()
	.then(() => (role === "caller" ? broker.waitForServices("load") : null))
	.then(() => {
		if (role === "caller") keep(Number(concurrency));
		console.log(JSON.stringify({ ready: true }));
	});

readline
	.createInterface({ input: process.stdin })
	.on("line", line => {
		if (line) keep(Number(line));
		console.log(JSON.stringify({ calls, ms: performance.now() }));
	})
	.on("close", () => {
		wanted = 0;
		broker.stop().then(() => process.exit(0));
	});
