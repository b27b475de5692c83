"use strict";
// A caller and a callee for measuring: `node load.js caller|callee URL NAMESPACE CONCURRENCY [bare|full]`.
// The caller keeps CONCURRENCY calls in flight (a line with a number changes that, 0 rests) and answers every
// line on its standard input with {"calls": so far, "ms": its own clock, "p50_ms", "p90_ms": how long those since
// the last line took}. "full" checks parameters, measures, traces and breaks circuits.
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
const BUCKETS_A_MS = 20;
const buckets = new Uint32Array(20_000);
const params = { id: 7, text: "x".repeat(200) };

async function keepCalling() {
	working++;
	while (working <= wanted) {
		const begin = performance.now();
		await broker.call("load.echo", params);
		calls++;
		buckets[Math.min(buckets.length - 1, Math.floor((performance.now() - begin) * BUCKETS_A_MS))]++;
	}
	working--;
}

function took(share) {
	let left = buckets.reduce((sum, count) => sum + count, 0) * share;
	return (buckets.findIndex(count => (left -= count) <= 0) + 0.5) / BUCKETS_A_MS;
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
		console.log(JSON.stringify({ calls, ms: performance.timeOrigin + performance.now(), p50_ms: took(0.5), p90_ms: took(0.9) }));
		buckets.fill(0);
	})
	.on("close", () => {
		wanted = 0;
		broker.stop().then(() => process.exit(0));
	});
