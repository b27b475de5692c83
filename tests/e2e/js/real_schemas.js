/*
 * Schemas of parameters as teams write them, each as a function that makes it anew: the validator changes what it is given.
 *
 * With what INFO cannot carry: functions, compiled patterns, classes, Dates, one rule object at two places.
 */
"use strict";

class ObjectID {
	static isValid(id) {
		return typeof id === "string" && /^([0-9a-f]{24}|.{12})$/i.test(id);
	}
	constructor(id) {
		this.id = id;
	}
}

const CURRENCIES = ["EUR", "USD", "GBP", "CHF", "JPY"];
const address = () => ({
	$$type: "object",
	line1: "string|min:1|max:120|trim",
	line2: "string|optional|max:120",
	city: { type: "string", min: 2, max: 80, alpha: false },
	zip: { type: "string", pattern: "^[A-Z0-9][A-Z0-9 -]{1,9}$", patternFlags: "i", messages: { stringPattern: "'{actual}' is no postal code" } },
	country: { type: "string", length: 2, uppercase: true, pattern: /^[A-Z]{2}$/ }
});

module.exports = {
	orderCreate: () => ({
		$$strict: true,
		customer: "uuid|version:4",
		lines: {
			type: "array",
			min: 1,
			max: 50,
			items: {
				type: "object",
				strict: "remove",
				props: {
					sku: { type: "string", pattern: "^[A-Z]{1,3}-\\d{2,6}$" },
					count: { type: "number", integer: true, positive: true, max: 999, convert: true },
					price: { type: "number", min: 0, optional: true },
					options: { type: "record", key: "string|alphadash|max:12", value: ["string", "number", "boolean"], optional: true }
				}
			}
		},
		shipTo: address(),
		billTo: { ...address(), $$type: "object|optional" },
		coupon: { type: "string", optional: true, nullable: true, uppercase: true, min: 4, max: 12, alphanum: true },
		currency: { type: "enum", values: CURRENCIES, default: "EUR" },
		notes: "string|optional|max:200|trim"
	}),
	orderFind: () => ({
		id: { type: "number", integer: true, positive: true, optional: true, convert: true },
		status: { type: "array", items: { type: "enum", values: ["open", "paid", "sent", "back", "lost"] }, unique: true, optional: true },
		since: "date|optional|convert",
		until: { type: "date", convert: true, default: () => new Date() },
		fields: { type: "array", enum: ["id", "status", "lines", "total", "history"], items: "string", default: ["id", "status"] },
		options: { $$type: "object|optional", expand: "boolean|default:false", depth: "number|integer|min:0|max:5|default:1" }
	}),
	userRegister: () => ({
		$$strict: "remove",
		name: { type: "string", min: 2, max: 60, trim: true, label: "Your name" },
		email: { type: "email", mode: "precise", normalize: true, max: 100 },
		password: {
			type: "string",
			min: 8,
			max: 72,
			custom(value, errors) {
				if (typeof value === "string" && !/\d/.test(value)) errors.push({ type: "passwordWeak" });
				return value;
			},
			messages: { stringMin: "A password has at least {expected} characters", passwordWeak: "A password has a digit" }
		},
		again: { type: "equal", field: "password", messages: { equalField: "The passwords differ" } },
		terms: { type: "equal", value: true, strict: true },
		birthday: { type: "date", convert: true, optional: true },
		locale: { type: "string", pattern: /^[a-z]{2}(-[A-Z]{2})?$/, default: "en" },
		referrer: "url|optional"
	}),
	userUpdate: () => ({
		id: { type: "objectID", ObjectID },
		changes: {
			type: "object",
			minProps: 1,
			maxProps: 4,
			strict: true,
			props: {
				name: "string|min:2|optional",
				email: "email|optional",
				phone: { type: "string", optional: true, nullable: true, pattern: "^\\+[1-9][0-9 ]{6,16}$" },
				roles: { type: "array", items: { type: "string", enum: ["admin", "editor", "viewer"] }, optional: true, max: 3 },
				disabled: "boolean|convert|optional"
			}
		}
	}),
	paymentCharge: () => ({
		amount: { type: "currency", currencySymbol: "$", symbolOptional: true },
		source: {
			type: "multi",
			rules: [
				{
					type: "object",
					strict: true,
					props: {
						kind: { type: "equal", value: "card", strict: true },
						number: "luhn",
						expires: { type: "tuple", items: ["number|integer|min:1|max:12", "number|integer|min:2024|max:2050"] },
						cvc: "string|numeric|min:3|max:4"
					}
				},
				{
					type: "object",
					strict: true,
					props: {
						kind: { type: "equal", value: "iban", strict: true },
						iban: { type: "string", min: 15, max: 34, alphanum: true, uppercase: true },
						holder: "string|min:1"
					}
				},
				{ type: "object", props: { kind: { type: "enum", values: ["wallet", "gift"] }, token: "uuid" } }
			]
		},
		capture: { type: "boolean", default: true },
		idempotencyKey: { type: "string", min: 8, max: 64, singleLine: true },
		metadata: { type: "record", key: { type: "string", min: 1, max: 40 }, value: "string|max:100", optional: true }
	}),
	paymentRefund: () => ({
		payment: "string|length:24|hex",
		amount: [{ type: "number", positive: true, max: 1e6 }, { type: "equal", value: "all" }],
		reason: { type: "enum", values: ["duplicate", "fraud", "asked"], optional: true },
		notify: { type: "multi", rules: ["boolean", "email"], default: false }
	}),
	searchFilters: () => ({
		q: { type: "string", min: 0, max: 100, trim: true, default: "" },
		filters: {
			type: "array",
			max: 5,
			default: [],
			items: [
				{ type: "object", strict: true, props: { field: "string", op: { type: "equal", value: "in", strict: true }, values: { type: "array", min: 1, items: ["string", "number"] } } },
				{ type: "object", strict: true, props: { field: "string", op: { type: "enum", values: ["=", "!=", "<", ">"] }, value: ["string", "number", "boolean"] } },
				{ type: "object", strict: true, props: { field: "string", op: { type: "equal", value: "between", strict: true }, range: { type: "tuple", items: ["number", "number"] } } }
			]
		},
		sort: { type: "array", items: { type: "string", pattern: "^-?[a-z][a-zA-Z.]*$" }, optional: true, convert: true },
		facets: "string[]|optional|unique|max:4"
	}),
	pagination: () => ({
		page: { type: "number", integer: true, min: 1, default: 1, convert: true },
		pageSize: { type: "number", integer: true, min: 1, max: 100, default: 20, convert: true },
		sort: "string|optional",
		cursor: { type: "string", base64: true, optional: true },
		count: { type: "boolean", convert: true, default: true }
	}),
	geoNear: () => ({
		center: { type: "tuple", items: [{ type: "number", min: -180, max: 180 }, { type: "number", min: -90, max: 90 }] },
		radius: { type: "number", positive: true, max: 50000, default: 1000 },
		unit: { type: "enum", values: ["m", "km", "mi"], default: "m" },
		within: { type: "array", min: 3, optional: true, items: { type: "tuple", empty: false, items: ["number", "number"] } },
		categories: { type: "array", items: "string|alphadash", unique: true, optional: true, empty: false }
	}),
	geoShape: () => [
		{ type: "object", props: { type: { type: "equal", value: "Point" }, coordinates: { type: "tuple", items: ["number", "number"] } } },
		{ type: "object", props: { type: { type: "equal", value: "LineString" }, coordinates: { type: "array", min: 2, items: { type: "tuple", items: ["number", "number"] } } } },
		{
			type: "object",
			props: {
				type: { type: "equal", value: "Polygon" },
				coordinates: { type: "array", items: { type: "array", min: 4, items: { type: "array", length: 2, items: "number" } } }
			}
		}
	],
	webhookCreate: () => ({
		url: { type: "url", messages: { url: "A webhook needs http or https" } },
		secret: { type: "string", min: 16, max: 128, hex: true, optional: true },
		events: { type: "array", min: 1, items: { type: "string", pattern: /^(\*|[a-z]+(\.[a-z*]+)*)$/ } },
		headers: { type: "record", key: { type: "string", pattern: "^[A-Za-z-]+$" }, value: "string", default: {} },
		retry: { $$type: "object|optional", count: "number|integer|min:0|max:10", backoff: { type: "enum", values: ["linear", "exponential"] }, delayMs: "number|positive|optional" },
		active: "boolean|default:true"
	}),
	uploadMeta: () => ({
		filename: { type: "string", min: 1, max: 255, pattern: "^[^/\\\\]+$", singleLine: true },
		size: { type: "number", integer: true, positive: true, max: 2 ** 40 },
		mimetype: { type: "string", pattern: /^[\w.+-]+\/[\w.+-]+$/ },
		sha256: { type: "string", length: 64, hex: true, lowercase: true, optional: true },
		tags: { type: "array", items: "string|min:1|max:30|trim", max: 10, unique: true, default: [] },
		acl: { type: "record", key: "uuid", value: { type: "array", items: { type: "enum", values: ["read", "write"] } }, optional: true },
		expiresAt: { type: "date", convert: true, optional: true, nullable: true }
	}),
	featureFlag: () => ({
		key: "string|alphadash|min:3|max:50|lowercase",
		value: { type: "multi", rules: ["boolean", "string|max:40", "number", { type: "array", items: "string" }, { type: "object", strict: false }] },
		rollout: { type: "number", min: 0, max: 100, default: 100 },
		rules: {
			type: "array",
			optional: true,
			items: {
				$$type: "object",
				attribute: "string",
				operator: { type: "enum", values: ["eq", "neq", "in", "gt", "lt"] },
				value: "any",
				not: "boolean|optional"
			}
		},
		variants: { type: "record", key: "string|alpha", value: "number|min:0|max:100", optional: true }
	}),
	translations: () => ({
		key: { type: "string", pattern: "^[a-z]+(\\.[a-z_]+)+$" },
		texts: { type: "record", key: { type: "string", pattern: "^[a-z]{2}(-[A-Z]{2})?$" }, value: [{ type: "string", min: 1 }, { type: "object", props: { one: "string", other: "string", zero: "string|optional" } }] },
		fallback: { type: "string", length: 2, optional: true, default: "en" },
		context: "string|optional|nullable"
	}),
	menuTree: () => {
		const leaf = { type: "object", props: { title: "string|min:1", url: "url|optional" } };
		const branch = { type: "object", props: { title: "string|min:1", url: "url|optional", children: { type: "array", items: leaf, optional: true } } };
		return { menu: { type: "array", items: { type: "object", props: { title: "string|min:1", icon: "string|optional", children: { type: "array", items: branch, optional: true } } } }, published: "boolean" };
	},
	scheduleJob: () => ({
		name: "string|min:1|max:80",
		when: [{ type: "date", convert: true }, { type: "object", strict: true, props: { cron: { type: "string", pattern: "^(\\S+\\s+){4}\\S+$" }, zone: "string|default:UTC" } }, { type: "object", strict: true, props: { everyS: "number|integer|positive" } }],
		action: { type: "string", pattern: /^(v\d+\.)?[\w.-]+\.\w+$/ },
		params: { type: "any", optional: true },
		attempts: { type: "number", integer: true, min: 1, max: 20, default: 3 },
		lock: { type: "custom", check: value => value, optional: true }
	}),
	mailSend: () => ({
		to: [{ type: "email" }, { type: "array", items: "email", min: 1, max: 20 }],
		cc: { type: "array", items: "email", optional: true, convert: true },
		subject: "string|min:1|max:150|singleLine|trim",
		text: { type: "string", optional: true },
		html: { type: "string", optional: true, contains: "<" },
		template: { type: "object", optional: true, props: { id: "string", data: { type: "record", key: "string", value: "any" } } },
		priority: { type: "enum", values: [1, 2, 3], default: 2 },
		attachments: { type: "array", max: 3, optional: true, items: { $$type: "object", name: "string", content: "string|base64", inline: "boolean|default:false" } }
	}),
	deviceRegister: () => ({
		mac: "mac",
		serial: { type: "string", padStart: 8, padChar: "0", max: 12 },
		ip: { type: "string", pattern: /^\d{1,3}(\.\d{1,3}){3}$/ },
		firmware: { type: "tuple", items: ["number|integer|min:0", "number|integer|min:0", "number|integer|min:0"] },
		handler: { type: "function", optional: true },
		owner: { type: "class", instanceOf: ObjectID, optional: true },
		groups: { type: "array", items: "number|integer", optional: true, contains: 1 }
	}),
	metricsQuery: () => ({
		metric: "string|min:1",
		range: { $$type: "object", from: "date|convert", to: "date|convert|optional" },
		step: [{ type: "number", integer: true, min: 1 }, { type: "string", pattern: /^\d+(ms|s|m|h|d)$/ }],
		aggregate: { type: "array", items: { type: "enum", values: ["min", "max", "avg", "p50", "p99"] }, min: 1, unique: true, default: ["avg"] },
		labels: { type: "record", key: "string", value: [{ type: "string" }, { type: "array", items: "string", min: 1 }], optional: true },
		fill: { type: "multi", rules: [{ type: "number" }, { type: "enum", values: ["none", "null", "previous"] }], optional: true, nullable: true }
	}),
	rootList: () => ({ $$root: true, type: "array", min: 1, max: 20, items: { type: "object", props: { id: "number|integer", op: { type: "enum", values: ["add", "del"] } } } }),
	rootId: () => ({ $$root: true, type: "string", min: 3, max: 20, alphadash: true }),
	rootAlternatives: () => [
		{ type: "object", strict: true, props: { id: "number|integer|positive" } },
		{ type: "object", strict: true, props: { slug: "string|min:3|alphadash" } },
		{ type: "object", strict: true, props: { ids: "number[]|min:1|max:100" } }
	],
	bookingMake: () => ({
		room: "number|integer",
		guests: { type: "array", min: 1, max: 6, items: { $$type: "object", name: "string|min:2", age: "number|integer|min:0|max:120|optional", child: "boolean|default:false" } },
		period: { type: "object", strict: true, props: { from: "date|convert", to: "date|convert" }, custom(value, errors) {
			if (value && value.to <= value.from) errors.push({ type: "periodOrder", message: "It ends before it begins" });
			return value;
		} },
		price: { type: "number", notEqual: 0, convert: true },
		adminOnly: "forbidden",
		debug: { type: "forbidden", remove: true },
		wishes: { type: "string", optional: true, empty: true, max: 200 }
	}),
	ledgerEntry: () => ({
		id: "uuid",
		entries: { type: "array", min: 2, items: { type: "object", strict: true, props: { account: "string|numeric|length:4", debit: "number|min:0|default:0", credit: "number|min:0|default:0", memo: { type: "string", max: 80, optional: true } } } },
		booked: { type: "date", convert: true, default: new Date("2026-01-01T00:00:00Z") },
		currency: { type: "string", enum: CURRENCIES },
		rate: { type: "number", positive: true, optional: true, nullable: true },
		check: { type: "number", equal: 42, optional: true }
	}),
	sharedRules: () => {
		const id = { type: "number", integer: true, positive: true };
		return { from: id, to: id, amount: "number|positive", tags: { type: "array", items: id, optional: true } };
	},
	namesNobodyLikes: () => ({
		"x-request-id": "string|min:4",
		"a.b": "number|optional",
		"with space": "boolean|optional",
		"it's": "string|optional",
		$top: "number|integer|optional",
		1: "string|optional",
		"деньги": "number|optional",
		__proto: "any|optional",
		nested: { $$type: "object", "content-type": "string|min:3", "a.b": { type: "object", optional: true, props: { "c[0]": "number" } } }
	}),
	nullsAndDefaults: () => ({
		a: { type: "string", nullable: true },
		b: { type: "string", optional: true, nullable: false },
		c: { type: "number", nullable: true, default: 5 },
		d: { type: "number", default: 5 },
		e: { type: "array", items: { type: "string", nullable: true }, nullable: true },
		f: { type: "object", nullable: true, props: { x: "number" } },
		g: { type: "array", items: "string|optional", optional: true },
		h: { type: "record", value: "number|nullable", optional: true },
		i: ["string|optional", "number|optional"],
		j: [{ type: "string", nullable: true }, { type: "number", nullable: true }],
		k: { type: "object", default: { z: 1 }, props: { z: "number" } }
	}),
	asyncSignup: () => ({
		$$async: true,
		username: { type: "string", min: 3, max: 20, custom: async (value, errors) => {
			if (value === "root_") errors.push({ type: "taken", message: "That name is taken" });
			return value;
		} },
		invite: { type: "string", length: 8, alphanum: true, optional: true },
		plan: { type: "enum", values: ["free", "team", "big"] },
		seats: { type: "number", integer: true, min: 1, max: 500, default: 1 }
	}),
	deepSettings: () => ({
		$$strict: true,
		ui: { $$type: "object", theme: { $$type: "object", mode: { type: "enum", values: ["dark", "light", "system"] }, colours: { $$type: "object|optional", accent: { type: "string", pattern: "^#[0-9a-f]{6}$", patternFlags: "i" }, ink: { $$type: "object|optional", strong: "string", weak: "string|optional" } } }, density: "number|min:0.5|max:2|default:1" },
		shortcuts: { type: "record", key: "string|min:1|max:3", value: { type: "array", items: "string", min: 1 }, optional: true },
		matrix: { type: "array", optional: true, items: { type: "array", length: 3, items: { type: "array", length: 2, items: "number|integer" } } },
		flags: { type: "object", optional: true, minProps: 1, props: { a: "boolean|optional", b: "boolean|optional" } }
	}),
	convertEverything: () => ({
		number: "number|convert",
		integer: "number|integer|convert|min:-5|max:5",
		boolean: "boolean|convert",
		text: "string|convert|max:12",
		date: "date|convert",
		list: { type: "array", items: "number|convert", convert: true },
		padded: { type: "string", padEnd: 6, padChar: "x", length: 6 },
		upper: { type: "string", uppercase: true, enum: ["ON", "OFF"] },
		trimmed: "string|trim|min:2",
		card: { type: "luhn", optional: true },
		loose: { type: "equal", value: 1, optional: true },
		money: { type: "currency", optional: true, thousandSeparator: "'", customRegex: /^\d+\.\d{2}$/ }
	})
};
