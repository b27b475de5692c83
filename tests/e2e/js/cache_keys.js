/*
 * The cache keys that MoleculerJS makes.
 *
 *   node cache_keys.js VERSION(014|015) < [{params, meta, headers, keys, maxParamsLength}, ...] > [key, ...]
 */
"use strict";

const version = process.argv[2];
const { Cachers } = require(`moleculer-${version}`);

function keyOf({ params, meta, headers, keys, maxParamsLength }) {
	const cacher = new Cachers.Base({ maxParamsLength });
	if (version === "014") return cacher.getCacheKey("posts.list", params, meta, keys);
	return cacher.getCacheKey({ name: "posts.list" }, { keys }, { params, meta, headers });
}

const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(asked.map(keyOf)));
