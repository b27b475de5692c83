/*
 * A clock that is set by hand, in place of Node's own. Load it before anything that reads the time.
 */
"use strict";

let now = 0;
let order = 0;
const waiting = new Map();

class Timer {
	constructor(due, every, callback) {
		Object.assign(this, { due, every, callback, order: order++ });
	}
	ref() {
		return this;
	}
	unref() {
		return this;
	}
	hasRef() {
		return false;
	}
	[Symbol.toPrimitive]() {
		return this.order;
	}
}

function begin(delay, every, callback) {
	const timer = new Timer(Math.round((now + Math.max(delay || 0, 0)) * 1e6) / 1e6, every, callback);
	waiting.set(timer.order, timer);
	return timer;
}

function end(timer) {
	if (timer != null) waiting.delete(typeof timer === "object" ? timer.order : timer);
}

const turn = setImmediate;

async function settle() {
	for (let i = 0; i < 6; i++) await new Promise(resolve => turn(resolve));
}

function next(until) {
	let first = null;
	for (const timer of waiting.values()) {
		if (timer.due > until) continue;
		if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer;
	}
	return first;
}

/** Let so many ms pass; each thing that is due happens with all that follows from it. */
async function advance(ms) {
	const until = now + ms;
	await settle();
	for (let timer = next(until); timer; timer = next(until)) {
		waiting.delete(timer.order);
		now = Math.max(now, timer.due);
		if (timer.every != null) {
			timer.due = now + timer.every;
			timer.order = order++;
			waiting.set(timer.order, timer);
		}
		timer.callback();
		await settle();
	}
	now = until;
}

function install() {
	global.setTimeout = (callback, delay, ...args) => begin(delay, null, () => callback(...args));
	global.setInterval = (callback, every, ...args) => begin(every, every, () => callback(...args));
	global.clearTimeout = global.clearInterval = end;
	Date.now = () => now;
	performance.now = () => now;
	process.hrtime = since => {
		const at = [Math.floor(now / 1000), Math.round((now % 1000) * 1e6)];
		if (!since) return at;
		const ns = (at[0] - since[0]) * 1e9 + at[1] - since[1];
		return [Math.floor(ns / 1e9), ns % 1e9];
	};
}

install();
module.exports = { advance, settle, now: () => now };
