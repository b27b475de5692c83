"use strict";
// A caller and a callee for measuring: `node load.js caller|callee URL NAMESPACE CONCURRENCY`.
// The caller keeps CONCURRENCY calls in flight and answers every line on its standard input
// with {"calls": so far, "ms": its own clock}.
const { ServiceBroker } = require("moleculer-015");
const readline = require("readline");

const [role, transporter, namespace, concurrency] = process.argv.slice(2);
const broker = new ServiceBroker({ nodeID: `load-${role}`, namespace, transporter, logger: false, metrics: false });

if (role === "callee") {
	broker.createService({ name: "load", actions: { echo: ctx => ctx.params } });
}

let calls = 0;
let running = true;
const params = { id: 7, text: "x".repeat(200) };

async function keepCalling() {
	while (running) {
		await broker.call("load.echo", params);
		calls++;
	}
}

broker
	.start()
	.then(() => (role === "caller" ? broker.waitForServices("load") : null))
	.then(() => {
		if (role === "caller") for (let i = 0; i < Number(concurrency); i++) keepCalling();
		console.log(JSON.stringify({ ready: true }));
	});

readline
	.createInterface({ input: process.stdin })
	.on("line", () => console.log(JSON.stringify({ calls, ms: performance.now() })))
	.on("close", () => {
		running = false;
		broker.stop().then(() => process.exit(0));
	});
