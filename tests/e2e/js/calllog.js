"use strict";
// What a node itself knows of the calls it made to other nodes, as lines of JSON:
//   {kind: "call", node_id, id, action, caller, target, level, begin_ms, duration_ms, timeout_ms,
//    outcome: "ok" | "failed" | "timed-out" | "unanswered", error_name, error_code, error_type, streamed}
//   {kind: "event", node_id, event, group, sender, broadcast}    an event that came from another node
//   {kind: "packets", node_id, sent: {REQ: 1, ...}}               at a graceful stop: what it put on the bus
const fs = require("fs");
const { performance } = require("perf_hooks");

class CallLog {
	constructor(file) {
		this.out = file ? fs.openSync(file, "a") : null;
		this.sent = {};
	}

	write(line) {
		// synchronous: a node that is killed has written whole lines, and all of them
		if (this.out !== null) fs.writeSync(this.out, JSON.stringify({ node_id: this.nodeID, ...line }) + "\n");
	}

	close() {
		this.write({ kind: "packets", sent: this.sent });
	}

	packets() {
		const log = this;
		return {
			name: "PacketLog",
			transitPublish: next => packet => {
				log.sent[packet.type] = (log.sent[packet.type] || 0) + 1;
				return next(packet);
			},
			localEvent: next => ctx => {
				if (ctx.nodeID !== log.nodeID)
					log.write({
						kind: "event",
						event: ctx.eventName,
						group: ctx.event && (ctx.event.group || (ctx.service && ctx.service.name)),
						sender: ctx.nodeID,
						broadcast: ctx.eventType === "broadcast"
					});
				return next(ctx);
			}
		};
	}

	// Users' middlewares lie inside Moleculer's own: there, a timeout is never seen. This one goes right outside
	// of Timeout and inside of Retry, so that it sees each attempt that goes on the bus, and how it ended.
	watch(broker) {
		this.nodeID = broker.nodeID;
		const timeout = broker.middlewares.list.find(middleware => middleware.name === "Timeout");
		const hooks = broker.middlewares.registeredHooks.remoteAction;
		const place = hooks.indexOf(timeout.remoteAction);
		if (place < 0) throw new Error("Moleculer's Timeout middleware was not found");
		hooks.splice(place + 1, 0, (next, action) => ctx => this.call(next, action, ctx));
	}

	call(next, action, ctx) {
		const begin = performance.now();
		const entry = {
			kind: "call",
			id: ctx.id,
			action: action.name,
			caller: ctx.caller || null,
			target: ctx.nodeID,
			level: ctx.level,
			begin_ms: Date.now(), // timeOrigin drifts away from the wall clock
			streamed: false
		};
		const ended = (outcome, error) => {
			entry.duration_ms = performance.now() - begin;
			entry.timeout_ms = ctx.options.timeout || 0;
			entry.outcome = outcome;
			entry.error_name = error ? error.name : null;
			entry.error_code = error && error.code !== undefined ? error.code : null;
			entry.error_type = (error && error.type) || null;
			this.write(entry);
		};
		return next(ctx).then(
			answer => {
				if (answer && typeof answer.pipe === "function") {
					entry.streamed = true;
					answer.once("end", () => ended("ok"));
					answer.once("error", error => ended("failed", error));
				} else ended("ok");
				return answer;
			},
			error => {
				const own = error.data && error.data.action === action.name;
				// rejected: the target went away while we waited, and nothing came over the bus
				if (own && error.type === "REQUEST_TIMEOUT") ended("timed-out", error);
				else if (own && error.type === "REQUEST_REJECTED") ended("unanswered", error);
				else ended("failed", error);
				throw error;
			}
		);
	}
}

module.exports = { CallLog };
